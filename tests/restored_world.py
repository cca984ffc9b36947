"""What stories of restores share: a VM with something of everything, and what the cloud has of restores."""

from __future__ import annotations

from simulator.arm.disk_model import Disk
from simulator.arm.machine_model import AttachedDisk, VirtualMachine
from simulator.arm.network_models import NetworkInterface
from tests.world import BUSY, HOME, MIB

CONTENTS = {"os": b"system", "data": b"first", "logs": b"lines"}
LUNS = {"data": 3, "logs": 7}
POLICY = {"tidemark-policy": "daily", "owner": "shop"}


def add_web(world):
    """Add a VM in zone 2 with an OS disk and two data disks, of which one has its cache for reading."""
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


def restored(world, within=BUSY, **order):
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
