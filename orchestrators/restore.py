"""Brings a restore point back from one location: its disks, or the whole VM.

1. Look at everything that is needed, and plan it; where there are faults, list them all and make nothing.
2. Make all disks, side by side, out of snapshots or page blobs, and wait until all are ready.
3. For a VM: make its network interface, then the VM of the disks, and see that it has each where it belongs.
4. Record what came back, what did not, and what could not be carried over.

A run that was cut off is followed by another one under the same id, which takes up what it finds.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import azure.durable_functions as df

from activities.blob_restores import BlobWork
from activities.restore_preflight import check_restore
from activities.restores import (
    MachineOrder,
    RestoreRecord,
    begin_disk,
    begin_interface,
    begin_machine,
    look_at_disk,
    look_at_interface,
    look_at_machine,
    record_restore,
)
from domain.errors import Refused, StepFailed
from domain.requests import RestoreRequest
from domain.restore_outcomes import Preflight, RestoreOutcome, RestorePlan, refusal
from domain.restored_machines import MachinePlan, RestoredMachine
from domain.restores import DiskPlan, RestoredDisk
from durable import Context, Failed, Outcome, Steps, call, gather, insist, orchestration, poll, wait
from orchestrators.making import PACE, is_settled, make_one
from orchestrators.restore_from_blob import restore_from_blob

blueprint = df.Blueprint()

FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=1)
PATIENCE = timedelta(minutes=5)  # with a location that does not answer; another one may have the point


@orchestration(blueprint)
def restore(context: Context, request: RestoreRequest) -> Steps[RestoreOutcome]:
    """Bring a restore point back into use."""
    try:
        found = yield from check(context, request)
        if found.plan:
            outcome = yield from make(context, request, found.plan)
        else:
            outcome = refusal(found, request.location.name)
    except Exception as failure:  # also what nobody foresaw must end in the books
        outcome = RestoreOutcome(failure=str(failure), may_work_elsewhere=is_passing(failure))
    return (yield from insist(context, record_restore, RestoreRecord(request, outcome)))


def check(context: Context, request: RestoreRequest) -> Steps[Preflight]:
    """Look at what the restore needs; a location that does not answer is asked again for some minutes."""
    pause, until = FIRST_PAUSE, context.current_utc_datetime + PATIENCE
    while True:
        found = yield from call(context, check_restore, request)
        if not found.unreachable or context.current_utc_datetime + pause > until:
            return found
        yield from wait(context, pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def make(context: Context, request: RestoreRequest, plan: RestorePlan) -> Steps[RestoreOutcome]:
    """Make everything that is planned, and say what came of it."""
    latest = yield from make_disks(context, request.operation, plan.disks)
    outcome = replace(of_disks(plan.disks, latest), not_carried=plan.not_carried)
    if outcome.failure or plan.machine is None:
        return outcome
    return (yield from add_machine(context, MachineOrder(request.operation, plan.machine), outcome))


def make_disks(
    context: Context, operation: str, plans: tuple[DiskPlan, ...]
) -> Steps[list[Outcome[RestoredDisk]]]:
    """Make disks out of snapshots, and out of page blobs; mostly a location has one kind."""
    whole = [plan for plan in plans if plan.blob is None]
    begun = yield from gather(context, begin_disk, whole)
    made = yield from poll(context, look_at_disk, whole, known=begun, until=is_settled, pace=PACE)
    held = [BlobWork(operation, plan) for plan in plans if plan.blob]
    made += yield from gather(context, restore_from_blob, held, repeats=False)
    by_id = dict(zip([plan.id for plan in (*whole, *(work.plan for work in held))], made, strict=True))
    return [by_id[plan.id] for plan in plans]


def add_machine(context: Context, order: MachineOrder, outcome: RestoreOutcome) -> Steps[RestoreOutcome]:
    """Make the network interface and the VM; what was made before it stays in the outcome if that fails."""
    try:
        interface = yield from make_one(
            context, begin_interface, look_at_interface, order, "network interface"
        )
        outcome = replace(outcome, interface=interface)
        machine = yield from make_one(context, begin_machine, look_at_machine, order, "VM")
    except (StepFailed, Refused) as failure:
        reason = f"{failure}; what was made before it is left as it is"
        return replace(outcome, failure=reason, may_work_elsewhere=is_passing(failure))
    return replace(outcome, machine=machine, failure=difference(machine, order.plan))


def of_disks(plans: tuple[DiskPlan, ...], latest: list[Outcome[RestoredDisk]]) -> RestoreOutcome:
    """Say which disks came back, and of each other one why it did not."""
    ready = tuple(disk.value for disk in latest if not isinstance(disk, Failed) and disk.value.is_ready)
    reasons = [
        f"disk '{plan.source_disk}': {reason_of(disk)}{left_of(plan)}"
        for plan, disk in zip(plans, latest, strict=True)
        if isinstance(disk, Failed) or not disk.value.is_ready
    ]
    passing = any(isinstance(disk, Failed) and disk.is_transient for disk in latest)
    return RestoreOutcome(ready, failure="; ".join(reasons) or None, may_work_elsewhere=passing)


def reason_of(disk: Outcome[RestoredDisk]) -> str:
    """Say why a disk is not back."""
    return disk.message if isinstance(disk, Failed) else disk.value.found


def left_of(plan: DiskPlan) -> str:
    """Say what may be there of a disk that did not come back out of a page blob."""
    if plan.blob is None:
        return ""
    if plan.blob.is_imported:
        return f"; if there is a disk {plan.id}, remove it"
    return f"; if there is a disk {plan.id}, it is not whole: remove it"


def difference(machine: RestoredMachine, plan: MachinePlan) -> str | None:
    """Say in what a VM is not as it was planned, if it is not."""
    found = machine.differences(plan)
    return f"VM {machine.id} is there, but {'; '.join(found)}" if found else None


def is_passing(failure: Exception) -> bool:
    """Whether something failed that may not fail elsewhere, or later."""
    return isinstance(failure, StepFailed) and failure.is_transient
