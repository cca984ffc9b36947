"""What goes wrong with restores: it is told at once, waited for, or finished by the next run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateways.connection import cloud
from simulator.arm import snapshots
from simulator.arm.machine_model import VirtualMachine
from simulator.arm.snapshot_model import Snapshot
from tests.restored_world import CONTENTS, EXPECTED, add_web, asked, attached, found, made, restored
from tests.world import HOME, MIB, RECOVERY


@pytest.fixture
def web(world):
    return add_web(world)


def test_every_fault_is_listed_at_once_and_nothing_is_made(world, web):
    point = world.back_up("web")["restorePoint"]["id"]
    group = "restored-north"
    world.cloud.add_virtual_machine("web", RECOVERY, group, {"os": 64 * MIB})  # somebody else's
    before = made(world, "north")
    lost = cloud().catalogue.copies.find(world.points_of(web.id)[0], "north")[0]
    locations = cloud().policies.locations
    snapshot = locations["north"].snapshot_id(lost.target_name)
    remove_snapshot(world, snapshot)
    away = locations["west"].subnet_id

    operation = restored(world, restorePoint=point, location="north", what="vm", subnet=away)

    assert operation["state"] == "failed"
    faults = {fault["field"]: fault["message"] for fault in operation["outcome"]["faults"]}
    assert faults.keys() == {"subnet", "name", "restorePoint"}
    assert f"is in {HOME}" in faults["subnet"]
    assert "there is a VM" in faults["name"]
    assert snapshot in faults["restorePoint"]
    assert all(message in operation["failure"] for message in faults.values())
    assert made(world, "north") == before


def remove_snapshot(world, snapshot_id):
    """Let a snapshot be gone, as if somebody had deleted it by hand."""
    with world.cloud.estate.lock:
        snapshots.remove(world.cloud.estate.shelf.find(Snapshot, snapshot_id))


def test_a_group_that_is_missing_is_a_fault_too(world, web):
    point = world.back_up("web")["restorePoint"]["id"]
    groups = world.cloud.estate.subscriptions[world.subscription.lower()].groups
    del groups["restored-north"]

    operation = restored(world, restorePoint=point, location="north")

    [fault] = operation["outcome"]["faults"]
    assert fault["field"] == "location"
    assert "there is no resource group" in fault["message"]


@pytest.mark.parametrize("what", ["disks", "vm"])
def test_a_location_that_is_lost_is_told_within_minutes_with_the_one_to_use_instead(world, web, what):
    point = world.back_up("web")["restorePoint"]["id"]
    world.lose_region(HOME)

    operation = restored(world, timedelta(minutes=10), restorePoint=point, location="west", what=what)

    assert operation["state"] == "failed"
    assert "location 'west' cannot be reached now" in operation["failure"]
    assert "also available in north" in operation["failure"]
    assert made(world, "west") == []


def test_a_location_that_comes_back_in_between_is_waited_for(world, web):
    point = world.back_up("web")["restorePoint"]["id"]
    world.lose_region(HOME)
    operation = asked(world, {"restorePoint": point, "location": "west", "what": "vm"})
    world.pass_time(timedelta(minutes=2))
    world.bring_back_region(HOME)
    world.pass_time(timedelta(minutes=10))

    assert world.operation(operation)["state"] == "succeeded"


def test_the_disks_of_a_vm_are_told_as_ready_while_the_vm_is_being_made(world, web):
    point = world.back_up("web")["restorePoint"]["id"]
    operation = asked(world, {"restorePoint": point, "location": "north", "what": "vm"})
    world.pass_time(timedelta(seconds=30))

    told = world.operation(operation)
    assert (told["state"], told["vm"]["state"]) == ("running", "planned")
    assert {disk["state"] for disk in told["disks"]} == {"ready"}


def test_a_location_that_is_lost_in_the_middle_is_told_with_the_one_to_use_instead(world, web):
    point = world.back_up("web")["restorePoint"]["id"]
    operation = asked(world, {"restorePoint": point, "location": "west", "what": "vm"})
    world.pass_time(timedelta(seconds=1))
    assert made(world, "west")
    world.lose_region(HOME)
    world.pass_time(timedelta(hours=4))

    told = world.operation(operation)
    assert told["state"] == "failed"
    assert "also available in north" in told["failure"]


@pytest.mark.parametrize("seconds", [0, 1, 6, 15, 30, 60])
def test_a_restore_that_is_cut_off_is_finished_by_the_next_watch_and_makes_nothing_twice(world, web, seconds):
    point = world.back_up("web")["restorePoint"]["id"]
    operation = asked(world, {"restorePoint": point, "location": "north", "what": "vm"})
    world.pass_time(timedelta(seconds=seconds))
    assert world.operation(operation)["state"] in ("accepted", "running")
    before = made(world, "north")
    world.host.terminate(f"restore:{operation}", "a test")
    world.pass_time(timedelta(minutes=30))

    told = world.operation(operation)
    assert told["state"] == "succeeded", told["failure"]
    [machine] = found(world, VirtualMachine, "restored-north")
    assert attached(machine) == EXPECTED
    everything = made(world, "north")
    assert len(everything) == len(CONTENTS) + 2  # the VM and its interface
    assert set(before) <= set(everything)


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (
            lambda faults: faults.fail_operation("PUT", "/virtualMachines/", code="AllocationFailed"),
            "virtualMachines/web as Failed",
        ),
        (
            lambda faults: faults.fail("PUT", "/virtualMachines/", status=409, code="SkuNotAvailable"),
            "SkuNotAvailable",
        ),
    ],
)
def test_a_vm_that_azure_cannot_make_is_told_with_what_is_there(world, web, plant, said):
    point = world.back_up("web")["restorePoint"]["id"]
    plant(world.cloud.faults)

    operation = restored(world, restorePoint=point, location="north", what="vm")

    world.cloud.faults.verify_all_met()
    assert operation["state"] == "failed"
    assert said in operation["failure"]
    assert operation["vm"]["state"] == "failed"
    outcome = operation["outcome"]
    left = [*(disk["id"] for disk in outcome["disks"]), outcome["interface"]["id"]]
    assert sorted(left) == sorted(each for each in made(world, "north") if "virtualMachines" not in each)
    assert outcome["notCarried"]


@pytest.mark.parametrize(
    "plant",
    [
        lambda faults: faults.drop("PUT", "/virtualMachines/", after_executing=True),
        lambda faults: faults.fail("PUT", "/virtualMachines/", status=500, after_executing=True),
        lambda faults: faults.fail("PUT", "/networkInterfaces/", status=500, after_executing=True, times=1),
        lambda faults: faults.fail("PUT", "/networkInterfaces/", status=429, retry_after=600),
        lambda faults: faults.fail("GET", "/virtualNetworks/", status=429, retry_after=600),
        lambda faults: faults.fail("GET", "/virtualMachines/", status=503, times=3),
    ],
)
def test_what_passes_by_itself_makes_a_restore_later_and_nothing_twice(world, web, plant):
    point = world.back_up("web")["restorePoint"]["id"]
    plant(world.cloud.faults)

    operation = restored(world, restorePoint=point, location="north", what="vm")

    world.cloud.faults.verify_all_met()
    assert operation["state"] == "succeeded", operation["failure"]
    assert len(made(world, "north")) == len(CONTENTS) + 2
