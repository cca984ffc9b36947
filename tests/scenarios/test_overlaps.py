"""What happens side by side, or twice: two backups and one copy, two callers and one request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from domain.copies import CopyState
from gateways.connection import cloud
from simulator.arm.disk_model import Disk
from simulator.arm.snapshot_model import Snapshot
from simulator.tempo import Tempo
from tests.restored_world import found
from tests.world import HOME, MIB, START

PROTECTED = {"tidemark-policy": "daily"}
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def copies_in(world, location="north"):
    """The copies to a location, oldest first."""
    points = reversed(world.points_of(world.machines["web"].id))
    return [copy for point in points for copy in cloud().catalogue.copies.find(point, location)]


def test_two_backups_overlap_while_the_first_copy_runs_and_each_arrives_as_it_was(world):
    world.cloud.estate.tempo = Tempo(copy_bytes_per_second=4 * MIB // 3600)
    vm_id = world.add_vm("web", {"os": b"x" * 4 * MIB}, tags=PROTECTED)
    first = world.back_up("web", within=10 * MINUTE)["restorePoint"]["id"]
    world.write("web", "os", b"y" * 512)
    second = world.back_up("web", within=10 * MINUTE)["restorePoint"]["id"]

    assert [copy.state for copy in copies_in(world)] == [CopyState.COPYING, CopyState.WAITING]
    assert {point.replicas["west"] for point in world.points_of(vm_id)} == {"available"}
    world.pass_time(90 * MINUTE)

    assert [(copy.state, copy.attempt) for copy in copies_in(world)] == [(CopyState.AVAILABLE, 1)] * 2
    assert [(copy.whole, copy.bytes_moved) for copy in world.cloud.meter.copies] == [
        (True, 4 * MIB),
        (False, 512),
    ]
    world.assert_books_and_cloud_agree()
    world.lose_region(HOME)
    assert world.restore(first, "north").disk("web-os") == b"x" * 4 * MIB
    assert world.restore(second, "north").disk("web-os") == b"y" * 512 + b"x" * (4 * MIB - 512)


def test_a_slot_that_comes_while_a_point_is_taken_waits_and_is_taken_after_it(world):
    vm_id = world.add_vm("web", {"os": b"before"}, tags=PROTECTED)
    world.pass_time(10 * MINUTE)
    slot = (START + timedelta(days=1)).replace(hour=2)
    world.jump(slot - 2 * MINUTE)
    world.cloud.faults.fail("PUT", "/snapshots/web-web-os", status=429, retry_after=1200)
    asked = world.ask("POST", "backups", {"vm": vm_id}).body["id"]
    world.pass_time(10 * MINUTE)
    refused = world.ask("POST", "backups", {"vm": vm_id})
    assert (refused.status, refused.body["operation"]) == (409, f"/api/v1/operations/{asked}")
    assert world.seen("web")["nextDue"] is not None
    assert len(world.points_of(vm_id)) == 2
    world.write("web", "os", b"after ")
    world.pass_time(HOUR)

    world.cloud.faults.verify_all_met()
    newest, by_hand, _ = world.points_of(vm_id)
    assert (newest.slot, by_hand.slot) == (slot, slot - 2 * MINUTE)
    assert by_hand.taken < newest.taken
    assert world.operation(asked)["restorePoint"]["id"] == by_hand.id
    assert world.seen("web")["missed"] == 0
    assert {state for point in (newest, by_hand) for state in point.replicas.values()} == {"available"}
    world.assert_books_and_cloud_agree()
    assert world.restore(newest.id, "north").disk("web-os") == b"after "


def many_times(ask):
    """Ask for the same thing eight times at once, and once more afterwards; return the answers."""
    with ThreadPoolExecutor(8) as callers:
        answers = [call.result() for call in [callers.submit(ask) for _ in range(8)]]
    return [*answers, ask()]


def test_the_same_backup_asked_for_nine_times_is_taken_once(world):
    vm_id = world.add_vm("web", {"os": b"system", "data": b"first"}, tags=PROTECTED)
    key = {"Idempotency-Key": "nightly"}

    def ask():
        return world.ask("POST", "backups", {"vm": vm_id}, headers=key)

    answers = many_times(ask)
    world.pass_time(HOUR)
    answers.append(ask())  # also when it is long over

    assert {answer.status for answer in answers} == {202}
    [operation] = {answer.body["id"] for answer in answers}
    [point] = world.points_of(vm_id)
    assert world.operation(operation)["restorePoint"]["id"] == point.id
    assert (
        len(found(world, Snapshot, "snapshots-west")) == len(found(world, Snapshot, "snapshots-north")) == 2
    )
    world.assert_books_and_cloud_agree()
    assert world.restore(point.id, "north").disk("web-data") == b"first"


def test_the_same_restore_asked_for_nine_times_makes_its_disks_once(world):
    world.add_vm("web", {"os": b"system", "data": b"first"}, tags=PROTECTED)
    point = world.back_up("web")["restorePoint"]["id"]
    order = {"restorePoint": point, "location": "north"}

    answers = many_times(lambda: world.ask("POST", "restores", order))
    world.pass_time(HOUR)

    assert {answer.status for answer in answers} == {202}
    [operation] = {answer.body["id"] for answer in answers}
    made = found(world, Disk, "restored-north")
    assert {each.id.text for each in made} == {
        disk["id"] for disk in world.operation(operation)["outcome"]["disks"]
    }
    assert sorted(each.image.read(0, 6).rstrip(b"\0") for each in made) == [b"first", b"system"]
