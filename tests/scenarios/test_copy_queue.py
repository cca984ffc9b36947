"""Copies that wait for one another, are overtaken, fail for good, or take days."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from activities.copies import Claim, begin_next_copy
from domain.copies import CopyState
from domain.copy_queues import Permit
from gateways.connection import cloud, use
from simulator.tempo import Tempo
from tests.world import START, World

PROTECTED = {"tidemark-policy": "daily"}
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def copies_in(world, location="north"):
    """The copies to a location, oldest first."""
    points = reversed(world.points_of(world.machines["web"].id))
    return [copy for point in points for copy in cloud().catalogue.copies.find(point, location)]


def test_a_conflict_that_never_passes_fails_the_copy_with_its_reason_and_the_next_goes_on(world, caplog):
    vm_id = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    world.cloud.faults.fail("PUT", "/snapshots-north/", status=409, code="SomethingInItsWay", times=3)
    world.back_up("web", within=5 * HOUR)
    world.back_up("web", within=2 * HOUR)

    world.cloud.faults.verify_all_met()
    second, first = world.points_of(vm_id)
    assert (first.replicas["north"], second.replicas["north"]) == ("failed", "available")
    assert "SomethingInItsWay" in copies_in(world)[0].failure
    assert [line for line in caplog.messages if '"copy_failed"' in line and first.id in line]


def test_no_permit_is_left_when_all_copies_are_over(world):
    world.add_vm("web", {"os": b"system", "data": b"first"}, tags={"tidemark-policy": "twice"})
    world.cloud.faults.fail("PUT", "/snapshots-north/", status=400, code="InvalidParameter", times=4)
    world.back_up("web", within=4 * HOUR)

    permits = cloud().catalogue.permits
    for location in ("north", "south"):
        pool = cloud().policies.locations[location].pool
        assert permits.table.query(pool) == []
    assert cloud().catalogue.copy_queues.all_open() == []


def test_a_copy_that_is_throttled_goes_back_into_its_queue_and_the_others_wait_with_it(world):
    disks = {f"data{number}": b"data" for number in range(12)}
    vm_id = world.add_vm("web", disks, tags=PROTECTED)
    for number in range(12):  # every one would be refused that asks
        world.cloud.faults.fail(
            "PUT", f"/snapshots-north/providers/Microsoft.Compute/snapshots/web-web-data{number}-", status=429
        )
    world.back_up("web", within=timedelta(seconds=90))

    # No more have asked than were under way side by side when the first was refused.
    refused = [copy for copy in copies_in(world) if copy.failure]
    assert 1 <= len(refused) <= world.workers
    assert {copy.state for copy in copies_in(world)} == {CopyState.WAITING}
    assert all("too many requests" in copy.failure for copy in refused)

    world.pass_time(2 * HOUR)
    assert world.points_of(vm_id)[0].replicas["north"] == "available"
    assert {copy.attempt for copy in copies_in(world)} == {1}
    assert cloud().catalogue.permits.table.query(cloud().policies.locations["north"].pool) == []


def test_a_copy_waits_for_a_permit(world):
    world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    permits, pool = cloud().catalogue.permits, cloud().policies.locations["north"].pool
    until = START + timedelta(minutes=40)
    for number in range(100):
        permits.take(pool, Permit(f"another {number}", until), START)
    world.back_up("web", within=timedelta(minutes=30))
    assert copies_in(world)[0].state is CopyState.WAITING

    world.pass_time(timedelta(minutes=30))  # the others have died meanwhile
    assert copies_in(world)[0].state is CopyState.AVAILABLE


def test_an_older_copy_that_was_overtaken_is_skipped_instead_of_blocking_its_queue(world):
    vm_id = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    world.back_up("web")
    world.back_up("web")
    first, second = copies_in(world)
    waiting = replace(first, state=CopyState.WAITING, attempt=2, is_settled=False)
    cloud().catalogue.copies.alter(first, lambda known: waiting)
    world.back_up("web")

    first, second, third = copies_in(world)
    assert (first.state, second.state, third.state) == ("skipped", "available", "available")
    assert world.points_of(vm_id)[0].id == third.point


@pytest.mark.parametrize(
    ("policy", "hours", "skipped"),
    [
        ("hourly", 26, 0),  # longer than a copy without progress is left alone, and than a permit is held
        ("newest", 72, 71),
    ],
)
def test_the_first_copy_takes_days_while_slots_come_hourly(tmp_path, accounts, policy, hours, skipped):
    size = 64 << 20
    world = World(tmp_path, accounts, tempo=Tempo(copy_bytes_per_second=size // (hours * 3600)))
    try:
        vm_id = world.add_vm("web", {"os": b"x" * size}, tags={"tidemark-policy": policy})
        world.pass_time(timedelta(minutes=10))
        world.pass_hours(hours - 1)
        assert len(world.points_of(vm_id)) == hours
        states = [copy.state for copy in copies_in(world)]
        assert states[0] is CopyState.COPYING
        assert CopyState.AVAILABLE not in states

        world.pass_hours(2)
        world.pass_time(4 * HOUR if policy == "hourly" else HOUR)
        world.assert_histories_replay()
        states = [copy.state for copy in copies_in(world)]
        assert states.count(CopyState.SKIPPED) == skipped
        assert set(states) <= {CopyState.AVAILABLE, CopyState.SKIPPED}
        assert world.restore(world.points_of(vm_id)[0].id, "north").disk("web-os") == b"x" * size
    finally:
        world.close()


def test_a_worker_that_died_is_taken_over_after_a_while_and_nothing_is_copied_twice(world):
    world.add_vm("web", {"os": b"x" * (40 << 20)}, tags=PROTECTED)
    world.back_up("web", within=timedelta(seconds=35))
    [instance] = [each["instanceId"] for each in world.host.statuses() if each["name"] == "replicate_disk"]
    world.host.terminate(instance, "by hand")
    world.pass_time(HOUR)

    [copy] = copies_in(world)
    assert (copy.state, copy.attempt) == (CopyState.AVAILABLE, 1)
    assert len(world.cloud.meter.copies) == 1


def test_a_copy_held_by_another_worker_is_left_alone(world):
    world.add_vm("web", {"os": b"x" * (40 << 20)}, tags=PROTECTED)
    world.back_up("web", within=timedelta(seconds=35))
    [queue] = cloud().catalogue.copy_queues.all_open()
    [copy] = copies_in(world)
    asked = begin_next_copy(Claim(queue, "another worker"))
    assert asked.copy is None
    assert asked.wait_until > world.clock.now()
    assert copies_in(world)[0].owner == copy.owner


def change_location(world, name, **changes):
    """Change a location in the policy file, and grant what the app needs there, as a deployment does."""
    policies = cloud().policies
    locations = {**policies.locations, name: replace(policies.locations[name], **changes)}
    changed = {
        policy.name: replace(policy, recovery=tuple(locations[each.name] for each in policy.recovery))
        for policy in policies.policies.values()
    }
    use(replace(cloud(), policies=replace(policies, locations=locations, policies=changed)))
    world.assign_roles()


def test_a_location_that_gets_another_group_while_copies_wait_keeps_every_point_restorable(world):
    big = b"x" * (40 << 20)
    vm_id = world.add_vm("web", {"os": big, "data": b"first"}, tags=PROTECTED)
    world.back_up("web", within=timedelta(seconds=35))
    assert {copy.state for copy in copies_in(world)} != {CopyState.AVAILABLE}
    change_location(world, "north", resource_group="restored-north")
    world.pass_time(HOUR)
    world.back_up("web")

    second, first = world.points_of(vm_id)
    assert [first.replicas["north"], second.replicas["north"]] == ["available", "available"]
    for point in (first, second):
        assert world.restore(point.id, "north").disk("web-os") == big
    world.assert_books_and_cloud_agree()
