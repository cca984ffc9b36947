"""Keeps watch over the fleet, every few minutes. Awaits nothing but activities, and ends in seconds.

1. Sweep: end the points that nobody takes any more, start what was accepted and never started, and see that
   open copy queues are worked.
2. Look at each scope, a subscription or a resource group, and start the backups that are due, in pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

import azure.durable_functions as df

from activities.copies import queue_copies
from activities.fleet import (
    DuePage,
    Look,
    LookReport,
    Watch,
    end_look,
    find_due_backups,
    start_backups,
)
from activities.restore_points import record_lost_point
from activities.starting import Starts, start_orchestrations
from activities.sweeping import Sweep, find_unattended
from domain.errors import StepFailed
from domain.fleet import DueBackup
from durable import Context, Failed, Steps, call, gather, orchestration

blueprint = df.Blueprint()

Item = TypeVar("Item")

PAGE = 100
DAYS_OF_OPERATIONS = 3


@orchestration(blueprint)
def backup_fleet(context: Context, watch: Watch) -> Steps[int]:
    """Sweep, and start every backup that is due; return how many were due."""
    # What is under way comes first: it must go on also when the fleet cannot be listed.
    trouble = yield from swept(context)

    due: list[DueBackup] = []
    failures = []
    for some in pages(watch.scopes):
        # The next look comes in minutes: one that does not answer must not hold the others up till then.
        looks = yield from gather(context, find_due_backups, [Look(scope) for scope in some], repeats=False)
        failures += [look.message for look in looks if isinstance(look, Failed)]
        due += [backup for look in looks if not isinstance(look, Failed) for backup in look.value]
    for page in pages(due):
        yield from call(context, start_backups, DuePage(tuple(page)))
    if trouble:
        raise trouble  # and no heartbeat, which is heard of
    return (yield from call(context, end_look, LookReport(len(due), tuple(failures))))


def swept(context: Context) -> Steps[StepFailed | None]:
    """Sweep; return what went wrong. That keeps no due backup from being begun: it may be a single row."""
    try:
        yield from sweep(context)
    except StepFailed as failure:
        return failure
    return None


def sweep(context: Context) -> Steps[None]:
    """End what nobody takes any more, and see that the rest is worked on."""
    today = context.current_utc_datetime
    days = (today - timedelta(days=age) for age in range(DAYS_OF_OPERATIONS))
    found = yield from call(context, find_unattended, Sweep(tuple(f"{day:%Y%m%d}" for day in days)))
    for lost in pages(found.lost):
        yield from gather(context, record_lost_point, lost)
    for unsent in pages(found.unsent):
        yield from gather(context, queue_copies, unsent)  # the next look sees that the queues are worked
    for starts in pages(found.starts):
        yield from call(context, start_orchestrations, Starts(tuple(starts)))


def pages(items: Sequence[Item]) -> list[Sequence[Item]]:
    """Cut a list into pages of 100."""
    return [items[first : first + PAGE] for first in range(0, len(items), PAGE)]
