"""Azure throttles one disk of four for 20 minutes: the outcome is stated, and no point mixes two moments."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateways.connection import cloud, use

DISKS = {"os": b"system", "a": b"old a", "b": b"old b", "c": b"old c"}
LATER = {"os": b"system", "a": b"new a", "b": b"new b", "c": b"new c"}
ONE_DISK = "/snapshots/web-web-b-"
PLANTS = [
    pytest.param(lambda faults: faults.fail("PUT", ONE_DISK, status=429, retry_after=1200), id="told once"),
    # Whoever asks again after each minute is told so nine times in 20 minutes, because our own pauses grow.
    pytest.param(
        lambda faults: faults.fail("PUT", ONE_DISK, status=429, retry_after=60, times=9), id="told nine times"
    ),
]


def backed_up_while_throttled(world, plant):
    """Back up a VM whose disks change in the middle of the 20 minutes; return the operation."""
    vm_id = world.add_vm("web", DISKS, tags={"tidemark-policy": "daily"})
    plant(world.cloud.faults)
    operation = world.ask("POST", "backups", {"vm": vm_id}).body["id"]
    world.pass_time(timedelta(minutes=10))
    assert world.operation(operation)["state"] == "running"
    for disk, content in LATER.items():
        world.write("web", disk, content)
    world.pass_time(timedelta(minutes=50))
    world.cloud.faults.verify_all_met()
    return world.operation(operation)


@pytest.mark.parametrize("plant", PLANTS)
def test_disks_taken_20_minutes_apart_are_stated_and_all_are_taken_once_more(world, plant, caplog):
    operation = backed_up_while_throttled(world, plant)

    again, first = world.points_of(world.machines["web"].id)
    told = world.ask("GET", f"restore-points/{first.id}").body
    assert told["state"] == "failed"
    assert "and the policy allows 60 s" in told["failure"]
    assert "as attempt 2" in told["failure"]
    assert told["skewSeconds"] >= 1200
    assert (operation["state"], operation["restorePoint"]["id"]) == ("succeeded", again.id)
    assert world.ask("GET", f"restore-points/{again.id}").body["skewSeconds"] < 60
    assert not [line for line in caplog.messages if '"backup_failed"' in line]  # nobody need do anything
    assert world.seen("web")["coverage"] == "protected"
    world.assert_books_and_cloud_agree()
    back = world.restore(again.id, "north")
    assert {disk: back.disk(f"web-{disk}") for disk in DISKS} == LATER


def test_a_policy_that_allows_it_has_the_disks_20_minutes_apart_and_the_point_says_so(world):
    policies = cloud().policies
    patient = replace(policies.policies["daily"], max_skew=timedelta(hours=1))
    use(replace(cloud(), policies=replace(policies, policies={**policies.policies, "daily": patient})))
    operation = backed_up_while_throttled(world, PLANTS[0].values[0])

    [point] = world.points_of(world.machines["web"].id)
    assert operation["restorePoint"]["id"] == point.id
    assert 1200 <= world.ask("GET", f"restore-points/{point.id}").body["skewSeconds"] < 1260
    world.assert_books_and_cloud_agree()
    back = world.restore(point.id, "north")
    assert {disk: back.disk(f"web-{disk}") for disk in DISKS} == DISKS | {"b": b"new b"}


def test_a_disk_throttled_longer_than_anybody_waits_fails_the_point_and_is_tried_again(world, caplog):
    vm_id = world.add_vm("web", DISKS, tags={"tidemark-policy": "daily"})
    world.cloud.faults.fail("PUT", ONE_DISK, status=429, retry_after=300, times=12)
    operation = world.back_up("web", within=timedelta(hours=4))

    world.cloud.faults.verify_all_met()
    assert operation["state"] == "failed"
    assert "disk 'web-b'" in operation["failure"]
    assert "too many requests have been received" in operation["failure"]
    assert len([line for line in caplog.messages if '"backup_failed"' in line]) == 1
    again, first = world.points_of(vm_id)
    assert (first.state, again.state, again.attempt) == ("failed", "available", 2)
    assert again.slot == first.slot
    world.assert_books_and_cloud_agree()
    assert world.restore(again.id, "north").disk("web-b") == b"old b"
