"""When backups are due: a cron expression in an IANA time zone.

Daylight saving follows Debian's cron, as `cronsim` implements it: a time that the clocks skip runs right
after the gap, a time that they repeat runs once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from domain.errors import Fault

SHORTEST_INTERVAL = timedelta(minutes=15)  # below that is continuous replication's ground
_START = datetime(2026, 1, 1, tzinfo=UTC)  # any moment would do to look at an expression from


@dataclass(frozen=True)
class Schedule:
    """A cron expression (minute, hour, day, month, weekday) and the time zone that it is read in."""

    cron: str
    time_zone: str = "UTC"

    def faults(self) -> Iterator[Fault]:
        """Say what is wrong with the schedule, each fault at its field."""
        readable = self
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, such as Europe
            found = f"{self.time_zone!r} is not an IANA time zone; one looks like Europe/Berlin"
            yield Fault("time_zone", found)
            readable = replace(self, time_zone="UTC")
        if wrong := readable._fault_of_cron():
            yield Fault("cron", wrong)

    def _fault_of_cron(self) -> str | None:
        if len(self.cron.split()) != 5:  # the library also takes seconds, which a slot has none of
            return (
                f"{self.cron!r} has not five fields (minute hour day month weekday); daily at two: 0 2 * * *"
            )
        try:
            if next(self._slots_after(_START), None) is None:
                return f"{self.cron!r} never comes; daily at two: 0 2 * * *"
            shortest = self._shortest_interval()
        except CronSimError as wrong:
            return f"{self.cron!r} is not a cron expression ({wrong}); daily at two: 0 2 * * *"
        if shortest < SHORTEST_INTERVAL:
            return (
                f"{self.cron!r} asks for backups {_minutes(shortest)} apart; the least is "
                f"{_minutes(SHORTEST_INTERVAL)}"
            )
        return None

    def _shortest_interval(self) -> timedelta:
        """Return the shortest time between two slots, daylight saving aside.

        The fields tell it without a look at any slot, which every policy of the file would cost at every cold
        start. Only of slots that are close across midnight must be seen whether both their days are due.
        """
        fields = CronSim(self.cron, _START)
        times = [
            _START.replace(hour=hour, minute=minute)
            for hour in sorted(fields.hours)
            for minute in sorted(fields.minutes)
        ]
        next_day = times[0] + timedelta(days=1)
        if next_day - times[-1] < SHORTEST_INTERVAL:
            return _shortest(islice(self._slots_after(_START), 200))
        return _shortest([*times, next_day])

    def newest_due(self, after: datetime, now: datetime) -> datetime | None:
        """Return the newest slot later than `after` and not later than `now`, or None if none is due."""
        slot = self.previous(now)
        return slot if slot is not None and slot > after else None

    def missed(self, after: datetime, slot: datetime) -> list[datetime]:
        """Return the slots strictly between `after` and `slot`, oldest first: those that nobody took."""
        return list(takewhile(lambda moment: moment < slot, self._slots_after(after)))

    def previous(self, now: datetime) -> datetime | None:
        """Return the newest slot that is not later than `now`."""
        earlier = now.astimezone(ZoneInfo(self.time_zone)) + timedelta(minutes=1)
        candidates = islice(CronSim(self.cron, earlier, reverse=True), 2)
        start = min((moment.astimezone(UTC) for moment in candidates), default=None)
        if start is None:
            return None
        # Backwards, the library leaves out a slot that daylight saving has moved; forwards it does not.
        slots = self._slots_after(start - timedelta(minutes=1))
        return max(takewhile(lambda slot: slot <= now, slots), default=None)

    def next(self, now: datetime) -> datetime:
        """Return the first slot later than `now`."""
        return next(self._slots_after(now))

    def _slots_after(self, moment: datetime) -> Iterator[datetime]:
        local = moment.astimezone(ZoneInfo(self.time_zone))
        return (slot.astimezone(UTC) for slot in CronSim(self.cron, local) if slot.astimezone(UTC) > moment)


def _shortest(moments: Iterable[datetime]) -> timedelta:
    return min((later - earlier for earlier, later in pairwise(moments)), default=timedelta.max)


def _minutes(span: timedelta) -> str:
    count = span // timedelta(minutes=1)
    return f"{count} minute{'' if count == 1 else 's'}"
