"""Work that goes on in the background: a percentage that is a function of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

ALMOST = 99.99


@dataclass
class Progress:
    """Background work that takes a known time, can be halted where it is, and go on later."""

    takes: timedelta
    since: datetime | None
    done: timedelta = timedelta()
    is_finished: bool = False

    def percent(self, now: datetime) -> float:
        """Return how much is done; 100 only after `finish`, so that nothing is told done before it is."""
        if self.is_finished:
            return 100.0
        if not self.takes:
            return ALMOST
        return min(ALMOST, round(self._done(now) / self.takes * 100, 2))

    def left(self, now: datetime) -> timedelta:
        """Return how long it would take from now on."""
        return max(timedelta(), self.takes - self._done(now))

    def halt(self, now: datetime) -> None:
        """Stop where it is."""
        self.done, self.since = self._done(now), None

    def go_on(self, now: datetime) -> None:
        """Go on from where it was halted."""
        self.since = now

    def finish(self) -> None:
        """Reach 100 %."""
        self.is_finished = True

    def _done(self, now: datetime) -> timedelta:
        return self.done + (now - self.since if self.since else timedelta())
