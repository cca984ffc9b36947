"""The host's heart: a thread that does what is ready, then waits for a change or for the next due moment."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from clock import Clock, SharedClock

log = logging.getLogger("local_host")

SHARED_CLOCK_POLL = 0.05
"""Seconds between looks at a clock that another process may move."""
LONGEST_REST = 60.0
PAUSE_AFTER_ERROR = 0.5


class Worker(Protocol):
    """Something that has work now and then."""

    def advance(self) -> bool:
        """Do or start what is ready; tell whether there was anything."""
        ...


class StuckError(RuntimeError):
    """The host does not come to rest; the text says what is still going on."""


class Dispatcher:
    """Lets the workers advance in turn."""

    def __init__(
        self,
        clock: Clock,
        workers: Sequence[Worker],
        next_due: Callable[[], datetime | None],
        is_idle: Callable[[], bool],
    ) -> None:
        self._clock = clock
        self._workers = workers
        self._next_due = next_due
        self._is_idle = is_idle
        self._changed = threading.Condition()
        self._changes = 0
        self._is_stopping = False
        self._is_advancing = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="local-host-dispatcher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the episode that is being played."""
        self._is_stopping = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join(30)

    def wake(self) -> None:
        """Something has changed: look again."""
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def wait_until_idle(self, timeout: float, report: Callable[[], str]) -> None:
        """Wait until nothing is ready or under way at the clock's present moment.

        Raises StuckError with `report`'s text after `timeout` seconds of wall time, and at once if the host
        itself has met an error since it started.
        """
        deadline = time.monotonic() + timeout
        while True:
            with self._changed:
                seen, was_advancing = self._changes, self._is_advancing
            if self._error is not None:
                raise StuckError(f"The host itself failed: {self._error}") from self._error
            if not was_advancing and self._is_idle() and self._changes == seen:
                return  # and nothing changed while we looked at one part after the other
            left = deadline - time.monotonic()
            if left <= 0:
                raise StuckError(f"The host did not come to rest within {timeout:g} s: {report()}")
            with self._changed:
                if self._changes == seen and self._is_advancing == was_advancing:
                    self._changed.wait(min(left, 1.0))

    def _run(self) -> None:
        while not self._is_stopping:
            with self._changed:
                seen = self._changes
                self._is_advancing = True
            try:
                busy = self._advance()
            except Exception as error:
                self._error = error
                log.exception("the dispatcher met an error and goes on")
                self._rest(seen, PAUSE_AFTER_ERROR)
                continue
            if busy:
                self.wake()
            else:
                self._rest(seen, self._seconds_to_rest())

    def _advance(self) -> bool:
        return any([worker.advance() for worker in self._workers])

    def _rest(self, seen: int, seconds: float) -> None:
        with self._changed:
            self._is_advancing = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._changes != seen or self._is_stopping, seconds)

    def _seconds_to_rest(self) -> float:
        due = self._next_due()
        seconds = None if due is None else self._clock.seconds_until(due)
        longest = SHARED_CLOCK_POLL if isinstance(self._clock, SharedClock) else LONGEST_REST
        return longest if seconds is None else min(seconds, longest)
