"""Takes one restore point of one VM.

1. Describe the VM and write the point into the catalogue, with the planned name of every snapshot.
2. Begin a snapshot of every disk, side by side, and wait until all are usable.
3. Record the point: available if every disk has a usable snapshot, else failed with a reason per disk. Where
   the disks were taken too far apart, take all of them once more.
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
from domain.requests import BackupRequest, Start
from domain.restore_points import ProtectedDisk, RestorePoint
from durable import (
    Context,
    Failed,
    Outcome,
    Pace,
    Steps,
    call,
    gather,
    insist,
    orchestration,
    poll,
    to_wire,
)

blueprint = df.Blueprint()

# Disks with a background copy take longest: hours for a whole one.
PACE = Pace(first=timedelta(seconds=5), longest=timedelta(minutes=10), within=timedelta(hours=10))


@orchestration(blueprint)
def backup_vm(context: Context, request: BackupRequest) -> Steps[RestorePoint | None]:
    """Take one restore point of one VM, and send it on its way to the recovery locations."""
    try:
        point = yield from take(context, request)
    except Exception as failure:  # also what nobody foresaw must end in the books
        if isinstance(failure, StepFailed) and failure.code == Busy.code:
            return None  # the slot waits: the watch over the fleet begins it again while it is the newest
        lost = BackupFailure(request, f"{type(failure).__name__}: {failure}")
        return (yield from insist(context, record_backup_failure, lost))
    if point.is_available:
        yield from send(context, request, point)
    return point


def take(context: Context, request: BackupRequest) -> Steps[RestorePoint]:
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
    looks = yield from poll(
        context, look_at_snapshot, point.disks, known=begun, until=lambda part: part.is_settled, pace=PACE
    )
    parts = [part_after(*pair) for pair in zip(point.disks, looks, strict=True)]
    return (yield from record(context, request, point.decided_by(parts, context.current_utc_datetime)))


def record(context: Context, request: BackupRequest, point: RestorePoint) -> Steps[RestorePoint]:
    """Record what became of the point; take all disks once more if they were taken too far apart."""
    home, max_skew = request.policy.home, request.policy.max_skew
    if request.is_retake or not point.is_skewed(max_skew):
        return (yield from insist(context, record_restore_point, PointRecord(point, home)))

    skewed = PointRecord(point.retaken(max_skew, context.current_utc_datetime), home, is_retaken=True)
    point = yield from insist(context, record_restore_point, skewed)
    again = Start("backup_vm", request.retake.instance, to_wire(request.retake))
    yield from insist(context, start_orchestrations, Starts((again,)))
    return point


def send(context: Context, request: BackupRequest, point: RestorePoint) -> Steps[None]:
    """Queue the copies of the point and see that the queues are worked."""
    if request.policy.recovery:
        order = CopyOrder(point, request.policy.recovery, request.policy.backlog)
        queues = yield from insist(context, queue_copies, order)
        workers = tuple(copy_worker(queue) for queue in queues)
        yield from insist(context, start_orchestrations, Starts(workers))


def part_after(part: ProtectedDisk, outcome: Outcome[ProtectedDisk]) -> ProtectedDisk:
    """Take in what the steps on one disk came to."""
    if isinstance(outcome, Failed):
        return replace(part, failure=outcome.message)
    return outcome.value
