"""Whole VMs, some disks, the newest point before a moment: each comes back as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest

from simulator.arm.machine_model import VirtualMachine
from simulator.arm.network_models import NetworkInterface
from simulator.world_handles import DiskSpec
from tests.restored_world import EXPECTED, POLICY, add_web, attached, found, made, restored
from tests.world import HOME, MIB, RECOVERY


@pytest.fixture
def web(world):
    return add_web(world)


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


def test_a_disk_with_sectors_that_its_type_has_not_is_refused_early_and_the_others_come_back(world):
    disks = {"os": 64 * MIB, "data": DiskSpec(64 * MIB, "PremiumV2_LRS"), "logs": 64 * MIB}
    machine = world.cloud.add_virtual_machine(
        "fast", HOME, "production", disks, tags={"tidemark-policy": "daily"}, zones=["1"]
    )
    world.machines["fast"] = machine
    world.write("fast", "logs", b"lines")
    machine.disk("data").resource.sku = "Premium_LRS"  # as after a change of its type, which keeps sectors
    point = world.back_up("fast", within=timedelta(hours=2))["restorePoint"]["id"]
    order = {"restorePoint": point, "location": "north"}

    for what in ("vm", "disks"):
        answer = world.ask("POST", "restores", order | {"what": what})
        assert answer.status == 400
        assert [fault["field"] for fault in answer.body["errors"]] == ["disks"]
        assert "disk 'fast-data' has sectors of 4096 bytes" in answer.body["errors"][0]["message"]
    assert made(world, "north") == []

    operation = restored(world, **order, disks=["fast-os", "fast-logs"])
    assert operation["state"] == "succeeded", operation["failure"]
    contents = {each["sourceDisk"]: world.bytes_of(each["id"]) for each in operation["outcome"]["disks"]}
    assert contents.keys() == {"fast-os", "fast-logs"}
    assert contents["fast-logs"].rstrip(b"\0") == b"lines"


def test_from_either_of_two_recovery_locations_a_vm_comes_back(world):
    world.add_vm("shop", {"os": b"system", "data": b"first"}, tags={"tidemark-policy": "twice"})
    point = world.back_up("shop", within=timedelta(hours=2))["restorePoint"]["id"]
    world.lose_region(HOME)

    for location in ("north", "south"):
        operation = restored(world, restorePoint=point, location=location, what="vm")
        assert operation["state"] == "succeeded", operation["failure"]
        [machine] = found(world, VirtualMachine, f"restored-{location}")
        assert attached(machine) == {None: (b"system", "ReadWrite"), 0: (b"first", "None")}
