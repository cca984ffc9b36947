"""Azurite, the storage emulator, as a child process: the tables and blobs of the demo and of the tests.

    with Azurite(random_keys(["catalogue", "manifestswest"])) as azurite:
        azurite.table_endpoint("catalogue")  # http://127.0.0.1:<port>/catalogue

Azurite is not ours and is not part of the simulated cloud: its accounts are in no region, its time is the
computer's, and its tables on disk are written every few seconds, so a killed Azurite may lose the last ones.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

PROGRAM = Path(__file__).parent.parent / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
START_SECONDS = 60.0
STOP_SECONDS = 10.0

_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at (http://\S+)")
_MOST_LOG = 1_000_000  # bytes
_LOG_TAIL = 2000  # characters
# Run by node before Azurite: stdin is a pipe that only this process holds open. It closes when we end,
# however we end, and Azurite then ends too.
_END_WITH_PARENT = """
process.stdin.resume().on("end", () => {
  setTimeout(() => process.exit(1), 5000).unref();
  process.kill(process.pid, "SIGTERM");
});
require(process.argv[1]);
"""


class AzuriteFailed(Exception):
    """Azurite did not come up; the message holds the end of its log."""


def random_keys(accounts: Iterable[str], key_bytes: int = 64) -> dict[str, str]:
    """Return a fresh random key for every account name, as Azure writes keys: 64 bytes in base64."""
    return {account: b64encode(secrets.token_bytes(key_bytes)).decode() for account in accounts}


class Azurite:
    """One Azurite for the storage accounts in `keys` (account name → key), on free ports of 127.0.0.1."""

    def __init__(self, keys: Mapping[str, str], program: Path = PROGRAM) -> None:
        self._keys = dict(keys)
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._addresses: dict[str, str] = {}
        self._log: BinaryIO | None = None

    @property
    def keys(self) -> Mapping[str, str]:
        """The key of every account."""
        return dict(self._keys)

    @property
    def pid(self) -> int | None:
        """The id of the process, None while there is none."""
        return self._process.pid if self._process else None

    def table_endpoint(self, account: str) -> str:
        """Return the URL of an account's tables, without a slash at the end."""
        return self._endpoint("Table", account)

    def blob_endpoint(self, account: str) -> str:
        """Return the URL of an account's blobs, without a slash at the end."""
        return self._endpoint("Blob", account)

    def connection_string(self, account: str) -> str:
        """Return what programs want that take a whole account, queues and all, such as a Functions host."""
        endpoints = ";".join(
            f"{service}Endpoint={self._endpoint(service, account)}" for service in ("Blob", "Queue", "Table")
        )
        key = self._keys[account]
        return f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};{endpoints};"

    def start(self, directory: Path | None = None) -> Azurite:
        """Start it and return it once it answers. What is stored lies in `directory`, or in memory.

        Its log is `azurite.log` in the directory, or a file without a name. Raises AzuriteFailed if it
        does not come up.
        """
        if self._process is not None:
            raise AzuriteFailed("this Azurite runs already; stop it first, or make another")
        self._require_programs()
        if directory is None:
            self._log = tempfile.TemporaryFile("w+b")  # noqa: SIM115  # closed by stop()
        else:
            directory.mkdir(parents=True, exist_ok=True)
            self._log = (directory / "azurite.log").open("w+b")
        try:
            self._process = self._spawn(self._log, directory)
            self._addresses = self._await_addresses(time.monotonic() + START_SECONDS)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the process and wait until it is gone; doing it twice is doing it once."""
        process, self._process = self._process, None
        self._addresses = {}
        if process is not None:
            _end(process)
        log, self._log = self._log, None
        if log is not None:
            log.close()

    def __enter__(self) -> Azurite:
        return self if self._process else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _endpoint(self, service: str, account: str) -> str:
        if account not in self._keys:
            raise KeyError(f"Azurite was started without an account '{account}'; name it in its keys")
        if service not in self._addresses:
            raise AzuriteFailed("this Azurite is not running; start it first")
        return f"{self._addresses[service]}/{account}"

    def _require_programs(self) -> None:
        if shutil.which("node") is None:
            raise AzuriteFailed("there is no program 'node' on the PATH; Azurite needs Node.js 18 or newer")
        if not self._program.is_file():
            raise AzuriteFailed(f"there is no {self._program}; run: make setup")

    def _spawn(self, log: BinaryIO, directory: Path | None) -> subprocess.Popen[bytes]:
        accounts = ";".join(f"{account}:{key}" for account, key in self._keys.items())
        return subprocess.Popen(
            ["node", "--eval", _END_WITH_PARENT, str(self._program), *_options(is_in_memory=not directory)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            # Where it stores: it takes no --location together with --inMemoryPersistence.
            cwd=directory or tempfile.gettempdir(),
            env={**os.environ, "AZURITE_ACCOUNTS": accounts},
            start_new_session=True,  # Ctrl-C in the terminal is for us; we stop it when we are done
        )

    def _await_addresses(self, deadline: float) -> dict[str, str]:
        while True:
            addresses = dict(_LISTENING.findall(self._log_text()))
            # Queues come up between blobs and tables and are not used; Azurite has no way to leave them out.
            if len(addresses) == 3 and all(map(_answers, addresses.values())):
                return addresses
            self._check_progress(deadline)
            time.sleep(0.02)

    def _check_progress(self, deadline: float) -> None:
        assert self._process is not None
        status = self._process.poll()
        if status is not None:
            raise AzuriteFailed(
                f"Azurite ended with status {status}; the end of its log:\n{self._log_tail()}"
            )
        if time.monotonic() > deadline:
            raise AzuriteFailed(
                f"Azurite gave no answer in {START_SECONDS:.0f} s; the end of its log:\n{self._log_tail()}"
            )

    def _log_text(self) -> str:
        assert self._log is not None
        # Not read(): the position in the file is shared with Azurite, which writes there.
        return os.pread(self._log.fileno(), _MOST_LOG, 0).decode(errors="replace")

    def _log_tail(self) -> str:
        return self._log_text()[-_LOG_TAIL:].strip() or "(it is empty)"


def _options(is_in_memory: bool) -> list[str]:
    ports = [
        # Port 0: the system chooses, so no two can clash. A connection that the client keeps must not be
        # closed under its next request, as it would be after Azurite's usual five seconds.
        option
        for service in ("blob", "queue", "table")
        for option in (f"--{service}Port", "0", f"--{service}KeepAliveTimeout", "3600")
    ]
    common = ["--silent", "--skipApiVersionCheck", "--disableProductStyleUrl", "--disableTelemetry"]
    return [*ports, *common, *(["--inMemoryPersistence"] if is_in_memory else [])]


def _answers(address: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=5)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group: politely, so that it writes what it holds, then by force."""
    assert process.stdin is not None
    process.stdin.close()  # what _END_WITH_PARENT waits for
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
