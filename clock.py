"""What time it is: one clock for the app, the simulator and the local host.

In Azure the clock is the system's. Where no Azure is, time is virtual, so that a story of weeks runs in
seconds: it runs at a multiple of wall time, or stands still until it is moved. A virtual clock can be shared
by several processes through a small file; the app joins it when the setting TIDEMARK_CLOCK names that file.

    SystemClock()                                   # Azure
    ManualClock(start)                              # tests: moves only when told
    SharedClock.create(path, start, factor=60.0)    # demo: an hour passes in a minute, in every process
    SharedClock(path)                               # another process joins
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """A source of the current time, aware and in UTC."""

    def now(self) -> datetime:
        """Return the current moment, UTC."""
        ...

    def seconds_until(self, moment: datetime) -> float | None:
        """Return how many seconds of wall time pass until `moment` (0 if it has passed), or None if the
        clock stands still, so that nobody can tell."""
        ...


class SystemClock:
    """The computer's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def seconds_until(self, moment: datetime) -> float | None:
        return max(0.0, (moment - self.now()).total_seconds())


class ManualClock:
    """A clock that stands still until it is moved; whoever waits for a moment can ask to be told of moves."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._now

    def seconds_until(self, moment: datetime) -> float | None:
        return 0.0 if moment <= self._now else None

    def move_to(self, moment: datetime) -> None:
        """Move forward to `moment`; time never goes back, so an earlier moment is ignored."""
        with self._lock:
            self._now = max(self._now, moment.astimezone(UTC))
        for listener in list(self._listeners):
            listener()

    def advance(self, by: timedelta) -> None:
        """Move forward by a span."""
        self.move_to(self._now + by)

    def on_move(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every move."""
        self._listeners.append(listener)


class SharedClock:
    """A clock that several processes read from one file.

    The file holds a moment of virtual time, the wall time at which it was set, and how many virtual seconds
    pass in one of wall time (0: it stands still). It is replaced whole, so a reader never sees half of it.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._read_at = -1
        self._origin, self._wall, self._factor = datetime.now(UTC), 0.0, 1.0
        self._load()

    @classmethod
    def create(cls, path: Path | str, start: datetime, factor: float) -> SharedClock:
        """Write the file that other processes join by, and return the clock."""
        _write(Path(path), start, factor)
        return cls(path)

    def now(self) -> datetime:
        self._load()
        return self._origin + timedelta(seconds=(time.time() - self._wall) * self._factor)

    def seconds_until(self, moment: datetime) -> float | None:
        ahead = (moment - self.now()).total_seconds()
        if ahead <= 0:
            return 0.0
        return ahead / self._factor if self._factor else None

    def move_to(self, moment: datetime) -> None:
        """Move every process forward to `moment`; an earlier moment is ignored."""
        _write(self._path, max(self.now(), moment), self._factor)

    def set_factor(self, factor: float) -> None:
        """Change the speed from now on, in every process."""
        _write(self._path, self.now(), factor)

    def _load(self) -> None:
        changed = os.stat(self._path).st_mtime_ns
        if changed != self._read_at:
            state = json.loads(self._path.read_text())
            self._origin = datetime.fromisoformat(state["moment"])
            self._wall, self._factor = state["wall"], state["factor"]
            self._read_at = changed


def _write(path: Path, moment: datetime, factor: float) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    state = {"moment": moment.astimezone(UTC).isoformat(), "wall": time.time(), "factor": factor}
    fresh.write_text(json.dumps(state))
    fresh.replace(path)
