"""VMs change between two backups, and while one is taken: what each restore point holds stays right."""

from __future__ import annotations

from datetime import timedelta

import pytest

from simulator.arm import disks, machines
from simulator.arm.machine_model import VirtualMachine
from simulator.arm.snapshot_model import Snapshot
from simulator.world_handles import DiskSpec
from tests.operator import Operator
from tests.restored_world import found, restored
from tests.world import HOME, MIB

PROTECTED = {"tidemark-policy": "daily"}
DISKS = {"os": b"system", "data": b"first"}
HOUR = timedelta(hours=1)
TIB = 1 << 40
GIB = 1 << 30


@pytest.fixture
def operator(world):
    return Operator(world)


def contents(world, point, location="north"):
    """Restore a point, and return the first bytes of its disks by name."""
    operation = restored(world, restorePoint=point, location=location)
    assert operation["state"] == "succeeded", operation["failure"]
    return {
        disk["sourceDisk"]: world.cloud.disk(disk["id"]).image.read(0, 16).rstrip(b"\0")
        for disk in operation["outcome"]["disks"]
    }


def test_a_disk_replaced_under_its_name_is_another_disk_and_each_point_has_its_own(world, operator):
    world.add_vm("web", DISKS, tags=PROTECTED)
    first = world.back_up("web")["restorePoint"]["id"]
    operator.replace("web", "web-data", b"another")
    second = world.back_up("web")["restorePoint"]["id"]

    copied = [copy.whole for copy in world.cloud.meter.copies if "web-data" in copy.target]
    assert copied == [True, True]  # there is nothing that the new disk differs from
    families = {
        each.family.id
        for each in found(world, Snapshot, "snapshots-north")
        if each.id.name.startswith("web-web-data")
    }
    assert len(families) == 2
    world.assert_books_and_cloud_agree()
    world.lose_region(HOME)
    assert contents(world, first) == {"web-os": b"system", "web-data": b"first"}
    assert contents(world, second) == {"web-os": b"system", "web-data": b"another"}


def test_a_disk_that_grows_beyond_4_tib_comes_back_in_the_size_of_each_slot(world, operator):
    world.machines["web"] = machine = world.cloud.add_virtual_machine(
        "web", HOME, "production", {"os": 64 * MIB, "data": DiskSpec(4 * TIB)}, tags=PROTECTED
    )
    image = machine.disk("data").image
    image.write(4 * TIB - 512, b"x" * 512)
    first = world.back_up("web")["restorePoint"]["id"]
    operator.grow("web", "web-data", 4097)
    image.write(4 * TIB, b"y" * 512)
    second = world.back_up("web")["restorePoint"]["id"]

    world.assert_books_and_cloud_agree()
    world.lose_region(HOME)
    for point, size, at_the_end in (
        (first, 4 * TIB, b"x" * 512),
        (second, 4 * TIB + GIB, b"x" * 512 + b"y" * 512),
    ):
        operation = restored(world, restorePoint=point, location="north", disks=["web-data"])
        back = world.cloud.disk(operation["outcome"]["disks"][0]["id"]).image
        assert back.size_bytes == size
        assert back.read(4 * TIB - 512, len(at_the_end)) == at_the_end


def test_a_disk_that_is_added_or_removed_is_in_the_points_of_the_slots_at_which_it_was_there(world, operator):
    vm_id = world.add_vm("web", DISKS, tags=PROTECTED)
    points = [world.back_up("web")["restorePoint"]["id"]]
    operator.make_disk("web-logs", b"lines")
    operator.attach("web", "web-logs", lun=5)
    points.append(world.back_up("web")["restorePoint"]["id"])
    operator.detach("web", "web-data")
    operator.delete_disk("web-data")
    points.append(world.back_up("web")["restorePoint"]["id"])

    assert world.seen("web")["coverage"] == "protected"
    assert len(world.points_of(vm_id)) == len(points)
    world.assert_books_and_cloud_agree()
    world.lose_region(HOME)
    assert [contents(world, point) for point in points] == [
        {"web-os": b"system", "web-data": b"first"},
        {"web-os": b"system", "web-data": b"first", "web-logs": b"lines"},
        {"web-os": b"system", "web-logs": b"lines"},
    ]


def test_a_disk_replaced_while_it_is_backed_up_fails_the_attempt_and_the_next_one_takes_the_new_disk(
    world, operator, caplog
):
    vm_id = world.add_vm("web", DISKS, tags=PROTECTED)
    world.cloud.faults.fail("PUT", "/snapshots/web-web-data", status=429, retry_after=1200)
    world.pass_time(timedelta(minutes=6))  # the VM is described, and the snapshot is waited for
    operator.replace("web", "web-data", b"another")
    world.pass_time(HOUR)

    world.cloud.faults.verify_all_met()
    again, first = world.points_of(vm_id)
    assert (first.state, again.state) == ("failed", "available")
    assert (first.slot, first.attempt, again.attempt) == (again.slot, 1, 2)
    assert "disk 'web-data' was replaced by another one of the same name" in first.failure
    assert len([line for line in caplog.messages if '"backup_failed"' in line]) == 1
    assert contents(world, again.id) == {"web-os": b"system", "web-data": b"another"}

    world.pass_time(2 * HOUR)  # what the first attempt took is nobody's, and goes
    names = {each.id.text.lower() for each in found(world, Snapshot, "snapshots-west")}
    assert names == {part.snapshot_id.lower() for part in again.disks}
    world.assert_books_and_cloud_agree()


def test_a_vm_deleted_before_its_disks_are_taken_fails_once_and_is_not_tried_again(world, operator, caplog):
    vm_id = world.add_vm("web", DISKS, tags=PROTECTED)
    world.cloud.faults.fail("PUT", "/snapshots/web-web-data", status=429, retry_after=1200)
    world.pass_time(timedelta(minutes=6))
    operator.delete_vm("web", "web-os", "web-data")
    world.pass_time(4 * HOUR)

    world.cloud.faults.verify_all_met()
    [point] = world.points_of(vm_id)
    assert (point.state, point.attempt) == ("failed", 1)
    assert "disk 'web-data'" in point.failure
    assert len([line for line in caplog.messages if '"backup_failed"' in line]) == 1
    vm = world.seen("web")
    assert (vm["nextDue"], vm["isOverdue"], vm["coverage"]) == (None, False, "not")
    assert "Azure does not list it any more" in vm["problem"]
    assert found(world, Snapshot, "snapshots-west") == []
    world.assert_books_and_cloud_agree()


def test_a_vm_deleted_before_it_is_described_is_told_and_not_tried_again(world, operator, caplog):
    vm_id = world.add_vm("web", DISKS, tags=PROTECTED)
    world.cloud.faults.fail("GET", "/virtualMachines/web", status=429, retry_after=600)
    world.pass_time(timedelta(minutes=6))
    operator.delete_vm("web")
    world.pass_time(4 * HOUR)

    world.cloud.faults.verify_all_met()
    assert world.points_of(vm_id) == []
    assert len([line for line in caplog.messages if '"backup_failed"' in line]) == 1
    assert "not found" in world.seen("web")["lastFailure"]

    world.add_vm("web", {"os": b"another"}, tags=PROTECTED)  # a new VM of the old name
    world.pass_time(HOUR)
    [point] = world.points_of(vm_id)
    assert contents(world, point.id) == {"web-os": b"another"}
    assert world.seen("web")["coverage"] == "protected"


def test_a_vm_deleted_after_all_its_disks_are_taken_has_a_point_that_comes_back(world):
    vm_id = world.add_vm("web", DISKS, tags=PROTECTED)
    operation = world.ask("POST", "backups", {"vm": vm_id}).body["id"]
    world.pass_time(timedelta(seconds=2))
    remove(world, "web")
    assert world.operation(operation)["state"] == "running"
    world.pass_time(HOUR)

    assert world.operation(operation)["state"] == "succeeded"
    [point] = world.points_of(vm_id)
    assert point.replicas == {"west": "available", "north": "available"}
    world.assert_books_and_cloud_agree()
    brought_back = restored(world, restorePoint=point.id, location="north", what="vm")
    assert brought_back["state"] == "succeeded"
    [machine] = found(world, VirtualMachine, "restored-north")
    assert [each.disk.image.read(0, 6).rstrip(b"\0") for each in machine.attached] == [b"system", b"first"]


def remove(world, name):
    """Let a VM and its disks be gone at once, which through Azure takes half a minute."""
    machine = world.machines[name].machine
    with world.cloud.estate.lock:
        world.cloud.estate.timeline.settle()
        machines.remove(world.cloud.estate, machine)
        for each in machine.attached:
            disks.remove(each.disk)
