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

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
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
    pass in one of wall time (0: it stands still). It is replaced whole, so a reader never sees half of it;
    who changes it locks its directory, so that no two changes are made from the same reading. It is read at
    every use: the times of files are too coarse to tell whether one has changed. For one reader time never
    goes back; two processes may differ by as much as passes while the file is replaced.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._latest = _read(self._path).moment  # a wrong path is told here
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path | str, start: datetime, factor: float) -> SharedClock:
        """Write the file that other processes join by, and return the clock."""
        _write(Path(path), _Reading(start.astimezone(UTC), time.time(), factor))
        return cls(path)

    def now(self) -> datetime:
        with self._lock:
            self._latest = max(self._latest, _read(self._path).at(time.time()))
            return self._latest

    def seconds_until(self, moment: datetime) -> float | None:
        ahead = (moment - self.now()).total_seconds()
        if ahead <= 0:
            return 0.0
        factor = _read(self._path).factor
        return ahead / factor if factor else None

    def move_to(self, moment: datetime) -> None:
        """Move every process forward to `moment`; an earlier moment is ignored."""
        self._change(lambda now: replace(now, moment=max(now.moment, moment.astimezone(UTC))))

    def set_factor(self, factor: float) -> None:
        """Change the speed from now on, in every process."""
        self._change(lambda now: replace(now, factor=factor))

    def _change(self, changed: Callable[[_Reading], _Reading]) -> None:
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            wall = time.time()
            reading = _read(self._path)
            _write(self._path, changed(_Reading(reading.at(wall), wall, reading.factor)))
        finally:
            os.close(directory)


@dataclass(frozen=True)
class _Reading:
    """What the file of a shared clock says: it was `moment` at the wall time `wall`, and runs at `factor`."""

    moment: datetime
    wall: float
    factor: float

    def at(self, wall: float) -> datetime:
        return self.moment + timedelta(seconds=(wall - self.wall) * self.factor)


def _read(path: Path) -> _Reading:
    state = json.loads(path.read_text())
    return _Reading(datetime.fromisoformat(state["moment"]), state["wall"], state["factor"])


def _write(path: Path, reading: _Reading) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    state = {"moment": reading.moment.isoformat(), "wall": reading.wall, "factor": reading.factor}
    fresh.write_text(json.dumps(state))
    fresh.replace(path)
