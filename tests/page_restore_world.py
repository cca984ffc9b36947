"""What stories of restores from page blobs share: an account that is not imported from, and what there is."""

from __future__ import annotations

from datetime import timedelta

from simulator.arm.disk_model import Disk
from tests.paged_world import AT_ONCE, VAULT, PagedWorld
from tests.restored_world import found, made
from tests.world import MIB

PAGED = {"tidemark-policy": "paged"}
LATER = timedelta(hours=3)  # when pruning has looked


class UploadWorld(PagedWorld):
    """The vault is in an account that Azure does not import from."""

    def _told(self):
        told = super()._told()
        del told["locations"][VAULT]["account"]
        return told


def built(kind, tmp_path, accounts, tempo=AT_ONCE):
    world = kind(tmp_path, accounts, tempo=tempo)
    try:
        yield world
        world.assert_histories_replay()
    finally:
        world.close()


def backed_up(world):
    """Back a VM up; return the point, and what its disks held."""
    world.add_vm("web", {"os": b"system" * 1000, "data": b"first"}, tags=PAGED)
    world.write("web", "os", b"elsewhere", offset=40 * MIB)
    return world.back_up("web")["restorePoint"]["id"], on_disks(world)


def on_disks(world):
    disks = [each.disk for each in world.machines["web"].machine.attached]
    return {disk.id.name: disk.image.read(0, disk.image.size_bytes) for disk in disks}


def blobs(world):
    """Return the names of the blobs that restores have made for their imports."""
    there = world.account.resource.containers["replicas"].blobs
    return sorted(name for name in there if name.startswith("restores/"))


def assert_closed(world):
    """Nobody can read or write a restored disk from outside."""
    for disk in found(world, Disk, f"restored-{VAULT}"):
        assert world.cloud.estate.accesses.active(disk.id.key) is None
        assert disk.properties["networkAccessPolicy"] == "DenyAll"


def assert_back(world, operation, contents):
    assert operation["state"] == "succeeded", operation["failure"]
    disks = operation["outcome"]["disks"]
    assert {disk["sourceDisk"]: world.bytes_of(disk["id"]) for disk in disks} == contents
    assert sorted(made(world, VAULT)) == sorted(disk["id"] for disk in disks)
    assert_closed(world)
