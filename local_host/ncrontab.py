"""Schedules of timer triggers: NCRONTAB with seconds, or a TimeSpan.

    {second} {minute} {hour} {day} {month} {day of week}     5 fields: without the second
    "0 */5 * * * *"     every five minutes          "0 30 9 * * Mon-Fri"     9:30 on working days
    "00:10:00"          ten minutes after the last run

Day and day of week must both hold, unlike in Unix cron. Names are English, in any case, at least three
letters; Sunday is 0. As in .NET, a TimeSpan whose hours are 24 or more counts days: "24:00:00" is 24 days.
All in UTC. Ranges that run backwards (Fri-Mon) and the signs ? L W # are refused (our own choice for the
first).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, Protocol

MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
YEARS_AHEAD = 8
"""29 February may be 8 years away."""


class ScheduleError(ValueError):
    """A schedule that cannot be read, or never comes."""


class Schedule(Protocol):
    """When a timer runs."""

    def next_after(self, moment: datetime) -> datetime:
        """The first occurrence strictly after `moment`, UTC."""
        ...


def parse_schedule(text: str) -> Schedule:
    """Read a schedule. Raises ScheduleError naming the field that is wrong."""
    if ":" in text:
        return Interval(_time_span(text))
    fields = text.split()
    if len(fields) == 5:
        fields.insert(0, "0")
    if len(fields) != 6:
        raise ScheduleError(
            f"'{text}' is no schedule: NCRONTAB has 6 fields (second minute hour day month day-of-week) or "
            f"5 without the second; found {len(fields)}."
        )
    return Crontab(
        *(frozenset(_values(text, field, kind)) for field, kind in zip(fields, _FIELDS, strict=True))
    )


@dataclass(frozen=True)
class Interval:
    """Every so often, counted from the last run."""

    every: timedelta

    def next_after(self, moment: datetime) -> datetime:
        return moment + self.every


@dataclass(frozen=True)
class Crontab:
    """The values that each field allows."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def next_after(self, moment: datetime) -> datetime:
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        day, earliest = start.date(), start.time()
        last = day.replace(year=day.year + YEARS_AHEAD, day=1)
        while day <= last:
            found = self._first_time(earliest) if self._allows(day) else None
            if found is not None:
                return datetime.combine(day, found, UTC)
            day, earliest = day + timedelta(days=1), time()
        raise ScheduleError(f"The schedule has no occurrence within {YEARS_AHEAD} years after {moment}.")

    def _allows(self, day: date) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def _first_time(self, earliest: time) -> time | None:
        """The first time of day that is allowed and not before `earliest`."""
        for hour in sorted(h for h in self.hours if h >= earliest.hour):
            from_minute = earliest.minute if hour == earliest.hour else 0
            for minute in sorted(m for m in self.minutes if m >= from_minute):
                same = (hour, minute) == (earliest.hour, earliest.minute)
                seconds = [s for s in self.seconds if s >= (earliest.second if same else 0)]
                if seconds:
                    return time(hour, minute, min(seconds))
        return None


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    words: Mapping[str, int] = {}


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, {name: number for number, name in enumerate(MONTHS, 1)}),
    _Field("day of week", 0, 6, {name: number for number, name in enumerate(DAYS)}),
)
_PART = re.compile(r"(\*|(\w+)(?:-(\w+))?)(?:/(\d+))?")


def _values(schedule: str, text: str, field: _Field) -> set[int]:
    """All values that one field names: a list of values, ranges and steps."""
    values: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ScheduleError(f"'{schedule}': '{part}' is no value, range or step of the {field.name}.")
        values.update(_range(schedule, match, field))
    return values


def _range(schedule: str, match: re.Match[str], field: _Field) -> range:
    everything, first, last, step = match.group(1) == "*", match.group(2), match.group(3), match.group(4)
    low = field.low if everything else _number(schedule, first, field)
    open_end = field.high if everything or step else low
    high = open_end if last is None else _number(schedule, last, field)
    if low > high or (step is not None and int(step) == 0):
        raise ScheduleError(f"'{schedule}': the {field.name} '{match.group(0)}' names nothing.")
    return range(low, high + 1, int(step or 1))


def _number(schedule: str, text: str, field: _Field) -> int:
    if text.isdigit():
        if field.low <= int(text) <= field.high:
            return int(text)
    elif len(text) >= 3:
        for word, number in field.words.items():
            if word.startswith(text.lower()):
                return number
    raise ScheduleError(f"'{schedule}': '{text}' is no {field.name} ({field.low}-{field.high}).")


def _time_span(text: str) -> timedelta:
    match = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d{1,7})?)?", text.strip())
    if match is None:
        raise ScheduleError(f"'{text}' is no TimeSpan: write hh:mm:ss or d.hh:mm:ss.")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    if hours >= 24 and not days:
        days, hours, minutes, seconds = hours, minutes, seconds, 0
    fraction = float(match.group(5) or 0)
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds + fraction)
    if hours >= 24 or minutes >= 60 or seconds >= 60 or not span:
        raise ScheduleError(
            f"'{text}' is no TimeSpan that a timer can have: hours to 23, minutes and seconds to 59."
        )
    return span
