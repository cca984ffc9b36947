"""The one directory that holds everything a local system writes, and is gone when it ends."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import tempfile
from pathlib import Path

PARENT = Path(__file__).parent.parent / ".tidemark"

_numbers = itertools.count(1)


class WorkingDirectory:
    """A directory of this process, `.tidemark/run-<process>-<number>` in the checkout.

    Its name is known before it exists, so that no interruption can leave one which nobody knows. Only kill -9
    leaves it behind; the next system that starts removes it.
    """

    def __init__(self, parent: Path = PARENT) -> None:
        self._parent = parent
        self.path = parent / f"run-{os.getpid()}-{next(_numbers)}"

    def make(self) -> None:
        """Make the directory, readable for us alone: keys and tokens lie in it.

        Temporary files of this process lie in it from now on: an interruption between making one and keeping
        its name would leave it anywhere else.
        """
        _remove_abandoned(self._parent)
        self.path.mkdir(parents=True)
        self.path.chmod(0o700)
        tempfile.tempdir = str(self.path)

    def keep(self, log: Path) -> Path:
        """Keep a log of this directory beyond its end; return where it is then."""
        return log.replace(self._parent / log.name)

    def remove(self) -> None:
        """Remove it with everything in it, and its parent if that is empty then; doing it twice is doing it
        once."""
        if tempfile.tempdir == str(self.path):
            tempfile.tempdir = None  # where they lie by default
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):  # not empty: there are other systems, or a kept log
            self._parent.rmdir()


def shown(path: Path) -> Path:
    """Return a path as it is told to a person: from where they are, if it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _remove_abandoned(parent: Path) -> None:
    for path in parent.glob("run-*"):
        owner = re.fullmatch(r"run-(\d+)-\d+", path.name)
        if owner and not _is_running(int(owner[1])):
            shutil.rmtree(path, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
