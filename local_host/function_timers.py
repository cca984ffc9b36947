"""Timer triggers; when each runs next is in the database, so that one missed meanwhile runs once.

As the timers extension does: one run at a time per timer; occurrences missed meanwhile collapse into one; a
run found overdue at the start is `past_due`. A schedule that comes more often than once a minute is not
monitored, and neither is one with use_monitor=False: what they miss is gone. A clock that is moved counts as
downtime: a run that comes more than a second of wall time late is past due. Not emulated: WEBSITE_TIME_ZONE
(everything is UTC), retry policies.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from azure.functions.timer import TimerRequest

from clock import Clock
from local_host.app import Function
from local_host.gate import Gate
from local_host.history import moment, timestamp
from local_host.host_files import resolve
from local_host.invocation import Invoker
from local_host.ncrontab import Schedule, ScheduleError, parse_schedule
from local_host.store import Store

log = logging.getLogger("local_host")

SHORTEST_MONITORED = timedelta(minutes=1)
LATE = timedelta(seconds=1)


@dataclass
class _Timer:
    function: Function
    text: str
    schedule: Schedule
    next: datetime
    last: datetime | None = None
    is_running: bool = False
    was_missed: bool = False


class FunctionTimers:
    """All timer-triggered functions of a host."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        functions: list[Function],
        invoker: Invoker,
        wake: Callable[[], None],
    ) -> None:
        """Read the schedules; `start` finds out what is due.

        Raises ScheduleError for one that cannot be read.
        """
        self._store = store
        self._clock = clock
        self._invoker = invoker
        self._wake = wake
        self._lock = threading.Lock()
        self._timers: list[_Timer] = []
        self._gate = Gate()
        if functions and os.environ.get("WEBSITE_TIME_ZONE", "UTC") != "UTC":
            raise ScheduleError(
                "WEBSITE_TIME_ZONE is set; the local host runs schedules in UTC only. Unset it."
            )
        for function in functions:
            text = resolve(function.trigger.schedule)
            self._timers.append(_Timer(function, text, parse_schedule(text), clock.now()))

    def start(self) -> None:
        """Find what was missed; run what wants to run at the start."""
        now = self._clock.now()
        with self._store.transaction() as database:
            for timer in self._timers:
                self._resume(database, timer, now)

    def advance(self) -> bool:
        """Start what is due and not running; tell whether anything was."""
        now = self._clock.now()
        with self._lock:
            due = [timer for timer in self._timers if timer.next <= now and not timer.is_running]
            for timer in due:
                timer.is_running = True
        for timer in due:
            self._run(timer, now)
        return bool(due)

    def next_due(self) -> datetime | None:
        """When the next timer runs; None if there are no timers."""
        with self._lock:
            return min((timer.next for timer in self._timers if not timer.is_running), default=None)

    @property
    def running(self) -> list[str]:
        """Names of the functions that run at the moment."""
        with self._lock:
            return [timer.function.name for timer in self._timers if timer.is_running]

    def is_idle(self) -> bool:
        """True if nothing runs and nothing is due."""
        now = self._clock.now()
        with self._lock:
            return not any(timer.is_running or timer.next <= now for timer in self._timers)

    def stop(self) -> None:
        """Forget those that run: the next start finds their occurrence missed."""
        self._gate.close()

    def _resume(self, database: sqlite3.Connection, timer: _Timer, now: datetime) -> None:
        row = database.execute(
            "SELECT last, next FROM function_timers WHERE name = ? AND schedule = ?",
            (timer.function.name, timer.text),
        ).fetchone()
        timer.next = timer.schedule.next_after(now)
        if row is not None and self._is_monitored(timer, now):
            timer.last = moment(row[0]) if row[0] else None
            timer.next = moment(row[1])
            timer.was_missed = timer.next < now
        if timer.function.trigger.run_on_startup:
            timer.next = min(timer.next, now)
        self._save(database, timer)

    def _is_monitored(self, timer: _Timer, now: datetime) -> bool:
        first = timer.schedule.next_after(now)
        is_frequent = timer.schedule.next_after(first) - first < SHORTEST_MONITORED
        return timer.function.trigger.use_monitor is not False and not is_frequent

    def _run(self, timer: _Timer, now: datetime) -> None:
        past_due = timer.was_missed or self._is_late(now - timer.next)
        timer.was_missed = False
        request = TimerRequest(
            past_due=past_due,
            schedule={"AdjustForDST": True},
            schedule_status={
                "Last": timestamp(timer.last or now),
                "Next": timestamp(timer.next),
                "LastUpdated": timestamp(timer.last or now),
            },
        )
        log.info(
            "timer %s: due %s%s",
            timer.function.name,
            timer.next.isoformat(),
            ", past due" if past_due else "",
        )
        future = self._invoker.submit(timer.function, request)
        future.add_done_callback(lambda done: self._finish(timer, done))

    def _is_late(self, by: timedelta) -> bool:
        """More than a second of wall time; of virtual time where the clock stands still."""
        wall = self._clock.seconds_until(self._clock.now() + by)
        return by > LATE if wall is None else wall > LATE.total_seconds()

    def _finish(self, timer: _Timer, done: Future[Any]) -> None:
        """Note the run and the next occurrence; a run that failed is not repeated, as in Azure."""
        with self._gate.passing() as is_open:
            if is_open and not done.cancelled():
                self._note(timer, done.exception())
        with self._lock:
            timer.is_running = False
        self._wake()

    def _note(self, timer: _Timer, error: BaseException | None) -> None:
        if error is not None:
            log.error(
                "timer %s failed: %s: %s", timer.function.name, type(error).__name__, error, exc_info=error
            )
        now = self._clock.now()
        with self._lock:
            timer.last, timer.next = now, timer.schedule.next_after(max(now, timer.next))
        with self._store.transaction() as database:
            self._save(database, timer)

    def _save(self, database: sqlite3.Connection, timer: _Timer) -> None:
        database.execute(
            "INSERT OR REPLACE INTO function_timers (name, schedule, last, next) VALUES (?, ?, ?, ?)",
            (
                timer.function.name,
                timer.text,
                timestamp(timer.last) if timer.last else None,
                timestamp(timer.next),
            ),
        )
