"""Runs something on a local system and ends it in every case: done, failed, or interrupted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing, suppress

from local_system.api import ApiFailed
from local_system.failures import LocalSystemFailed
from local_system.interruption import Interrupted, interruptible
from local_system.screen import Screen
from local_system.system import LocalSystem
from local_system.working_directory import shown
from simulator.file_systems import FileSystemError

FAILED = 1


def run(system: LocalSystem, screen: Screen, work: Callable[[], None]) -> int:
    """Call `work`, which starts the system when it wants to; end the system; return the exit status.

    A failure is told with the step, the reason, and the log that was kept for it; of an interruption nothing
    is left, not even a log.
    """
    try:
        with closing(system), interruptible():
            return _worked(system, screen, work)
    except Interrupted as interrupted:
        _tell(screen, f"Ended by {interrupted}: nothing is left running, and no file is left.")
        return interrupted.status
    except BrokenPipeError:
        # Nobody reads on. Python would say so once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _worked(system: LocalSystem, screen: Screen, work: Callable[[], None]) -> int:
    try:
        work()
    except Interrupted:
        _tell(screen, "Ending what was started ...")
        raise
    except (LocalSystemFailed, ApiFailed, FileSystemError) as failure:
        screen.failure(f"{_where(screen)}{failure}\n{_kept(system, failure)}")
        return FAILED
    except Exception as unforeseen:  # a fault of ours: Python tells where
        screen.failure(f"{_where(screen)}something unforeseen happened.\n{_kept(system, unforeseen)}")
        raise
    return 0


def _where(screen: Screen) -> str:
    return f"Step {screen.current}: " if screen.current else ""


def _kept(system: LocalSystem, failure: Exception) -> str:
    log = getattr(failure, "log", None) or system.log
    return f"Its log: {shown(system.directory.keep(log))}" if log else "There is no log beyond this."


def _tell(screen: Screen, text: str) -> None:
    with suppress(OSError):  # the terminal is gone, too
        screen.failure(text)
