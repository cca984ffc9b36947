"""Verifies the newest replica of one disk in one location, as far as is due today.

1. Plan it: what has changed since the last one that was verified, and the sample of the day.
2. Compare it with its source, batch by batch; a copy of the disk goes first.
3. Record that it is equal, or why that is not known.
4. If it is damaged: record and tell that, begin a backup, and look at the replica that is the newest then.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import azure.durable_functions as df

from activities.damage import DamageFound, record_damage
from activities.fleet import DuePage, start_backups
from activities.verifications import (
    VerificationEnd,
    begin_verification,
    record_verification,
    verify_windows,
)
from domain.errors import StepFailed
from domain.names import slot_of
from domain.verifications import Verification, VerificationOrder, VerificationState
from durable import Context, Steps, call, orchestration, restart, wait

blueprint = df.Blueprint()

FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=10)
MOST_BATCHES = 30  # then history begins anew


@orchestration(blueprint)
def verify_replica(context: Context, order: VerificationOrder) -> Steps[str]:
    """Verify the newest replica of a disk in a location; return what it came to."""
    reason = ""
    try:
        begun = order.begun or (yield from call(context, begin_verification, order))
        if begun is None:
            return "nothing to verify"
        order = replace(order, begun=begun)
        order = yield from compare(context, order)
    except StepFailed as failure:
        reason = f"{failure}; it is tried again tomorrow"
    verification = order.begun
    if verification and not reason and verification.is_under_way:
        restart(context, order)
        return verification.state
    if verification and verification.state is VerificationState.DAMAGED:
        yield from repair(context, verification)
        restart(context, VerificationOrder(order.disk, order.location))
        return verification.state
    yield from call(context, record_verification, VerificationEnd(order, reason))
    return VerificationState.UNKNOWN if reason or verification is None else verification.state


def compare(context: Context, order: VerificationOrder) -> Steps[VerificationOrder]:
    """Compare batches until nothing is left, or history is long; wait where something else goes first."""
    pause = FIRST_PAUSE
    for _ in range(MOST_BATCHES):
        if order.begun is None or not order.begun.is_under_way:
            return order
        came: Verification = yield from call(context, verify_windows, order.begun)
        order = replace(order, begun=came)
        if came.is_under_way and came.waits_since:
            yield from wait(context, pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        else:
            pause = FIRST_PAUSE
    return order


def repair(context: Context, verification: Verification) -> Steps[None]:
    """Record that a replica is damaged, and begin a backup so that a whole one follows."""
    slot = slot_of(context.current_utc_datetime)
    due = yield from call(context, record_damage, DamageFound(verification, slot))
    if due:
        yield from call(context, start_backups, DuePage((due,)))
