"""NCRONTAB as Azure's timer triggers read it."""

from datetime import UTC, datetime, timedelta

import pytest

from local_host.ncrontab import ScheduleError, parse_schedule

SUNDAY = "2026-03-01T00:00:00"  # a Sunday

OCCURRENCES = [
    # schedule, after, next: why
    ("0 */5 * * * *", "2026-03-01T00:00:00", "2026-03-01T00:05:00"),  # strictly after
    ("0 */5 * * * *", "2026-03-01T00:04:59.999999", "2026-03-01T00:05:00"),  # fractions are cut
    ("*/5 * * * *", "2026-03-01T00:01:30", "2026-03-01T00:05:00"),  # five fields: second 0
    ("30 0 * * * *", "2026-03-01T00:00:30", "2026-03-01T01:00:30"),
    ("*/2 * * * * *", "2026-03-01T23:59:58", "2026-03-02T00:00:00"),  # over midnight
    ("0 30 9 * * Mon-Fri", SUNDAY, "2026-03-02T09:30:00"),  # names and ranges
    ("0 30 9 * * 1-5", "2026-03-06T09:30:00", "2026-03-09T09:30:00"),  # over the weekend
    ("0 0 0 1 JAN,Jul *", SUNDAY, "2026-07-01T00:00:00"),  # lists and case
    ("0 0 0 1 january *", SUNDAY, "2027-01-01T00:00:00"),  # whole names
    ("0 0 12 13 * FRI", SUNDAY, "2026-03-13T12:00:00"),  # day and weekday must both hold
    ("0 0 12 13 * FRI", "2026-03-13T12:00:00", "2026-11-13T12:00:00"),
    ("0 0 0 31 * *", "2026-04-01T00:00:00", "2026-05-31T00:00:00"),  # months without a 31st
    ("0 0 0 29 2 *", SUNDAY, "2028-02-29T00:00:00"),  # leap years
    ("0 0 0 29 2 *", "2096-03-01T00:00:00", "2104-02-29T00:00:00"),  # 2100 has none
    ("0 10-20/5 8 * * *", "2026-03-01T08:15:00", "2026-03-01T08:20:00"),  # a range with a step
    ("0 50/4 * * * *", SUNDAY, "2026-03-01T00:50:00"),  # from 50 on
    ("0 50/4 * * * *", "2026-03-01T00:54:00", "2026-03-01T00:58:00"),
    ("0 0 0 * * 0", SUNDAY, "2026-03-08T00:00:00"),  # Sunday is 0
    ("0 5,10,5 1,2 * * *", "2026-03-01T01:10:00", "2026-03-01T02:05:00"),
]


@pytest.mark.parametrize(("schedule", "after", "expected"), OCCURRENCES)
def test_the_next_occurrence(schedule, after, expected):
    found = parse_schedule(schedule).next_after(datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("00:10:00", timedelta(minutes=10)),
        ("1.00:00:00", timedelta(days=1)),
        ("02:30", timedelta(hours=2, minutes=30)),
        ("00:00:00.5", timedelta(milliseconds=500)),
        ("24:00:00", timedelta(days=24)),  # .NET counts days from 24 hours on
    ],
)
def test_a_time_span_counts_from_the_last_run(text, span):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    assert parse_schedule(text).next_after(start) == start + span


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ("* * * *", "found 4"),
        ("0 60 * * * *", "'60' is no minute"),
        ("0 0 24 * * *", "'24' is no hour"),
        ("0 0 0 0 * *", "'0' is no day"),
        ("0 0 0 * 13 *", "'13' is no month"),
        ("0 0 0 * * 7", "'7' is no day of week"),
        ("0 0 0 * * FRI-MON", "names nothing"),
        ("0 */0 * * * *", "names nothing"),
        ("0 0 0 ? * *", "no value, range or step of the day"),
        ("0 0 0 * * Mo", "'Mo' is no day of week"),
        ("every minute please", "found 3"),
        ("00:61:00", "no TimeSpan"),
        ("00:00:00", "no TimeSpan"),
    ],
)
def test_a_wrong_schedule_says_what_is_wrong(schedule, problem):
    with pytest.raises(ScheduleError, match=problem):
        parse_schedule(schedule)


def test_a_schedule_that_never_comes_says_so():
    with pytest.raises(ScheduleError, match="no occurrence"):
        parse_schedule("0 0 0 30 2 *").next_after(datetime(2026, 3, 1, tzinfo=UTC))
