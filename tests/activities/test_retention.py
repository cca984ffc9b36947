"""The steps of pruning: each may run twice or die in the middle, and none trusts what was decided before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from activities.leftovers import PointName, delete_leftovers
from activities.retention import (
    PruneLook,
    PruneRequest,
    delete_replica,
    find_vms_to_prune,
    forget_points,
    mark_replicas,
)
from domain.errors import Transient
from domain.leftovers import FAILURES_TOLD, QUIET
from domain.names import operation_day, point_parts, point_row_key
from domain.operations import Operation
from domain.pruning import PrunePlan, ReplicaName
from domain.restore_points import ReplicaState
from domain.retention import GRACE, held
from gateways.connection import cloud, use
from gateways.tables import Row

AVAILABLE, EXPIRING, DELETED = ReplicaState.AVAILABLE, ReplicaState.EXPIRING, ReplicaState.DELETED
USED_BY = "20261122-0123456789abcdef0123"


@pytest.fixture
def vm(world):
    """The key of a VM with three points, a day apart, of which both locations keep one."""
    world.add_vm("web", {"os": b"system", "data": b"first"}, tags={"tidemark-policy": "daily"})
    for _ in range(3):
        world.back_up("web", within=timedelta(minutes=30))
        world.clock.advance(timedelta(days=1))
    keep(west=1, north=1)
    return world.points_of(world.machines["web"].id)[0].vm.key


def keep(*, most_pruned=1.0, **keep_last):
    connected = cloud()
    daily = replace(connected.policies.policies["daily"], keep_last=keep_last, most_pruned=most_pruned)
    use(replace(connected, policies=replace(connected.policies, policies={"daily": daily})))


def states(vm, location="north"):
    """The states of the replicas in a location, newest first."""
    return [point.replicas.get(location) for point in cloud().catalogue.restore_points.query(vm)]


def oldest(vm):
    return cloud().catalogue.restore_points.query(vm)[-1]


def find(name):
    return cloud().catalogue.restore_points.find(name.point)


def due(world, vm, location="north"):
    """Mark the VM, let the grace pass, and return the oldest replica of a location: it is to be deleted."""
    mark_replicas(PruneRequest(vm))
    world.clock.advance(GRACE)
    name = ReplicaName(oldest(vm).id, location)
    assert name in mark_replicas(PruneRequest(vm)).delete
    return name


def carried_out(world, name, step=delete_replica):
    """Repeat a deletion until it is over; return what it came to."""
    for _ in range(5):
        deletion = step(name)
        if deletion.is_over:
            return deletion
        world.clock.advance(timedelta(minutes=1))
    raise AssertionError("it does not end")


def snapshots_of(point, location):
    """The snapshots of a point that are in a location."""
    client = cloud().snapshots.compute.client(cloud().policies.locations[location].subscription)
    found = client.snapshots.list_by_resource_group(f"snapshots-{location}")
    return [snapshot.name for snapshot in found if snapshot.tags["tidemark-point"] == point]


def test_only_vms_with_something_to_do_are_found_page_by_page(world, vm):
    assert find_vms_to_prune(PruneLook()).vms == (vm,)
    assert find_vms_to_prune(PruneLook(after=vm)).vms == ()
    mark_replicas(PruneRequest(vm))
    assert find_vms_to_prune(PruneLook()).vms == ()  # in its grace there is nothing to do
    world.clock.advance(GRACE)
    assert find_vms_to_prune(PruneLook()).vms == (vm,)


def test_a_replica_is_marked_once_and_keeps_its_moment(world, vm):
    mark_replicas(PruneRequest(vm))
    assert states(vm) == [AVAILABLE, EXPIRING, EXPIRING]
    before = cloud().catalogue.restore_points.query(vm)
    world.clock.advance(timedelta(hours=1))
    assert mark_replicas(PruneRequest(vm)) == PrunePlan()
    assert cloud().catalogue.restore_points.query(vm) == before


def test_a_replica_is_deleted_once_snapshots_first_then_its_manifest(world, vm):
    name = due(world, vm)
    assert len(snapshots_of(name.point, "north")) == 2
    assert not delete_replica(name).is_over  # Azure has only accepted it
    assert find(name).replicas["north"] is EXPIRING
    carried_out(world, name)
    assert snapshots_of(name.point, "north") == []
    assert find(name).replicas["north"] is DELETED
    assert delete_replica(name).is_over
    assert states(vm) == [AVAILABLE, EXPIRING, DELETED]
    world.assert_books_and_cloud_agree()


@pytest.mark.parametrize(
    ("method", "passed"), [("GET", 0), ("DELETE", 0), ("GET", 1), ("DELETE", 1), ("GET", 2)]
)
def test_a_step_that_dies_in_the_middle_is_finished_by_the_next_and_never_turned_back(
    world, vm, method, passed
):
    name = due(world, vm)
    world.cloud.faults.drop(method, "/snapshots-north/", skip=passed)
    with pytest.raises(Transient):
        carried_out(world, name)
    assert find(name).deletions.keys() == {"north"}
    keep(west=3, north=3)
    cloud().catalogue.restore_points.change_hold(name.point, lambda known: held(known, "too late"))

    plan = mark_replicas(PruneRequest(vm))

    assert find(name).replicas == {"west": AVAILABLE, "north": EXPIRING}
    assert plan.delete == (name,)
    carried_out(world, name)
    assert find(name).replicas == {"west": AVAILABLE, "north": DELETED}
    world.assert_books_and_cloud_agree()


def test_a_hold_that_came_after_the_decision_is_seen_before_anything_is_deleted(world, vm):
    name = due(world, vm)
    cloud().catalogue.restore_points.change_hold(name.point, lambda known: replace(known, hold="wanted"))
    assert delete_replica(name).is_over
    assert len(snapshots_of(name.point, "north")) == 2
    mark_replicas(PruneRequest(vm))
    assert states(vm) == [AVAILABLE, EXPIRING, AVAILABLE]


def test_a_policy_that_keeps_more_again_is_seen_before_anything_is_deleted(world, vm):
    name = due(world, vm)
    keep(west=3, north=3)
    assert delete_replica(name).is_over
    mark_replicas(PruneRequest(vm))
    assert states(vm) == [AVAILABLE, AVAILABLE, AVAILABLE]


def test_what_a_restore_reads_stays_until_that_is_over_also_where_it_died_without_a_word(world, vm):
    name, now = due(world, vm), world.clock.now()
    running = Operation(USED_BY, "restore", "a test", now, vm, "restore", f"restore:{USED_BY}", {}).running()
    cloud().catalogue.operations.accept(running)
    cloud().catalogue.restore_points.alter(name.point, lambda known: known.used(USED_BY, now))

    assert delete_replica(name).is_over
    assert len(snapshots_of(name.point, "north")) == 2
    mark_replicas(PruneRequest(vm))
    assert states(vm)[-1] is AVAILABLE

    cloud().catalogue.operations.alter(USED_BY, lambda known: known.failed("it died", now))
    mark_replicas(PruneRequest(vm))
    assert states(vm)[-1] is EXPIRING
    assert find(name).uses == {}


def test_what_is_read_by_an_operation_that_nobody_can_read_stays(world, vm):
    name = due(world, vm)
    cloud().catalogue.operations.table.put(Row(operation_day(USED_BY), USED_BY, "{}"))
    cloud().catalogue.restore_points.alter(name.point, lambda known: known.used(USED_BY, world.clock.now()))

    assert delete_replica(name).is_over
    assert len(snapshots_of(name.point, "north")) == 2
    mark_replicas(PruneRequest(vm))
    assert states(vm)[-1] is AVAILABLE


def test_a_point_is_forgotten_with_its_copies_when_its_last_replica_is_gone(world, vm):
    north = due(world, vm)
    point = find(north)
    carried_out(world, north)
    assert forget_points(PruneRequest(vm)) == 0
    carried_out(world, ReplicaName(north.point, "west"))
    assert forget_points(PruneRequest(vm)) == 1
    assert forget_points(PruneRequest(vm)) == 0
    assert find(north) is None
    assert cloud().catalogue.copies.find(point, "north") == []
    assert len(states(vm)) == 2
    world.assert_books_and_cloud_agree()


def test_a_refusal_is_told_and_keeps_the_other_disks_from_nothing(world, vm):
    name = due(world, vm)
    world.cloud.faults.fail("DELETE", "web-os", status=409, code="ScopeLocked", message="a lock")
    first = delete_replica(name)
    assert first.is_over
    assert "ScopeLocked: a lock" in first.refusals[0]
    world.clock.advance(timedelta(minutes=1))
    assert len(snapshots_of(name.point, "north")) == 1
    assert carried_out(world, name).refusals == ()
    assert find(name).replicas["north"] is DELETED


def test_a_snapshot_with_another_tag_is_not_deleted(world, vm):
    name = due(world, vm)
    client = cloud().snapshots.compute.client(world.subscription)
    theirs = snapshots_of(name.point, "north")[0]
    client.snapshots.begin_update("snapshots-north", theirs, {"tags": {"owner": "somebody"}}, polling=False)
    world.clock.advance(timedelta(minutes=1))
    deletion = delete_replica(name)
    world.clock.advance(timedelta(minutes=1))
    assert "is not deleted" in deletion.refusals[0]
    assert client.snapshots.get("snapshots-north", theirs).tags == {"owner": "somebody"}
    assert find(name).replicas["north"] is EXPIRING


def test_a_location_that_the_policy_file_does_not_know_any_more_is_told(world, vm):
    name = due(world, vm)
    delete_replica(name)
    connected = cloud()
    left = {known: place for known, place in connected.policies.locations.items() if known != "north"}
    use(replace(connected, policies=replace(connected.policies, locations=left)))
    assert "put it back until they are deleted" in delete_replica(name).refusals[0]


def test_what_a_failed_backup_left_goes_and_is_not_looked_for_again(world, vm):
    world.cloud.faults.fail_operation("PUT", "/snapshots-west/")
    world.back_up("web", within=timedelta(minutes=30))
    failed = cloud().catalogue.restore_points.query(vm)[0]
    assert failed.failure
    assert len(snapshots_of(failed.id, "west")) == 2  # one is whole, one Failed
    name = PointName(failed.id)
    world.clock.advance(QUIET)

    carried_out(world, name, delete_leftovers)

    assert snapshots_of(failed.id, "west") == []
    assert find(name).is_cleaned
    world.cloud.faults.drop("GET", "/snapshots/")
    assert delete_leftovers(name).is_over
    with pytest.raises(Transient):  # the fault is met by this look, so by none before it
        cloud().snapshots.find(failed.disks[0].snapshot_id)
    assert forget_points(PruneRequest(vm)) == 0  # it is the newest that the overview tells of
    world.back_up("web", within=timedelta(minutes=30))
    assert forget_points(PruneRequest(vm)) == 0  # it is to be looked into first
    world.clock.advance(FAILURES_TOLD)
    assert forget_points(PruneRequest(vm)) == 1
    assert find(name) is None


def test_the_books_of_a_vm_that_cannot_be_read_hide_no_other_vm(world, vm):
    table = cloud().catalogue.service.get_table_client("restorepoints")
    vm_key, slot, attempt = point_parts(oldest(vm).id)
    entity = table.get_entity(vm_key, point_row_key(slot, attempt))
    table.upsert_entity({**entity, "document0": "{"})
    assert find_vms_to_prune(PruneLook()).vms == (vm,)
