"""Ctrl-C, `kill` and a closed terminal, at any moment: one of them ends the work, none disturbs the tidying.

    with closing(system), interruptible():
        system.start()

The first signal raises Interrupted in the main thread. Every later one is ignored, as are those that come
when the block is left: what follows is tidying up, and the end of the process.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody wants us to end. Not an Exception, so that nothing takes it for a failure and goes on."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def status(self) -> int:
        """The exit status that shells expect of a program ended by this signal."""
        return 128 + self.number


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the first signal inside the block raise Interrupted."""
    is_armed = True

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal is_armed
        if is_armed:
            is_armed = False
            raise Interrupted(number)

    for number in SIGNALS:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        is_armed = False
