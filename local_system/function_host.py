"""The function app in a process of its own: on the local host, or on Azure Functions Core Tools.

Core Tools are used by `make serve` where their command `func` is on the PATH. That path has not been
run: Core Tools could not be installed where this was written. They keep the state of Durable Functions in a
storage account, and know no clock but the computer's.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from local_system.api import Api, ApiFailed
from local_system.child import Child
from local_system.failures import LocalSystemFailed

ROUTE_PREFIX = "api/v1"
START_SECONDS = 60.0
CORE_TOOLS_START_SECONDS = 300.0  # they download their extensions first
_LISTENING = re.compile(r"^Listening on (http://\S+)", re.MULTILINE)
_PAUSE_SECONDS = 0.05
# What the app would take for its own, or for a sign that it runs in Azure.
_NOT_INHERITED = ("TIDEMARK_", "WEBSITE_", "AZUREWEBJOBS", "FUNCTIONS_")


class FunctionHost:
    """Runs the app of a directory; it can be killed and started again, and goes on where it was."""

    name = "the local host"

    def __init__(self, child: Child, token: str, start_seconds: float = START_SECONDS) -> None:
        self.child = child
        self._token = token
        self._start_seconds = start_seconds
        self._url: str | None = None

    @property
    def api(self) -> Api:
        """The app's HTTP API; raises LocalSystemFailed while the host is not up."""
        if self._url is None:
            raise LocalSystemFailed("Calling the function app", "its host is not running")
        return Api(f"{self._url}/{ROUTE_PREFIX}", self._token)

    def start(self) -> None:
        """Start the host and return once the app answers; raises LocalSystemFailed."""
        self._url = None
        self.child.start()
        deadline = time.monotonic() + self._start_seconds
        while not self._is_up():
            if self.child.end:
                raise self._failed(self.child.end)
            if time.monotonic() > deadline:
                raise self._failed(f"it gave no answer in {self._start_seconds:.0f} s")
            time.sleep(_PAUSE_SECONDS)

    def stop(self) -> None:
        """End the host and wait until it is gone."""
        self.child.stop()

    def kill(self) -> None:
        """End the host as kill -9 does."""
        self.child.kill()

    def _is_up(self) -> bool:
        self._url = self._found_url()
        if self._url is None:
            return False
        try:
            self.api.get("health")
        except ApiFailed:
            return False
        return True

    def _found_url(self) -> str | None:
        told = _LISTENING.search(self.child.printed())
        return told[1] if told else None

    def _failed(self, what: str) -> LocalSystemFailed:
        reason = f"{what}; the end of its log:\n{self.child.tail()}"
        return LocalSystemFailed(f"Starting the function app on {self.name}", reason, self.child.log)


class CoreToolsHost(FunctionHost):
    """Azure Functions Core Tools: told their port, and up when the app answers there."""

    name = "Azure Functions Core Tools"

    def __init__(self, child: Child, token: str, port: int) -> None:
        super().__init__(child, token, CORE_TOOLS_START_SECONDS)
        self._port = port

    def _found_url(self) -> str | None:
        return f"http://127.0.0.1:{self._port}"


def local_host(
    app: Path, directory: Path, clock: Path, token: str, environment: Mapping[str, str]
) -> FunctionHost:
    """Return the local host for the app; its database and its log lie in `directory`."""
    command = [
        sys.executable, "-m", "local_host", "--app", str(app), "--port", "0",
        "--database", str(directory / "host.sqlite"), "--clock", str(clock),
    ]  # fmt: skip
    return FunctionHost(
        Child(command, directory / "function-host.log", _root(), {**_inherited(), **environment}), token
    )


def core_tools(
    app: Path, directory: Path, storage: str, token: str, environment: Mapping[str, str]
) -> FunctionHost:
    """Return Core Tools for the app; `storage` is the connection string of the host's own account."""
    port = _free_port()
    own = {"AzureWebJobsStorage": storage, "FUNCTIONS_WORKER_RUNTIME": "python"}
    inherited = _inherited()
    # Core Tools take the Python that they find first.
    inherited["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}"
    child = Child(
        ["func", "start", "--port", str(port)],
        directory / "function-host.log",
        app,
        {**inherited, **own, **environment},
    )
    return CoreToolsHost(child, token, port)


def has_core_tools() -> bool:
    """Whether the command of Azure Functions Core Tools is on the PATH."""
    return shutil.which("func") is not None


def _inherited() -> dict[str, str]:
    """Our environment without what would change the app, and with no proxy between parts of one machine."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_NOT_INHERITED)}
    direct = [kept.get("no_proxy") or kept.get("NO_PROXY"), "127.0.0.1"]
    kept["no_proxy"] = kept["NO_PROXY"] = ",".join(filter(None, direct))
    return kept


def _root() -> Path:
    """Where `python -m local_host` finds its package."""
    return Path(__file__).parent.parent


def _free_port() -> int:
    """Core Tools cannot choose a port themselves; somebody may be quicker, and they then say so and end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
