"""What Azure does wrong on the way, and what stands in the books afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.world import HOME, RECOVERY

PROTECTED = {"tidemark-policy": "daily"}
DISKS = {"os": b"system", "a": b"aaa", "b": b"bbb", "c": b"ccc"}


@pytest.mark.parametrize(
    "plant",
    [
        # The least that any client must bear: throttled, and told for how long.
        lambda faults: faults.fail("PUT", "/snapshots/", status=429, retry_after=1200, times=1),
        # Executed, and nobody was told: the repeat must find the snapshot instead of taking another.
        lambda faults: faults.fail("PUT", "/snapshots/", status=500, after_executing=True, times=3),
        lambda faults: faults.drop("PUT", "/snapshots/", after_executing=True, times=2),
        lambda faults: faults.drop("PUT", "/snapshots/", times=5),
        # Busy with something else for a moment.
        lambda faults: faults.fail("PUT", "/snapshots/", status=409, times=2),
        # Reading fails as well as writing does.
        lambda faults: faults.fail("GET", "/snapshots/", status=503, times=6),
        lambda faults: faults.fail("GET", "/virtualMachines/", status=504, times=1, skip=1),
        lambda faults: faults.fail("GET", "/disks/", status=500, times=3, skip=len(DISKS)),
    ],
)
def test_what_passes_by_itself_is_waited_for(world, plant):
    world.add_vm("web", DISKS, tags=PROTECTED)
    plant(world.cloud.faults)

    operation = world.back_up("web", within=timedelta(hours=1))

    world.cloud.faults.verify_all_met()
    assert operation["state"] == "succeeded"
    world.assert_books_and_cloud_agree()
    restored = world.restore(operation["restorePoint"]["id"], "north")
    assert {name: restored.disk(f"web-{name}") for name in DISKS} == DISKS


def test_a_disk_that_cannot_be_snapshotted_fails_the_whole_point_and_says_why(world):
    world.add_vm("web", DISKS, tags=PROTECTED)
    world.cloud.faults.fail("PUT", "/snapshots/web-web-b-", status=403, code="ScopeLocked", times=50)

    operation = world.back_up("web", within=timedelta(minutes=10))  # no second attempt yet

    assert operation["state"] == "failed"
    assert "disk 'web-b'" in operation["failure"]
    assert "ScopeLocked" in operation["failure"]
    [point] = world.points_of(world.machines["web"].id)
    assert point.state == "failed"
    assert not point.replicas


def test_a_copy_that_fails_twice_arrives_at_the_third_attempt(world):
    world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    world.cloud.faults.fail("PUT", "/snapshots/", status=400, code="InvalidParameter", times=2, skip=1)

    operation = world.back_up("web", within=timedelta(hours=2))

    world.cloud.faults.verify_all_met()
    assert world.restore(operation["restorePoint"]["id"], "north").disk("web-os") == b"system"


def test_a_copy_that_fails_for_good_fails_the_replica_and_the_next_point_goes_on(world):
    vm_id = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    world.cloud.faults.fail("PUT", "/snapshots-north/", status=400, code="InvalidParameter", times=3)

    world.back_up("web", within=timedelta(hours=2))
    world.cloud.faults.verify_all_met()
    world.back_up("web", within=timedelta(hours=2))

    second, first = world.points_of(vm_id)
    assert first.replicas == {"west": "available", "north": "failed"}
    assert second.replicas == {"west": "available", "north": "available"}


def test_the_home_region_is_lost_while_the_copy_runs(world):
    vm_id = world.add_vm("web", {"os": b"x" * (40 << 20)}, tags=PROTECTED)
    world.back_up("web", within=timedelta(seconds=35))
    world.lose_region(HOME)
    world.pass_time(timedelta(hours=3))

    [point] = world.points_of(vm_id)
    assert point.is_available
    assert point.replicas["north"] != "available"
    answer = world.ask("POST", "restores", {"restorePoint": point.id, "location": "north"})
    assert answer.status == 400
    assert "north" in str(answer.body["errors"])


def test_the_recovery_region_is_lost_and_comes_back(world):
    vm_id = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    world.lose_region(RECOVERY)
    operation = world.back_up("web", within=timedelta(hours=5))
    assert operation["state"] == "succeeded"

    world.bring_back_region(RECOVERY)
    world.pass_time(timedelta(hours=2))

    [point] = [point for point in world.points_of(vm_id) if point.id == operation["restorePoint"]["id"]]
    assert point.replicas == {"west": "available", "north": "available"}
    world.assert_books_and_cloud_agree()


def test_a_region_lost_in_the_middle_of_a_backup_fails_the_point(world):
    vm_id = world.add_vm("web", DISKS, tags=PROTECTED)
    answer = world.ask("POST", "backups", {"vm": vm_id})
    world.lose_region(HOME)
    world.pass_time(timedelta(hours=3))

    assert world.operation(answer.body["id"])["state"] == "failed"
    assert {point.state for point in world.points_of(vm_id)} <= {"failed"}


def test_a_vm_that_the_app_may_not_look_at_is_told_in_the_overview_and_tried_three_times(world):
    vm_id = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    world.cloud.faults.fail("GET", "/virtualMachines/web", status=403, code="AuthorizationFailed", times=3)

    world.pass_time(timedelta(hours=2))

    world.cloud.faults.verify_all_met()
    assert world.points_of(vm_id) == []
    [vm] = world.ask("GET", "vms").body["items"]
    assert "AuthorizationFailed" in vm["lastFailure"]


def test_a_replica_whose_manifest_could_not_be_written_for_hours_is_completed_afterwards(world):
    vm_id = world.add_vm("web", {"os": b"x" * (40 << 20)}, tags=PROTECTED)
    world.back_up("web", within=timedelta(seconds=35))
    world.reach.lost.add(world.manifests["north"].blob_endpoint)
    world.pass_time(timedelta(hours=2))
    assert world.points_of(vm_id)[0].replicas["north"] != "available"

    world.reach.lost.clear()
    world.pass_time(timedelta(hours=1))

    assert world.points_of(vm_id)[0].replicas["north"] == "available"
    world.lose_region(HOME)
    assert world.restore(world.points_of(vm_id)[0].id, "north").disk("web-os") == b"x" * (40 << 20)


def test_a_catalogue_that_is_gone_for_hours_loses_nothing_that_was_begun(world):
    vm_id = world.add_vm("web", DISKS, tags=PROTECTED)
    operation = world.ask("POST", "backups", {"vm": vm_id}).body["id"]
    world.pass_time(timedelta(seconds=3))
    world.reach.lost.add(world.catalogue.table_endpoint)
    world.pass_time(timedelta(hours=2))
    world.reach.lost.clear()
    world.pass_time(timedelta(hours=4))

    assert world.operation(operation)["state"] == "succeeded"
    point = world.points_of(vm_id)[-1]
    assert point.replicas == {"west": "available", "north": "available"}


def test_a_fleet_that_cannot_be_listed_is_told_by_health(world):
    world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    world.cloud.faults.fail("GET", "/virtualMachines", status=403, code="AuthorizationFailed", times=2)
    world.pass_time(timedelta(minutes=10))

    world.cloud.faults.verify_all_met()
    assert "AuthorizationFailed" in world.ask("GET", "health").body["watch"]["failure"]
