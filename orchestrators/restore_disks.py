"""Brings the disks of one restore point back from one location.

1. Read the replica's manifest and plan a disk for each of its snapshots.
2. Begin all disks, side by side, and wait until all are ready.
3. Record what came back, and what did not.
"""

from __future__ import annotations

from datetime import timedelta

import azure.durable_functions as df

from activities.restores import RestoreRecord, begin_disk, look_at_disk, plan_restore, record_restore
from domain.requests import RestoreRequest
from domain.restores import DiskPlan, RestoredDisk, RestoreOutcome
from durable import Context, Failed, Outcome, Steps, call, gather, insist, orchestration, wait

blueprint = df.Blueprint()

FIRST_LOOK = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=1)
MOST_LOOKS = 40


@orchestration(blueprint)
def restore_disks(context: Context, request: RestoreRequest) -> Steps[RestoreOutcome]:
    """Bring the disks of one restore point back into use."""
    try:
        plans = yield from call(context, plan_restore, request)
        outcome = yield from made(context, plans)
    except Exception as failure:  # also what nobody foresaw must end in the books
        outcome = RestoreOutcome(failure=str(failure))
    return (yield from insist(context, record_restore, RestoreRecord(request.operation, outcome)))


def made(context: Context, plans: list[DiskPlan]) -> Steps[RestoreOutcome]:
    """Make all disks, side by side."""
    latest = yield from gather(context, begin_disk, plans)
    pause = FIRST_LOOK
    for _ in range(MOST_LOOKS):
        pending = [place for place, disk in enumerate(latest) if not is_settled(disk)]
        if not pending:
            break
        yield from wait(context, pause)
        looks = yield from gather(context, look_at_disk, [plans[place] for place in pending])
        for place, look in zip(pending, looks, strict=True):
            latest[place] = look
        pause = min(pause * 2, LONGEST_PAUSE)
    return outcome_of(plans, latest)


def is_settled(disk: Outcome[RestoredDisk]) -> bool:
    """Whether nothing more will happen to a disk."""
    return isinstance(disk, Failed) or disk.value.is_ready or disk.value.has_failed


def outcome_of(plans: list[DiskPlan], latest: list[Outcome[RestoredDisk]]) -> RestoreOutcome:
    """Say what came back, and per disk why it did not."""
    ready = tuple(disk.value for disk in latest if not isinstance(disk, Failed) and disk.value.is_ready)
    reasons = [
        f"disk '{plan.source_disk}': {reason_of(disk)}"
        for plan, disk in zip(plans, latest, strict=True)
        if isinstance(disk, Failed) or not disk.value.is_ready
    ]
    return RestoreOutcome(ready, "; ".join(reasons) or None)


def reason_of(disk: Outcome[RestoredDisk]) -> str:
    """Say why a disk is not back."""
    return (
        disk.message if isinstance(disk, Failed) else f"Azure reports it as {disk.value.provisioning_state}"
    )
