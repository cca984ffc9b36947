"""Schedules: when backups are due, also on the two days of a year on which clocks are changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.schedule import Schedule

MINUTE = timedelta(minutes=1)
# Days on which clocks are changed. Lord Howe changes by half an hour, Kolkata never.
CHANGES = {
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
    "America/Santiago": (date(2026, 4, 5), date(2026, 9, 6)),  # at midnight
    "Asia/Kolkata": (date(2026, 3, 29), date(2026, 10, 25)),
    "UTC": (date(2026, 3, 29), date(2026, 10, 25)),
}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Fields:
    """A cron expression by its parts, so that its moments can be found by looking at every minute."""

    minutes: frozenset[int]
    hours: frozenset[int] | None  # None: every hour
    weekdays: frozenset[int] | None  # None: every day; 0 is Sunday

    @property
    def cron(self) -> str:
        return f"{_listed(self.minutes)} {_listed(self.hours)} * * {_listed(self.weekdays)}"

    def matches_day(self, day: date) -> bool:
        return self.weekdays is None or day.isoweekday() % 7 in self.weekdays

    def moments(self, zone: ZoneInfo, middle: date) -> list[datetime]:
        """All moments within six days of `middle`, in order."""
        days = [middle + timedelta(days=offset) for offset in range(-6, 7)]
        found = self._hourly(zone, days) if self.hours is None else self._at_fixed_times(zone, days)
        return sorted(set(found))

    def _hourly(self, zone: ZoneInfo, days: list[date]) -> list[datetime]:
        """Of jobs that run every hour, daylight saving takes none away: wall time decides at every minute."""
        start = datetime.combine(days[0], time(), UTC)
        minutes = [start + number * MINUTE for number in range(len(days) * 24 * 60)]
        return [
            moment
            for moment, local in ((each, each.astimezone(zone)) for each in minutes)
            if local.minute in self.minutes and self.matches_day(local.date())
        ]

    def _at_fixed_times(self, zone: ZoneInfo, days: list[date]) -> list[datetime]:
        """What is skipped comes right after the gap, what is repeated comes the first time."""
        walls = [
            datetime.combine(day, time(hour, minute))
            for day in days
            if self.matches_day(day)
            for hour in self.hours or ()
            for minute in self.minutes
        ]
        return [_first_real(wall, zone) for wall in walls]


def _listed(values: frozenset[int] | None) -> str:
    return "*" if values is None else ",".join(map(str, sorted(values)))


def _first_real(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment at which clocks show `wall`, or the end of the gap that skips it."""
    while (moment := wall.replace(tzinfo=zone, fold=0).astimezone(UTC)).astimezone(zone).replace(
        tzinfo=None
    ) != wall:
        wall += MINUTE
    return moment


fields = st.builds(
    Fields,
    st.sampled_from([{0}, {30}, {0, 30}, {0, 15, 30, 45}, {17}, {59}]).map(frozenset),
    st.none() | st.sets(st.integers(0, 4) | st.integers(0, 23), min_size=1, max_size=4).map(frozenset),
    st.none() | st.sets(st.integers(0, 6), min_size=1, max_size=6).map(frozenset),
)


@st.composite
def days_of_change(draw):
    """A schedule, all its moments around a change of clocks, and a moment near it."""
    zone, changes = draw(st.sampled_from(list(CHANGES.items())))
    middle, parts = draw(st.sampled_from(changes)), draw(fields)
    # Where half an hour is repeated, the library takes what comes every hour in it once: see below.
    assume(zone != "Australia/Lord_Howe" or parts.hours is not None)
    near = datetime.combine(middle, time(), UTC) + timedelta(
        minutes=draw(st.integers(-24 * 60, 2 * 24 * 60)), seconds=draw(st.sampled_from([0, 0, 1, 59]))
    )
    return Schedule(parts.cron, zone), parts.moments(ZoneInfo(zone), middle), near


@given(days_of_change())
def test_previous_and_next_agree_with_looking_at_every_minute(case):
    schedule, moments, now = case
    assert schedule.previous(now) == max((each for each in moments if each <= now), default=None) or (
        moments[0] > now  # the one before lies outside of the days looked at
    )
    later = min((each for each in moments if each > now), default=None)
    assert later is None or schedule.next(now) == later


@given(days_of_change(), st.integers(0, 3 * 24 * 60))
def test_newest_due_and_missed_agree_with_looking_at_every_minute(case, minutes):
    schedule, moments, now = case
    after = now - timedelta(minutes=minutes)
    due = [each for each in moments if after < each <= now]
    assert schedule.newest_due(after, now) == (due[-1] if due else None)
    if due:
        assert schedule.missed(after, due[-1]) == due[:-1]


@settings(max_examples=20)
@given(days_of_change())
def test_walking_from_slot_to_slot_leaves_none_out_and_takes_none_twice(case):
    schedule, moments, _ = case
    walked = [each for each in moments[:1]]
    while walked and walked[-1] < moments[-1]:
        walked.append(schedule.next(walked[-1]))
    assert walked == moments
    assert all(schedule.previous(each) == each for each in moments)


@pytest.mark.parametrize(
    ("cron", "zone", "now", "previous", "following"),
    [
        # An ordinary night: Berlin is an hour ahead in winter, two in summer.
        ("0 2 * * *", "Europe/Berlin", "2026-01-15T12:00", "2026-01-15T01:00", "2026-01-16T01:00"),
        ("0 2 * * *", "Europe/Berlin", "2026-07-15T12:00", "2026-07-15T00:00", "2026-07-16T00:00"),
        # The slot's own moment counts as due; a second before it does not.
        ("0 2 * * *", "UTC", "2026-01-15T02:00", "2026-01-15T02:00", "2026-01-16T02:00"),
        ("0 2 * * *", "UTC", "2026-01-15T01:59:59", "2026-01-14T02:00", "2026-01-15T02:00"),
        # 02:30 does not exist on 29 March: it comes at 03:00, when the gap ends.
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T12:00", "2026-03-29T01:00", "2026-03-30T00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T00:59", "2026-03-28T01:30", "2026-03-29T01:00"),
        # 02:30 comes twice on 25 October, at 00:30 and 01:30 UTC: it runs the first time only.
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T01:45", "2026-10-25T00:30", "2026-10-26T01:30"),
        # Every hour means every hour, also in the night that has two of one.
        ("0 * * * *", "Europe/Berlin", "2026-10-25T01:10", "2026-10-25T01:00", "2026-10-25T02:00"),
        ("0 * * * *", "Europe/Berlin", "2026-10-25T00:10", "2026-10-25T00:00", "2026-10-25T01:00"),
        # Lord Howe repeats half an hour only, from 15:00 UTC on: 01:30 comes the first time only.
        ("30 * * * *", "Australia/Lord_Howe", "2026-04-04T15:10", "2026-04-04T14:30", "2026-04-04T16:00"),
        # Seldom is fine: the last day of February in leap years.
        ("0 0 29 2 *", "UTC", "2026-06-01T00:00", "2024-02-29T00:00", "2028-02-29T00:00"),
        # Friday evening is the newest slot all weekend.
        ("0 20 * * 1-5", "UTC", "2026-11-22T12:00", "2026-11-20T20:00", "2026-11-23T20:00"),
    ],
)
def test_slots_come_when_people_expect_them(cron, zone, now, previous, following):
    schedule = Schedule(cron, zone)
    assert schedule.previous(utc(now)) == utc(previous)
    assert schedule.next(utc(now)) == utc(following)


def test_of_several_missed_slots_the_newest_is_due_and_the_others_are_known():
    schedule = Schedule("0 2 * * *")
    after, now = utc("2026-11-18T02:00"), utc("2026-11-22T09:00")
    due = schedule.newest_due(after, now)
    assert due == utc("2026-11-22T02:00")
    assert schedule.missed(after, due) == [utc(f"2026-11-{day}T02:00") for day in (19, 20, 21)]


def test_a_slot_that_was_taken_is_not_due_again():
    schedule = Schedule("0 2 * * *")
    slot = utc("2026-11-22T02:00")
    assert schedule.newest_due(after=slot, now=slot + timedelta(hours=23)) is None
    assert schedule.newest_due(after=slot, now=slot + timedelta(hours=24)) == slot + timedelta(hours=24)


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        (Schedule("0 2 * * *", "Europe/Berlin"), None),
        (Schedule("*/15 * * * *", "America/New_York"), None),  # the least there is
        (Schedule("0 0 29 2 *"), None),
        (Schedule("0 2 * * *", "Berlin"), "'Berlin' is not an IANA time zone"),
        (Schedule("0 2 * * *", ""), "is not an IANA time zone"),
        (Schedule("0 2 * * *", "Europe"), "is not an IANA time zone"),  # a folder of zones
        (Schedule("0 2 * * *", "../Europe/Berlin"), "is not an IANA time zone"),
        (Schedule("daily"), "'daily' has not five fields"),
        (Schedule(""), "has not five fields"),
        (Schedule("30 0 2 * * *"), "has not five fields"),  # seconds: a slot is a minute
        (Schedule("0 25 * * *"), "'0 25 .*' is not a cron expression .*hour"),
        (Schedule("0 2 30 2 *"), "is not a cron expression|never comes"),
        (Schedule("*/5 * * * *"), r"'\*/5 .*' asks for backups 5 minutes apart; the least is 15 minutes$"),
        (Schedule("* * * * *"), "asks for backups 1 minute apart"),
        (Schedule("0,10 3 * * *"), "asks for backups 10 minutes apart"),
        (Schedule("50 3,4 1 1 *"), None),
        (Schedule("0,55 3,4 1 1 *"), "asks for backups 5 minutes apart"),  # across the hour
        (Schedule("0,59 0,23 * * 1"), None),  # close across midnight, but no two days in a row are due
        (Schedule("0,59 0,23 * * 1,2"), "asks for backups 1 minute apart"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_said(schedule, problem):
    told = list(schedule.faults())
    assert len(told) == (0 if problem is None else 1)
    for fault in told:
        assert fault.field == ("time_zone" if "time zone" in problem else "cron")
        assert re.search(problem, fault.message)


def test_a_cron_expression_is_looked_at_although_its_time_zone_is_not_known():
    told = {fault.field: fault.message for fault in Schedule("* * * * *", "Berlin").faults()}
    assert list(told) == ["time_zone", "cron"]
    assert "1 minute apart" in told["cron"]
