"""What random schedules have found, told as short as it can be."""

from __future__ import annotations

from datetime import timedelta


def test_a_disk_that_azure_has_left_as_failed_is_named_so_that_it_can_be_removed(world):
    """Seeds 5 and 67: two disks of a restore failed in Azure, stayed there, and no operation named them."""
    world.add_vm("web", {"os": b"system", "data": b"first"}, tags={"tidemark-policy": "daily"})
    point = world.back_up("web", within=timedelta(minutes=15))["restorePoint"]["id"]
    world.cloud.faults.fail_operation("PUT", "/disks/web-data")

    operation = world.restore(point, "north", within=timedelta(minutes=10)).operation

    world.cloud.faults.verify_all_met()
    assert operation["state"] == "failed"
    [back] = operation["outcome"]["disks"]
    disks = {each.id.text for each in made(world, "/disks/")}
    assert len(disks) == 2
    [left] = disks - {back["id"]}
    assert f"Azure reports {left} as Failed" in operation["failure"]


def test_a_backup_asked_for_in_the_minute_of_a_slot_that_is_taken_does_not_take_it_twice(world):
    """Seed 30024: the schedule and a person took the same slot one after the other, and both were offered."""
    vm = world.add_vm("web", {"os": b"system"}, tags={"tidemark-policy": "hourly"})
    world.pass_time(timedelta(hours=1, seconds=30))
    [taken, first] = world.points_of(vm)
    assert f"{taken.slot:%H:%M}" == "17:00"
    assert taken.is_available

    answer = world.ask("POST", "backups", {"vm": vm})

    assert answer.status == 409
    assert answer.body["restorePoint"].endswith(taken.id)
    world.pass_time(timedelta(seconds=30))
    by_hand = world.back_up("web", within=timedelta(minutes=10))
    assert by_hand["state"] == "succeeded"
    slots = [f"{point.slot:%H:%M}" for point in world.points_of(vm) if point.is_available]
    assert slots == ["17:01", "17:00", f"{first.slot:%H:%M}"]


def made(world, kind):
    """Return what restores have made of a kind in the north."""
    group = f"/subscriptions/{world.subscription}/resourceGroups/restored-north/".lower()
    with world.cloud.estate.lock:
        return [each for each in world.cloud.estate.shelf.under(group) if kind in each.id.text]
