"""Takes one restore point of one VM.

1. Describe the VM and write the point into the catalogue, with the planned name of every snapshot.
2. Begin a snapshot of every disk, side by side, and wait until all are usable.
3. Record the point: available if every disk has a usable snapshot, else failed with a reason per disk.
4. Queue a copy of every disk to every recovery location, and see that the queues are worked.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import azure.durable_functions as df

from activities.copies import CopyOrder, queue_copies
from activities.restore_points import (
    BackupFailure,
    PointRecord,
    SnapshotRequest,
    VmQuery,
    begin_restore_point,
    begin_snapshot,
    describe_vm,
    look_at_snapshot,
    record_backup_failure,
    record_restore_point,
)
from activities.starting import Starts, copy_worker, start_orchestrations
from domain.errors import Busy, StepFailed
from domain.requests import BackupRequest
from domain.restore_points import ProtectedDisk, RestorePoint
from durable import Context, Failed, Outcome, Steps, call, gather, insist, orchestration, wait

blueprint = df.Blueprint()

FIRST_LOOK = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)
MOST_LOOKS = 50  # about four hours; disks with a background copy take longest


@orchestration(blueprint)
def backup_vm(context: Context, request: BackupRequest) -> Steps[RestorePoint | None]:
    """Take one restore point of one VM, and send it on its way to the recovery locations."""
    try:
        point = yield from taken(context, request)
    except Exception as failure:  # also what nobody foresaw must end in the books
        if isinstance(failure, StepFailed) and failure.code == Busy.code:
            return None  # the slot waits: the watch over the fleet begins it again while it is the newest
        lost = BackupFailure(request, f"{type(failure).__name__}: {failure}")
        return (yield from insist(context, record_backup_failure, lost))
    if point.is_available:
        yield from sent(context, request, point)
    return point


def taken(context: Context, request: BackupRequest) -> Steps[RestorePoint]:
    """Take the point in its home location."""
    policy = request.policy
    vm = yield from call(context, describe_vm, VmQuery(request.vm_id))
    now = context.current_utc_datetime
    planned = RestorePoint.begin(vm, policy, request.slot, request.attempt, now, request.operation)
    point = yield from call(context, begin_restore_point, planned)
    if point.is_decided:
        return point  # this slot was taken before

    requests = [SnapshotRequest(point.id, policy.name, vm.name, policy.home, part) for part in point.disks]
    begun = yield from gather(context, begin_snapshot, requests)
    parts = yield from settled(context, [known(*pair) for pair in zip(point.disks, begun, strict=True)])

    point = point.decided_by(parts, context.current_utc_datetime)
    return (yield from insist(context, record_restore_point, PointRecord(point, policy.home)))


def settled(context: Context, parts: list[ProtectedDisk]) -> Steps[list[ProtectedDisk]]:
    """Wait until nothing more will happen to the snapshots of all disks."""
    pause = FIRST_LOOK
    for _ in range(MOST_LOOKS):
        pending = [place for place, part in enumerate(parts) if not part.is_settled]
        if not pending:
            break
        yield from wait(context, pause)
        looks = yield from gather(context, look_at_snapshot, [parts[place] for place in pending])
        for place, look in zip(pending, looks, strict=True):
            parts[place] = known(parts[place], look)
        pause = min(pause * 2, LONGEST_PAUSE)
    return parts


def sent(context: Context, request: BackupRequest, point: RestorePoint) -> Steps[None]:
    """Queue the copies of the point and see that the queues are worked."""
    if request.policy.recovery:
        order = CopyOrder(point, request.policy.recovery, request.policy.backlog)
        queues = yield from insist(context, queue_copies, order)
        workers = tuple(copy_worker(queue) for queue in queues)
        yield from insist(context, start_orchestrations, Starts(workers))


def known(part: ProtectedDisk, outcome: Outcome[ProtectedDisk]) -> ProtectedDisk:
    """Take in what a step on one disk came to."""
    if isinstance(outcome, Failed):
        return replace(part, failure=outcome.message)
    return outcome.value
