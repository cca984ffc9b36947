"""Every step may run twice: after a crash nobody knows whether it has run. Twice must be once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from activities.copies import (
    Claim,
    CopyOrder,
    NextCopy,
    begin_next_copy,
    look_at_copy,
    queue_copies,
)
from activities.fleet import Look, find_due_backups
from activities.restore_points import (
    BackupFailure,
    LostPoint,
    PointRecord,
    SnapshotRequest,
    VmQuery,
    begin_restore_point,
    begin_snapshot,
    describe_vm,
    look_at_snapshot,
    record_backup_failure,
    record_lost_point,
    record_restore_point,
)
from activities.restore_preflight import check_restore
from activities.restores import RestoreRecord, begin_disk, look_at_disk, record_restore
from activities.sweeping import Sweep, find_unattended
from domain.copy_queues import CopyLook
from domain.errors import Busy
from domain.operations import Operation, OperationState
from domain.policy import Scope
from domain.requests import BackupRequest, RestoreRequest
from domain.restore_outcomes import RestoreOutcome
from domain.restore_points import PointState, RestorePoint
from durable import to_wire
from gateways.connection import cloud
from tests.world import START

OPERATION = Operation(
    id="20261122-0123456789abcdef0123", kind="backup", who="a test", asked=START, subject="web",
    orchestrator="backup_vm", instance="backup:web", request={},
)  # fmt: skip


@pytest.fixture
def planned(world):
    """A point that is planned and not begun, of a VM with two disks."""
    vm = describe_vm(VmQuery(world.add_vm("web", {"os": b"system", "data": b"first"})))
    policy = cloud().policies.policies["daily"]
    cloud().catalogue.operations.accept(OPERATION)
    return RestorePoint.begin(vm, policy, START, 1, START, OPERATION.id)


@pytest.fixture
def available(world, planned):
    """The same point with its snapshots taken and recorded."""
    return record(world, taken(world, begin_restore_point(planned)))


def taken(world, point):
    home = cloud().policies.locations["west"]
    requests = [SnapshotRequest(point.id, point.policy, point.vm.name, home, part) for part in point.disks]
    for request in requests:
        begin_snapshot(request)
    world.clock.advance(timedelta(seconds=10))
    return point.decided_by([look_at_snapshot(part) for part in point.disks], world.clock.now())


class NobodyAtWork:
    """A durable client of a host that runs nothing."""

    async def get_status(self, instance_id):
        return None


def unattended():
    async def find():
        return await find_unattended(Sweep(("20261122",)), NobodyAtWork())

    return asyncio.run(find())


def record(world, point):
    return record_restore_point(PointRecord(point, cloud().policies.locations["west"]))


def test_a_point_is_begun_once_and_a_decided_one_comes_back_as_it_was_decided(world, planned):
    first = begin_restore_point(planned)
    assert begin_restore_point(planned) == first
    decided = record(world, taken(world, first))
    assert begin_restore_point(planned).state == decided.state == PointState.AVAILABLE


def test_two_backups_of_a_vm_cannot_overlap_and_the_second_says_so(world, planned):
    begin_restore_point(planned)
    other = replace(OPERATION, id="20261122-ffffffffffffffffffff")
    cloud().catalogue.operations.accept(other)
    second = replace(planned, slot=START + timedelta(minutes=1), operation=other.id)

    with pytest.raises(Busy, match="is being taken"):
        begin_restore_point(second)

    assert cloud().catalogue.restore_points.find(second.id) is None
    assert "is being taken" in cloud().catalogue.operations.find(other.id).failure
    record(world, taken(world, planned))
    assert begin_restore_point(replace(second, operation=None)).id == second.id


def test_a_point_that_nobody_takes_any_more_fails_and_frees_its_vm(world, planned):
    begin_restore_point(planned)
    for _ in range(2):
        record_lost_point(LostPoint(planned.vm.key, planned.id))

    assert cloud().catalogue.restore_points.find(planned.id).state is PointState.FAILED
    assert cloud().catalogue.operations.find(OPERATION.id).state is OperationState.FAILED
    assert cloud().catalogue.vms.find(planned.vm.key).running is None


def test_a_snapshot_is_taken_once(world, planned):
    home = cloud().policies.locations["west"]
    [part, _] = begin_restore_point(planned).disks
    request = SnapshotRequest(planned.id, planned.policy, "web", home, part)
    begin_snapshot(request)
    world.clock.advance(timedelta(seconds=10))
    looked = look_at_snapshot(part)
    world.write("web", "os", b"later!")

    again = begin_snapshot(request)

    assert again.snapshot.unique_id == looked.snapshot.unique_id
    assert world.cloud.snapshot_image(part.snapshot_id).read(0, 6) == b"system"


def test_what_became_of_a_point_is_recorded_once(world, available):
    late = replace(available, state=PointState.FAILED, failure="a repeat that came too late")
    assert record(world, late) == record(world, available)
    assert cloud().catalogue.restore_points.find(available.id).is_available
    assert cloud().catalogue.operations.find(OPERATION.id).state is OperationState.SUCCEEDED


def test_a_backup_that_failed_after_its_point_was_decided_does_not_undo_it(world, available):
    policy = cloud().policies.policies["daily"]
    request = BackupRequest(available.vm.id, START, 1, policy, OPERATION.id)
    record_backup_failure(BackupFailure(request, "a queue could not be written"))
    assert cloud().catalogue.restore_points.find(available.id).is_available
    assert cloud().catalogue.operations.find(OPERATION.id).state is OperationState.SUCCEEDED


def test_copies_are_queued_once_and_a_finished_one_is_not_begun_again(world, available):
    order = CopyOrder(available, cloud().policies.policies["daily"].recovery)
    queues = queue_copies(order)
    assert queue_copies(order) == queues
    for queue in queues:
        claim = Claim(queue, "a worker")
        copy = begin_next_copy(claim).copy
        assert begin_next_copy(claim).copy.target_name == copy.target_name
        world.clock.advance(timedelta(minutes=10))
        look = CopyLook(copy, queue.location)
        assert look_at_copy(look) == look_at_copy(look)
        queue_copies(order)
        assert begin_next_copy(claim) == NextCopy()
    point = cloud().catalogue.restore_points.find(available.id)
    assert point.replicas == {"west": "available", "north": "available"}
    assert len(world.cloud.meter.copies) == 2


def test_a_queue_that_got_a_copy_while_it_was_closed_stays_open(world, available):
    order = CopyOrder(available, cloud().policies.policies["daily"].recovery)
    [queue, _] = queue_copies(order)
    seen = cloud().catalogue.copy_queues.seen(queue)
    queue_copies(order)  # touches the queue, as another point would
    assert not cloud().catalogue.copy_queues.close(seen)
    assert queue.instance in {start.instance for start in unattended().starts}


def restoring(point):
    """An accepted restore of a point at home."""
    request = RestoreRequest("20261122-11111111111111111111", point.id, cloud().policies.locations["west"])
    restore = replace(OPERATION, id=request.operation, kind="restore", instance=request.instance)
    cloud().catalogue.operations.accept(restore)
    return request


def test_disks_are_restored_once_and_a_preflight_takes_no_offence_at_those_it_finds(world, available):
    request = restoring(available)
    found = check_restore(request)
    first = [begin_disk(plan) for plan in found.plan.disks]
    world.clock.advance(timedelta(seconds=10))
    assert check_restore(request) == found
    again = [begin_disk(plan) for plan in found.plan.disks]
    assert [disk.id for disk in again] == [disk.id for disk in first]
    assert [world.bytes_of(look_at_disk(plan).id)[:6].rstrip(b"\0") for plan in found.plan.disks] == [
        b"system",
        b"first",
    ]


def test_what_became_of_a_restore_is_recorded_once_and_nothing_is_planned_after_it(world, available):
    request = restoring(available)
    check_restore(request)
    assert cloud().catalogue.restore_points.find(available.id).uses.keys() == {request.operation}
    restored = RestoreRecord(request, RestoreOutcome())
    record_restore(restored)
    record_restore(replace(restored, outcome=RestoreOutcome(failure="a repeat that came too late")))
    assert cloud().catalogue.operations.find(request.operation).state is OperationState.SUCCEEDED
    assert check_restore(request).is_over
    assert cloud().catalogue.restore_points.find(available.id).uses == {}


def test_a_vm_is_due_until_its_point_is_begun_and_not_again_before_the_next_slot(world):
    world.add_vm("web", {"os": b"system"}, tags={"tidemark-policy": "daily"})
    look, policy = Look(Scope(world.subscription)), cloud().policies.policies["daily"]
    [due] = find_due_backups(look)
    world.clock.advance(timedelta(minutes=5))
    assert find_due_backups(look) == [due]  # it keeps the slot of the first sight
    vm = describe_vm(VmQuery(due.vm_id))
    begin_restore_point(RestorePoint.begin(vm, policy, due.slot, due.attempt, START, None))
    assert find_due_backups(look) == []


def test_an_operation_that_lost_its_race_is_ended_by_the_sweep_and_others_are_started(world, available):
    policy = cloud().policies.policies["daily"]
    lost, waiting = (
        replace(
            OPERATION,
            id=f"20261122-{number:020d}",
            instance=request.instance,
            request=to_wire(request),
        )
        for number, request in enumerate(
            BackupRequest(available.vm.id, START, attempt, policy, f"20261122-{attempt - 1:020d}")
            for attempt in (1, 2)
        )
    )
    for operation in (lost, waiting):
        cloud().catalogue.operations.accept(operation)

    for _ in range(2):
        [start] = unattended().starts
        assert start.instance == waiting.instance

    assert "another request" in cloud().catalogue.operations.find(lost.id).failure
    assert cloud().catalogue.operations.find(waiting.id).state is OperationState.ACCEPTED


def test_an_operation_whose_request_nobody_can_read_any_more_holds_up_no_other(world, available):
    request = BackupRequest(available.vm.id, START, 2, cloud().policies.policies["daily"])
    unread = replace(OPERATION, id=f"20261122-{1:020d}", request={"form": "of another version"})
    waiting = replace(OPERATION, id=f"20261122-{2:020d}", instance=request.instance, request=to_wire(request))
    for operation in (unread, waiting):
        cloud().catalogue.operations.accept(operation)
    assert waiting.instance in [start.instance for start in unattended().starts]


def test_a_backup_that_nobody_has_taken_for_a_day_is_ended_and_told(world, caplog):
    cloud().catalogue.operations.accept(replace(OPERATION, state=OperationState.RUNNING))
    world.clock.advance(timedelta(hours=23))
    assert unattended().starts == ()
    assert cloud().catalogue.operations.find(OPERATION.id).state is OperationState.RUNNING

    world.clock.advance(timedelta(hours=2))
    unattended()
    assert "nobody has been taking" in cloud().catalogue.operations.find(OPERATION.id).failure
    assert [line for line in caplog.messages if '"operation_stuck"' in line and OPERATION.id in line]
