"""What will happen in the simulated cloud and when: the only place where anything happens by itself.

There is no thread and no sleeping. Whoever asks the cloud something first settles the timeline: everything
that was due by now happens, in the order of its moments. What belongs to a lost region is put aside and
happens when the region is back.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from clock import Clock

Effect = Callable[[datetime], None]


@dataclass(order=True)
class Event:
    """Something that happens at a moment unless it is cancelled before."""

    moment: datetime
    order: int
    region: str = field(compare=False)
    effect: Effect = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class Timeline:
    """Events in the order of their moments."""

    def __init__(self, clock: Clock, is_lost: Callable[[str], bool]) -> None:
        self._clock = clock
        self._is_lost = is_lost
        self._due: list[Event] = []
        self._put_aside: list[Event] = []
        self._order = itertools.count()
        self.now = clock.now()

    def at(self, moment: datetime, region: str, effect: Effect) -> Event:
        """Let `effect` happen at `moment`; it is given the moment."""
        event = Event(moment, next(self._order), region, effect)
        heapq.heappush(self._due, event)
        return event

    def settle(self) -> datetime:
        """Let everything happen that is due by now; return now."""
        now = self._clock.now()
        while self._due and self._due[0].moment <= now:
            event = heapq.heappop(self._due)
            self.now = event.moment
            if event.cancelled:
                continue
            if self._is_lost(event.region):
                self._put_aside.append(event)
            else:
                event.effect(event.moment)
        self.now = now
        return now

    def stop(self) -> None:
        """Let nothing happen any more."""
        self._due.clear()
        self._put_aside.clear()

    def resume(self) -> None:
        """Let what was put aside happen now, as far as its region is back."""
        waiting, self._put_aside = self._put_aside, []
        for event in waiting:
            if not event.cancelled:
                event.moment = max(event.moment, self.now)
                heapq.heappush(self._due, event)
        self.settle()
