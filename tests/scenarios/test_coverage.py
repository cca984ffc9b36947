"""Which VMs of a fleet are protected and how far: chosen by tags and selectors, refused, or in part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateways.connection import cloud, use
from simulator.arm.snapshot_model import Snapshot
from tests.conftest import Accounts
from tests.fleet_world import FleetWorld
from tests.restored_world import found, restored
from tests.world import HOME, RECOVERY, START

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OS = {"os": b"system"}


@pytest.fixture
def world(tmp_path: Path, accounts: Accounts) -> Iterator[FleetWorld]:
    """A cloud with two subscriptions."""
    made = FleetWorld(tmp_path, accounts)
    try:
        yield made
        made.assert_histories_replay()
    finally:
        made.close()


def test_vms_of_two_subscriptions_and_several_groups_are_protected_by_tag_and_by_selector(world):
    add, other = world.add, world.other
    add("by-tag", {"os": b"one"}, group="Finance", tags={"Tidemark-Policy": "daily"})
    add("by-tier", {"os": b"two"}, group="hr", tags={"tier": "critical"})
    add("unchosen", OS, group="hr", tags={"tier": "low"})
    add("shop", {"os": b"three"}, group="shop", subscription=other)
    add("shop-test", {"os": b"four"}, group="shop-test", subscription=other)
    add("tagged", {"os": b"five"}, group="shop", tags={"tidemark-policy": "second"}, subscription=other)
    add("kept-out", OS, group="shop", tags={"tidemark-exclude": "true"}, subscription=other)
    world.pass_time(HOUR)

    chosen = {
        "by-tag": ("daily", b"one"),
        "by-tier": ("critical", b"two"),
        "shop": ("shops", b"three"),
        "shop-test": ("shops", b"four"),
        "tagged": ("second", b"five"),  # its tag comes before the selector
    }
    told = {vm["name"]: (vm["policy"], vm["coverage"]) for vm in world.ask("GET", "vms").body["items"]}
    assert told == {name: (policy, "protected") for name, (policy, _) in chosen.items()}
    world.assert_books_and_cloud_agree()
    world.lose_region(HOME)
    for name, (policy, content) in chosen.items():
        [point] = world.points_of(world.machines[name].id)
        [recovery] = cloud().policies.policies[policy].recovery
        back = world.restore(point.id, recovery.name, within=timedelta(minutes=10))
        assert back.disk(f"{name}-os") == content
        assert f"/subscriptions/{recovery.subscription}/" in back.operation["outcome"]["disks"][0]["id"]


def test_a_vm_in_the_wrong_subscription_for_its_policy_is_told_at_sight(world, caplog):
    world.add("lost", OS, tags={"tidemark-policy": "daily"}, subscription=world.other)
    world.pass_time(HOUR)

    vm = world.seen("lost")
    assert f"VM 'lost' is in subscription {world.other}" in vm["problem"]
    assert (vm["coverage"], vm["lastFailure"], vm["newestPoint"]) == ("not", None, None)
    assert not [line for line in caplog.messages if '"backup_failed"' in line]


@pytest.mark.parametrize(
    ("policy", "disks"),
    [
        ("daily", {"os": b"", "data": b"first"}),  # the policy refuses it
        ("lenient", OS),  # nothing would be left
    ],
)
def test_an_ephemeral_os_disk_is_refused_at_sight_and_nothing_is_tried(world, policy, disks, caplog):
    vm_id = world.add("cache", disks, tags={"tidemark-policy": policy}, has_ephemeral_os_disk=True)
    world.pass_time(2 * HOUR)

    assert world.points_of(vm_id) == []
    vm = world.seen("cache")
    assert "VM 'cache' has an ephemeral OS disk, of which Azure takes no snapshot" in vm["problem"]
    assert (vm["coverage"], vm["lastFailure"], vm["nextDue"]) == ("not", None, None)
    assert not [line for line in caplog.messages if '"backup_failed"' in line]
    answer = world.ask("POST", "backups", {"vm": vm_id})
    assert (answer.status, answer.body["errors"][0]["field"]) == (400, "vm")


def test_an_ephemeral_os_disk_is_left_out_by_policy_and_the_other_disks_come_back(world):
    disks, tags = {"os": b"gone", "data": b"first"}, {"tidemark-policy": "lenient"}
    vm_id = world.add("cache", disks, tags=tags, has_ephemeral_os_disk=True)
    world.pass_time(HOUR)

    vm = world.seen("cache")
    assert (vm["problem"], vm["coverage"], vm["leftOut"]) == (None, "partly", ["cache-os"])
    [point] = world.points_of(vm_id)
    world.assert_books_and_cloud_agree()
    world.lose_region(HOME)
    back = world.restore(point.id, "north")
    assert {name: content.rstrip(b"\0") for name, content in back.contents.items()} == {
        "cache-data": b"first"
    }
    answer = world.ask("POST", "restores", {"restorePoint": point.id, "location": "north", "what": "vm"})
    assert answer.status == 400
    assert "ephemeral" in answer.body["errors"][0]["message"]


def test_a_disk_that_is_tagged_to_be_left_out_makes_the_coverage_partly(world):
    disks = {"os": b"system", "scratch": b"nobody cares"}
    vm_id = world.add("web", disks, tags={"tidemark-policy": "daily"})
    world.machines["web"].disk("scratch").resource.tags["Tidemark-Exclude"] = "true"
    world.pass_time(HOUR)

    vm = world.seen("web")
    assert (vm["coverage"], vm["leftOut"], vm["problem"]) == ("partly", ["web-scratch"], None)
    [point] = world.points_of(vm_id)
    assert world.restore(point.id, "north").contents.keys() == {"web-os"}
    assert all("scratch" not in each.id.name for each in found(world, Snapshot, "snapshots-west"))
    world.assert_books_and_cloud_agree()


def encrypted(world):
    """The properties of disks that are encrypted with a key of their owner."""
    keys = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": world.keys[HOME]}
    return {"encryption": keys}


def test_disks_with_a_key_of_their_owner_reach_a_location_that_has_an_encryption_set(world):
    tags = {"tidemark-policy": "keyed"}
    vm_id = world.add("web", {"os": b"system", "data": b"first"}, tags=tags, properties=encrypted(world))
    world.pass_time(HOUR)

    [point] = world.points_of(vm_id)
    assert point.replicas == {"west": "available", "keyed": "available"}
    there = world.keys[RECOVERY]
    for snapshot in found(world, Snapshot, "snapshots-north"):
        assert snapshot.properties["encryption"]["diskEncryptionSetId"] == there
    assert world.seen("web")["coverage"] == "protected"
    world.assert_books_and_cloud_agree()
    world.lose_region(HOME)
    operation = restored(world, restorePoint=point.id, location="keyed", what="vm")
    assert operation["state"] == "succeeded", operation["failure"]
    for disk in operation["outcome"]["disks"]:
        back = world.cloud.disk(disk["id"]).resource
        assert (back.location, back.encryption_set) == (RECOVERY, there.lower())
        assert back.image.read(0, 6).rstrip(b"\0") in (b"system", b"first")


def failures_told(caplog):
    """Return what the events that a backup failed say."""
    lines = [json.loads(line) for line in caplog.messages if line.startswith("{")]
    return [line["message"] for line in lines if line["event"] == "backup_failed"]


def refuse_key(world):
    return world.add("web", OS, tags={"tidemark-policy": "daily"}, properties=encrypted(world))


def refuse_all_excluded(world):
    vm_id = world.add("web", OS, tags={"tidemark-policy": "daily"})
    world.machines["web"].disk("os").resource.tags["tidemark-exclude"] = "true"
    return vm_id


def give_key(world):
    policies = cloud().policies
    north = replace(policies.locations["north"], encryption_set_id=world.keys[RECOVERY])
    daily = replace(policies.policies["daily"], recovery=(north,))
    changed = replace(
        policies,
        locations={**policies.locations, "north": north},
        policies={**policies.policies, "daily": daily},
    )
    use(replace(cloud(), policies=changed))
    for identity in ("backup", "restore"):
        world.cloud.roles.grant(identity, ["Microsoft.Compute/diskEncryptionSets/read"], world.keys[RECOVERY])


def take_tag_off(world):
    del world.machines["web"].disk("os").resource.tags["tidemark-exclude"]


@pytest.mark.parametrize(
    ("add", "mend", "advice"),
    [
        (refuse_key, give_key, "give location 'north' an encryption_set"),
        (refuse_all_excluded, take_tag_off, "take the tag tidemark-exclude off at least one"),
    ],
)
def test_what_somebody_must_change_first_is_tried_once_in_a_slot_and_told_once(
    world, add, mend, advice, caplog
):
    vm_id = add(world)
    world.pass_time(5 * HOUR)

    [point] = world.points_of(vm_id)
    assert (point.state, point.is_refused, point.attempt) == ("failed", True, 1)
    assert found(world, Snapshot, "snapshots-west") == []  # nothing was taken in vain
    [told] = failures_told(caplog)
    assert told == point.failure
    assert advice in told
    assert told.endswith("it is not tried again before the next slot, unless somebody asks for a backup")
    vm = world.seen("web")
    assert (vm["coverage"], vm["lastFailure"], vm["newestPoint"]) == ("not", told, point.id)
    answer = world.ask("POST", "backups", {"vm": vm_id})
    assert (answer.status, advice in answer.body["errors"][0]["message"]) == (400, True)

    mend(world)
    world.jump(START.replace(hour=2) + DAY)
    world.pass_time(HOUR)
    world.pass_hours(18)
    newest, _ = world.points_of(vm_id)
    assert (newest.state, newest.attempt, newest.slot > point.slot) == ("available", 1, True)
    assert len(failures_told(caplog)) == 1
    world.assert_books_and_cloud_agree()
    assert world.restore(newest.id, "north").disk("web-os") == b"system"


def test_what_stays_wrong_is_told_once_for_every_slot(world, caplog):
    vm_id = refuse_key(world)
    world.pass_time(HOUR)
    world.pass_hours(67)

    points = world.points_of(vm_id)
    assert [point.attempt for point in points] == [1, 1, 1, 1]
    assert len(failures_told(caplog)) == 4
