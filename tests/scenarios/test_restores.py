"""Whole VMs, some disks, the newest point before a moment: what comes back, or why it does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateways.connection import cloud
from simulator.arm import snapshots
from simulator.arm.disk_model import Disk
from simulator.arm.machine_model import AttachedDisk, VirtualMachine
from simulator.arm.network_models import NetworkInterface
from simulator.arm.snapshot_model import Snapshot
from simulator.world_handles import DiskSpec
from tests.world import HOME, MIB, RECOVERY

CONTENTS = {"os": b"system", "data": b"first", "logs": b"lines"}
LUNS = {"data": 3, "logs": 7}
POLICY = {"tidemark-policy": "daily", "owner": "shop"}


@pytest.fixture
def web(world):
    """A VM in zone 2 with an OS disk and two data disks, of which one has its cache for reading."""
    machine = world.cloud.add_virtual_machine(
        "web", HOME, "production", dict.fromkeys(CONTENTS, 64 * MIB), tags=POLICY, zones=["2"]
    )
    world.machines["web"] = machine
    machine.machine.data[:] = [
        AttachedDisk(each.disk, {**each.settings, "caching": caching}, lun)
        for each, caching, lun in zip(machine.machine.data, ("ReadOnly", "None"), LUNS.values(), strict=True)
    ]
    for name, content in CONTENTS.items():
        world.write("web", name, content)
    return machine


def asked(world, order):
    answer = world.ask("POST", "restores", order)
    assert answer.status == 202, answer.body
    return answer.body["id"]


def restored(world, within=timedelta(minutes=30), **order):
    """Restore, and return the operation as the API tells it afterwards."""
    operation = asked(world, order)
    world.pass_time(within)
    return world.operation(operation)


def found(world, kind, group):
    """Return what the cloud has of a kind in a resource group."""
    prefix = f"/subscriptions/{world.subscription}/resourcegroups/{group}/".lower()
    with world.cloud.estate.lock:
        return [each for each in world.cloud.estate.shelf.under(prefix) if isinstance(each, kind)]


def made(world, location):
    """Return everything that restores have made in a location."""
    kinds = (Disk, VirtualMachine, NetworkInterface)
    return [each.id.text for kind in kinds for each in found(world, kind, f"restored-{location}")]


def attached(machine):
    """Return what a VM has: by LUN (None for the OS disk), the first bytes of the disk, and its caching."""
    return {
        each.lun: (each.disk.image.read(0, 16).rstrip(b"\0"), each.settings["caching"])
        for each in machine.attached
    }


EXPECTED = {None: (b"system", "ReadWrite"), 3: (b"first", "ReadOnly"), 7: (b"lines", "None")}


def test_a_vm_lost_with_its_region_runs_again_in_the_other_with_every_disk_in_its_place(world, web):
    point = world.back_up("web")["restorePoint"]["id"]
    world.write("web", "data", b"newer")
    world.lose_region(HOME)

    operation = restored(world, restorePoint=point, location="north", what="vm")

    assert operation["state"] == "succeeded", operation["failure"]
    [machine] = found(world, VirtualMachine, "restored-north")
    assert attached(machine) == EXPECTED
    assert (machine.id.name, machine.location, machine.power) == ("web", RECOVERY, "running")
    assert machine.properties["hardwareProfile"] == {"vmSize": "Standard_E8s_v5"}
    assert (machine.zones, {tuple(each.disk.zones) for each in machine.attached}) == (["3"], {("3",)})
    assert machine.tags == {
        "owner": "shop", "tidemark-point": point, "tidemark-operation": operation["id"],
    }  # fmt: skip
    [interface] = found(world, NetworkInterface, "restored-north")
    assert interface.machine is machine
    told = operation["outcome"]["vm"]
    assert (told["id"], told["size"], told["zones"]) == (machine.id.text, "Standard_E8s_v5", ["3"])
    assert operation["outcome"]["interface"] == {"id": interface.id.text, "address": "10.0.0.4"}
    assert operation["vm"] == {"name": "web", "id": machine.id.text, "state": "ready"}


def test_what_cannot_be_carried_is_told(world, web):
    web.machine.beside["identity"] = {"type": "SystemAssigned", "principalId": "p", "tenantId": "t"}
    web.machine.properties["priority"] = "Spot"
    web.machine.properties["settingOfTomorrow"] = {"is": "on"}
    point = world.back_up("web")["restorePoint"]["id"]

    operation = restored(world, restorePoint=point, location="north", what="vm")

    left = {told["what"]: told["why"] for told in operation["outcome"]["notCarried"]}
    assert {"identity", "priority", "settingOfTomorrow", "osProfile", "tag tidemark-policy of the VM"} <= (
        left.keys()
    )
    assert "network interfaces: web-nic" in left
    assert "backed up from its first minute" in left["tag tidemark-policy of the VM"]
    assert all(left.values())


def test_a_vm_comes_back_at_home_under_another_name_as_it_was(world, web):
    point = world.back_up("web")["restorePoint"]["id"]
    world.write("web", "os", b"broken")

    operation = restored(world, restorePoint=point, location="west", what="vm", name="web-restored")

    assert operation["state"] == "succeeded", operation["failure"]
    [machine] = found(world, VirtualMachine, "restored-west")
    assert (machine.id.name, attached(machine)) == ("web-restored", EXPECTED)
    assert (machine.zones, machine.properties["hardwareProfile"]["vmSize"]) == (["2"], "Standard_D4s_v5")
    assert web.machine.attached[0].disk.image.read(0, 6) == b"broken"  # the old one is left as it is


def test_a_vm_that_trusts_its_boot_comes_back_so(world):
    secure = {"securityProfile": {"securityType": "TrustedLaunch"}}
    machine = world.cloud.add_virtual_machine(
        "safe", HOME, "production", {"os": DiskSpec(64 * MIB, properties=secure)}, tags=POLICY
    )
    world.machines["safe"] = machine
    uefi = {"secureBootEnabled": True, "vTpmEnabled": True}
    machine.machine.properties["securityProfile"] = {"securityType": "TrustedLaunch", "uefiSettings": uefi}
    point = world.back_up("safe")["restorePoint"]["id"]

    operation = restored(world, restorePoint=point, location="north", what="vm")

    assert operation["state"] == "succeeded", operation["failure"]
    [back] = found(world, VirtualMachine, "restored-north")
    assert back.properties["securityProfile"] == {"securityType": "TrustedLaunch", "uefiSettings": uefi}
    assert back.os_disk.properties["hyperVGeneration"] == "V2"


def test_only_the_disks_that_are_named_come_back(world, web):
    point = world.back_up("web")["restorePoint"]["id"]

    operation = restored(world, restorePoint=point, location="north", disks=["WEB-data"])

    [disk] = operation["outcome"]["disks"]
    assert (disk["sourceDisk"], disk["lun"]) == ("web-data", 3)
    assert world.bytes_of(disk["id"])[:5] == b"first"
    assert made(world, "north") == [disk["id"]]
    assert [each["name"] for each in operation["disks"]] == ["web-data"]


def test_the_newest_point_before_a_moment_comes_back(world, web):
    world.back_up("web")
    world.write("web", "data", b"second")
    before = world.clock.now()
    world.write("web", "data", b"third!")
    world.back_up("web")

    operation = restored(world, vm=web.id, before=before.isoformat(), location="north", what="vm")

    [machine] = found(world, VirtualMachine, "restored-north")
    assert attached(machine)[3][0] == b"first"
    assert operation["outcome"]["vm"]["id"] == machine.id.text


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


@pytest.mark.parametrize("minutes", [0, 1, 2])
def test_a_restore_that_is_cut_off_is_finished_by_the_next_watch_and_makes_nothing_twice(world, web, minutes):
    point = world.back_up("web")["restorePoint"]["id"]
    operation = asked(world, {"restorePoint": point, "location": "north", "what": "vm"})
    world.pass_time(timedelta(minutes=minutes, seconds=5))
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


def test_disks_that_exist_in_zones_only_stand_in_the_mapped_zone(world):
    """Azure takes Premium SSD v2 and Ultra disks in a zone alone, wherever a region has zones."""
    machine = world.cloud.add_virtual_machine(
        "fast", HOME, "production", {"os": 64 * MIB, "data": DiskSpec(64 * MIB, "PremiumV2_LRS")},
        tags={"tidemark-policy": "twice"}, zones=["1"],
    )  # fmt: skip
    world.machines["fast"] = machine
    world.write("fast", "data", b"first")
    point = world.back_up("fast", within=timedelta(hours=2))["restorePoint"]["id"]

    operation = restored(world, restorePoint=point, location="north", what="vm")
    assert operation["state"] == "succeeded", operation["failure"]
    [back] = found(world, VirtualMachine, "restored-north")
    assert attached(back)[0][0] == b"first"
    assert {(each.disk.sku, *each.disk.zones) for each in back.attached} == {
        ("Premium_LRS", "2"),
        ("PremiumV2_LRS", "2"),
    }

    answer = world.ask("POST", "restores", {"restorePoint": point, "location": "south", "what": "vm"})
    assert answer.status == 400  # the south maps no zones
    [fault] = answer.body["errors"]
    assert "'fast-data' is PremiumV2_LRS, which exists in zones only" in fault["message"]


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (
            lambda faults: faults.fail_operation("PUT", "/virtualMachines/", code="AllocationFailed"),
            "VM: Azure reports it as Failed",
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


def test_from_either_of_two_recovery_locations_a_vm_comes_back(world):
    world.add_vm("shop", {"os": b"system", "data": b"first"}, tags={"tidemark-policy": "twice"})
    point = world.back_up("shop", within=timedelta(hours=2))["restorePoint"]["id"]
    world.lose_region(HOME)

    for location in ("north", "south"):
        operation = restored(world, restorePoint=point, location=location, what="vm")
        assert operation["state"] == "succeeded", operation["failure"]
        [machine] = found(world, VirtualMachine, f"restored-{location}")
        assert attached(machine) == {None: (b"system", "ReadWrite"), 0: (b"first", "None")}
