"""Prunes one VM.

1. Mark: let expire what no rule keeps, keep again what one does.
2. Delete the replicas whose grace is over, and what failed attempts have left; look until it is gone.
3. Forget the points of which nothing is left, and tell what could not be deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

import azure.durable_functions as df

from activities.deleting import Deletion
from activities.leftovers import PointName, delete_leftovers
from activities.retention import (
    PruneFailures,
    PruneRequest,
    delete_replica,
    forget_points,
    mark_replicas,
    report_prune_failures,
)
from durable import MOST_CHILDREN, Context, Failed, Pace, Steps, call, gather, orchestration, poll

blueprint = df.Blueprint()

Request = TypeVar("Request")

# Azure deletes within seconds. What is there after that is looked at in the next hour.
PACE = Pace(first=timedelta(seconds=15), longest=timedelta(minutes=2), within=timedelta(minutes=10))


@orchestration(blueprint)
def prune_vm(context: Context, request: PruneRequest) -> Steps[int]:
    """Prune one VM; return how many restore points were forgotten."""
    plan = yield from call(context, mark_replicas, request)
    refusals = yield from delete_all(context, delete_replica, plan.delete)
    refusals += yield from delete_all(context, delete_leftovers, [PointName(point) for point in plan.clean])
    if refusals:
        yield from call(context, report_prune_failures, PruneFailures(request.vm, tuple(refusals)))
    return (yield from call(context, forget_points, request))


def delete_all(
    context: Context, delete: Callable[[Request], Deletion], requests: Sequence[Request]
) -> Steps[list[str]]:
    """Delete things side by side, and look until they are gone; return what was refused.

    As many as may run at once; the rest is left to the next hour.
    """
    some = list(requests[:MOST_CHILDREN])
    begun = yield from gather(context, delete, some)
    ended = yield from poll(context, delete, some, known=begun, until=is_over, pace=PACE)
    refusals = [
        reason
        for deletion in ended
        for reason in ([deletion.message] if isinstance(deletion, Failed) else deletion.value.refusals)
    ]
    return list(dict.fromkeys(refusals))


def is_over(deletion: Deletion) -> bool:
    """Whether there is nothing more to look at now."""
    return deletion.is_over
