"""A child process with a log, which never outlives us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local_system import tether

STOP_SECONDS = tether.GRACE_SECONDS + 2.0
_TAIL = 2000  # characters


class Child:
    """A program, started anew as often as wanted; everything that it prints is added to `log`."""

    def __init__(
        self, command: Sequence[str], log: Path, directory: Path, environment: Mapping[str, str]
    ) -> None:
        """`directory` is where it runs, `environment` all that it sees of one."""
        self.log = log
        self._command = [sys.executable, "-I", tether.__file__, *command]
        self._directory = directory
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._life_begins = 0

    @property
    def end(self) -> str | None:
        """How the program ended, in words; None while it runs."""
        process = self._process
        if process is None:
            return "it was stopped"
        status = process.poll()
        return None if status is None else f"it ended with status {status}"

    def start(self) -> None:
        """Start the program; returns at once."""
        with self.log.open("ab") as log:
            self._life_begins = log.tell()
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,  # what the tether watches
                stdout=log,
                stderr=log,
                cwd=self._directory,
                env=self._environment,
                start_new_session=True,  # Ctrl-C in the terminal is for us; we stop it when we are done
            )

    def stop(self) -> None:
        """Ask the program to end and wait until it has; doing it twice is doing it once."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _kill(process)

    def kill(self) -> None:
        """End the program at once, as kill -9 does: it gets no chance to tidy up."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            _kill(process)
            process.stdin.close()

    def printed(self) -> str:
        """Return what the program has printed since it was last started."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._life_begins)
            return log.read().decode(errors="replace")

    def tail(self) -> str:
        """Return the end of what it printed."""
        return self.printed()[-_TAIL:].strip() or "(it printed nothing)"


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):  # it was faster
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
