"""demo.py as a program of its own, and what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
END_SECONDS = 30.0  # for an orderly end, on a machine that is busy with something else
PROCESSES = Path("/proc")


class Demo:
    """One run of demo.py. Every process that comes of it is known by a mark in its environment."""

    def __init__(self, temporary: Path, *arguments: str, environment: Mapping[str, str] | None = None):
        if not PROCESSES.is_dir():
            pytest.skip("processes are found by their environment in /proc, which this system has not")
        self.mark = f"DEMO_OF_A_TEST={uuid.uuid4()}"
        self.temporary = temporary
        name, _, value = self.mark.partition("=")
        self.process = subprocess.Popen(
            [sys.executable, "demo.py", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # a Ctrl-C for the group is not for the tests
            env={**os.environ, "TMPDIR": str(temporary), **(environment or {}), name: value},
        )
        self.output = ""

    def __enter__(self) -> Demo:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes():
            os.kill(process, signal.SIGKILL)
        self.process.communicate()

    def read_until(self, text: str) -> None:
        """Read what it prints until `text` was printed."""
        assert self.process.stdout is not None
        while text not in self.output:
            line = self.process.stdout.readline()
            assert line, f"it ended before it printed {text!r}:\n{self.output}"
            self.output += line

    def await_loading(self) -> None:
        """Wait until Python runs the program and loads what it needs: its first library is there."""
        maps = PROCESSES / str(self.process.pid) / "maps"
        while not re.search(r"/(lib-dynload|site-packages)/.*\.so$", maps.read_text(), re.MULTILINE):
            assert self.process.poll() is None, "it ended before it had loaded anything"
            time.sleep(0.001)

    def send(self, number: signal.Signals) -> None:
        """Send a signal as a terminal does, to the whole group."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def end(self, seconds: float = END_SECONDS) -> int:
        """Wait until it has ended; return its status."""
        rest, _ = self.process.communicate(timeout=seconds)
        self.output += rest
        return self.process.returncode

    def processes(self) -> list[int]:
        """Return the processes that came of it and still run."""
        return [int(found.name) for found in PROCESSES.glob("[0-9]*") if self._is_marked(found)]

    def files(self) -> list[Path]:
        """Return the files that came of it and are still there."""
        return [*ROOT.glob(f".tidemark/run-{self.process.pid}-*"), *self.temporary.iterdir()]

    def await_no_process(self, seconds: float = END_SECONDS) -> None:
        """Wait until nothing of it runs."""
        deadline = time.monotonic() + seconds
        while self.processes():
            assert time.monotonic() < deadline, [
                (PROCESSES / str(process) / "cmdline").read_bytes() for process in self.processes()
            ]
            time.sleep(0.05)

    def _is_marked(self, found: Path) -> bool:
        try:
            return self.mark.encode() in (found / "environ").read_bytes().split(b"\0")
        except OSError:  # it has just ended, or is somebody else's
            return False
