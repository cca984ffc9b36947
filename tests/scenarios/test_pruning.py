"""Pruning: what is to be kept stays whole everywhere, what is not goes, what others made is not touched."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.restore_points import PointState, ReplicaState
from tests.conftest import Accounts
from tests.pruned_world import DAY, PrunedWorld
from tests.world import HOME, RECOVERY

PROTECTED = {"tidemark-policy": "daily"}
QUICK = timedelta(minutes=15)


@pytest.fixture
def world(tmp_path: Path, accounts: Accounts) -> Iterator[PrunedWorld]:
    made = PrunedWorld(tmp_path, accounts)
    try:
        yield made
        made.assert_histories_replay()
    finally:
        made.close()


@pytest.fixture
def told(caplog):
    """What the app has told operators: name and message of every event but heartbeats."""
    caplog.set_level(logging.WARNING, logger="tidemark.events")

    def events():
        lines = [json.loads(record.message) for record in caplog.records if record.name == "tidemark.events"]
        return [(line["event"], line["message"]) for line in lines if line["event"] != "heartbeat"]

    return events


def test_ten_days_leave_what_each_location_is_to_keep_and_all_of_it_comes_back(world):
    world.keep(west=3, north=5)
    world.add_vm("web", {"os": b"system", "data": b"start"}, tags=PROTECTED)
    world.days(10)
    world.prune()

    assert len(world.offered("west")) == 3
    assert len(world.offered("north")) == 5
    world.assert_books_and_cloud_agree()
    assert len(world.snapshots("west")) == 2 * (3 + 1)  # one point more is in its day of grace
    assert len(world.snapshots("north")) == 2 * (5 + 1)
    assert len(world.blobs("west")) == 4
    assert len(world.blobs("north")) == 6
    points = world.points_of(world.machines["web"].id)
    assert len(points) == 6  # the older ones are not in the tables any more

    for place, point in enumerate(points[:5]):
        expected = point.slot.strftime("day %d").encode()
        assert world.restore(point.id, "north", within=QUICK).disk("web-data") == expected
        if place < 3:
            assert world.restore(point.id, "west", within=QUICK).disk("web-data") == expected


def test_a_hold_by_hand_in_the_table_keeps_a_point_until_it_is_taken_out_again(world):
    world.keep(west=2, north=2)
    world.add_vm("web", {"os": b"system", "data": b"start"}, tags=PROTECTED)
    world.days(3)
    first = world.points_of(world.machines["web"].id)[-1]
    assert set(first.replicas.values()) == {ReplicaState.EXPIRING}

    world.write_hold(first.id, "for the auditors")
    world.prune()
    assert first.slot.strftime("%d") in world.offered("west")
    world.days(3)
    assert world.points_of(world.machines["web"].id)[-1].hold == "for the auditors"
    assert world.restore(first.id, "west", within=QUICK).disk("web-data") == b"day 23"

    world.write_hold(first.id, "")
    world.prune()
    world.days(2)
    assert first.id not in [point.id for point in world.points_of(world.machines["web"].id)]
    world.assert_books_and_cloud_agree()


def test_a_hold_by_the_api_brings_back_at_once_what_was_expiring(world):
    world.keep(west=1, north=1)
    world.add_vm("web", {"os": b"system", "data": b"start"}, tags=PROTECTED)
    world.days(3)
    first = world.points_of(world.machines["web"].id)[-2].id
    answer = world.ask("PUT", f"restore-points/{first}/hold", {"reason": "an incident"})
    assert answer.status == 200
    assert {replica["state"] for replica in answer.body["replicas"]} == {"available"}
    world.days(2)
    assert world.ask("GET", f"restore-points/{first}").body["hold"] == "an incident"

    assert world.ask("DELETE", f"restore-points/{first}/hold").body["hold"] is None
    world.prune()
    world.days(2)
    assert world.ask("GET", f"restore-points/{first}").status == 404


def test_what_failed_backups_left_behind_goes_and_what_others_made_stays(world):
    world.add_vm("web", {"os": b"system", "data": b"start"}, tags=PROTECTED)
    disk = world.machines["web"].disk("os")
    snapshots = world.azure.snapshots
    for number in range(7):  # another tool uses up what Azure allows in five minutes
        body = {
            "location": HOME,
            "properties": {
                "incremental": True,
                "creationData": {"createOption": "Copy", "sourceResourceId": disk.id},
            },
        }
        snapshots.begin_create_or_update("snapshots-west", f"theirs-{number}", body, polling=False)
    failed = world.back_up("web", within=timedelta(minutes=2))
    assert failed["state"] == "failed"
    left = [name for name in world.snapshots("west") if not name.startswith("theirs")]
    assert len(left) == 2  # Azure has left a Failed one of the first disk, the other's is whole

    world.pass_time(timedelta(hours=3))
    world.prune()

    world.assert_books_and_cloud_agree_but(f"theirs-{number}" for number in range(7))
    assert not set(left) & set(world.snapshots("west"))
    assert world.offered("north") == ["22"]
    taken, told = world.points_of(world.machines["web"].id)  # the failed one is told for some days
    assert (taken.state, told.state, told.is_cleaned) == (PointState.AVAILABLE, PointState.FAILED, True)


def test_what_failed_copies_left_behind_goes_when_nothing_builds_on_it(world, told):
    world.add_vm("web", {"os": b"system", "data": b"start"}, tags=PROTECTED)
    world.cloud.faults.fail_operation("PUT", "/snapshots-north/.*web-os", times=3)
    world.back_up("web", within=timedelta(hours=2))
    [point] = world.points_of(world.machines["web"].id)
    assert point.replicas["north"] is ReplicaState.FAILED
    assert "copy_failed" in [name for name, _ in told()]

    world.pass_time(timedelta(hours=2))
    [data] = world.snapshots("north")  # the other disk's; the next copy builds on it
    assert "web-data" in data

    world.days(1)
    world.pass_time(timedelta(hours=2))
    assert data not in world.snapshots("north")
    assert world.offered("west") == ["23", "22"]
    assert world.offered("north") == ["23"]
    world.assert_books_and_cloud_agree()


def test_nothing_at_home_goes_that_must_still_be_copied(world):
    world.keep(west=1, north=5)
    world.add_vm("web", {"os": b"system", "data": b"start"}, tags=PROTECTED)
    world.days(1)
    world.lose_region(RECOVERY)
    world.days(3)
    assert world.offered("west") == ["26", "25", "24", "23"]  # 23 is what the next copy builds on

    world.bring_back_region(RECOVERY)
    world.pass_time(timedelta(hours=3))
    assert world.offered("west") == ["26"]
    assert world.offered("north") == ["26", "25", "24", "23"]
    world.days(2)
    world.assert_books_and_cloud_agree()


def test_a_region_that_is_lost_while_it_is_pruned_hinders_no_other_and_is_pruned_when_it_is_back(world):
    world.keep(west=1, north=1)
    world.add_vm("web", {"os": b"system", "data": b"start"}, tags=PROTECTED)
    world.days(2)
    world.lose_region(HOME)
    world.jump(world.clock.now() + DAY)
    world.pass_time(timedelta(hours=2))
    older, north = world.points_of(world.machines["web"].id)[-1], world.snapshots("north")
    assert older.deletions.keys() == {"west", "north"}
    assert older.replicas["north"] is ReplicaState.DELETED
    assert older.replicas["west"] is ReplicaState.EXPIRING
    assert len(north) == 2 * len(world.offered("north"))

    world.bring_back_region(HOME)
    world.pass_time(timedelta(hours=3))
    assert older.id not in [point.id for point in world.points_of(world.machines["web"].id)]
    world.assert_books_and_cloud_agree()


def test_a_prune_that_would_take_too_much_stops_and_says_what_to_do(world, told):
    world.add_vm("web", {"os": b"system", "data": b"start"}, tags=PROTECTED)
    world.days(4)
    world.keep(west=1, north=30, most_pruned=0.5)
    world.prune()
    assert len(world.offered("west")) == 4
    [message] = {message for name, message in told() if name == "prune_stopped"}
    assert "3 of 4 restore points in west would expire at once" in message
    assert "most_pruned_percent" in message

    world.keep(west=1, north=30, most_pruned=1.0)
    world.prune()
    assert len(world.offered("west")) == 1


def test_a_lock_is_told_every_hour_and_what_it_kept_goes_when_it_is_off(world, told):
    world.keep(west=1, north=1)
    world.add_vm("web", {"os": b"system", "data": b"start"}, tags=PROTECTED)
    world.days(2)
    world.cloud.faults.fail(
        "DELETE", "/snapshots-north/", status=409, code="ScopeLocked", message="a lock", times=4
    )
    world.jump(world.clock.now() + DAY)
    world.pass_time(timedelta(minutes=50))
    assert [name for name, message in told() if "ScopeLocked: a lock" in message][:1] == ["prune_failed"]
    assert world.points_of(world.machines["web"].id)[-1].replicas["west"] is ReplicaState.DELETED

    world.pass_time(timedelta(hours=3))
    world.cloud.faults.verify_all_met()
    world.assert_books_and_cloud_agree()
    assert len(world.snapshots("north")) <= 4


def test_a_vm_that_is_gone_keeps_what_its_policy_keeps(world):
    world.keep(west=2, north=2)
    world.add_vm("web", {"os": b"system", "data": b"start"}, tags=PROTECTED)
    world.days(3)
    world.azure.virtual_machines.begin_delete("production", "web", polling=False)
    for _ in range(3):
        world.jump(world.clock.now() + DAY)
        world.pass_time(timedelta(minutes=50))
    assert len(world.offered("west")) == len(world.offered("north")) == 2
    newest = world.points_of(world.machines["web"].id)[0].id
    world.lose_region(HOME)
    assert world.restore(newest, "north", within=QUICK).disk("web-os") == b"system"
