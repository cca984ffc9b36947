"""Keeps watch over the fleet, every few minutes. Awaits nothing but activities, and ends in seconds.

1. Start what was accepted and never started, and see that open copy queues are worked.
2. Start the backups that are due, in pages.
"""

from __future__ import annotations

from datetime import timedelta

import azure.durable_functions as df

from activities.fleet import Days, Watch, find_due_backups, find_open_queues, settle_accepted_operations
from activities.starting import Starts, start_orchestrations
from domain.requests import Start
from durable import Context, Steps, call, orchestration, to_wire

blueprint = df.Blueprint()

PAGE = 100


@orchestration(blueprint)
def backup_fleet(context: Context, watch: Watch) -> Steps[int]:
    """Start every backup that is due, and what a crash has left lying; return how many were due."""
    # What is under way comes first: it must go on also when the fleet cannot be listed.
    today = context.current_utc_datetime
    days = Days(tuple(f"{day:%Y%m%d}" for day in (today, today - timedelta(days=1))))
    yield from start(context, (yield from call(context, settle_accepted_operations, days)))

    queues = yield from call(context, find_open_queues, watch)
    workers = [Start("replicate_disk", queue.instance, to_wire(queue), may_follow=True) for queue in queues]
    yield from start(context, workers)

    due = yield from call(context, find_due_backups, watch)
    backups = [Start("backup_vm", request.instance, to_wire(request), may_follow=True) for request in due]
    yield from start(context, backups)
    return len(due)


def start(context: Context, starts: list[Start]) -> Steps[None]:
    """Start orchestrations, page by page."""
    for first in range(0, len(starts), PAGE):
        yield from call(context, start_orchestrations, Starts(tuple(starts[first : first + PAGE])))
