"""Restores from page blobs: by import where the account allows it, by upload everywhere else."""

from __future__ import annotations

import pytest

from tests.paged_world import AT_ONCE, VAULT, PagedWorld
from tests.secrets_check import assert_no_secrets
from tests.world import HOME, MIB

PAGED = {"tidemark-policy": "paged"}


class UploadWorld(PagedWorld):
    """The vault is in an account that Azure does not import from."""

    def _told(self):
        told = super()._told()
        del told["locations"][VAULT]["account"]
        return told


@pytest.fixture(params=[PagedWorld, UploadWorld], ids=["import", "upload"])
def paged(request, tmp_path, accounts):
    world = request.param(tmp_path, accounts, tempo=AT_ONCE)
    yield world
    world.assert_histories_replay()
    world.close()


def backed_up(world):
    """Back a VM up twice; return the points, newest first, and what its disks held at the second one."""
    vm_id = world.add_vm("web", {"os": b"first" * 1000, "data": b"kept"}, tags=PAGED)
    world.write("web", "os", b"elsewhere", offset=40 * MIB)
    world.back_up("web")
    world.write("web", "os", b"second", offset=10 * MIB)
    world.back_up("web")
    contents = {
        disk.id.name: disk.image.read(0, disk.image.size_bytes)
        for disk in (each.disk for each in world.machines["web"].machine.attached)
    }
    return [point.id for point in world.points_of(vm_id)], contents


def test_disks_of_a_lost_region_come_back_from_page_blobs_byte_for_byte(paged, caplog):
    (newest, _), contents = backed_up(paged)
    paged.lose_region(HOME)

    back = paged.restore(newest, VAULT)

    assert back.operation["state"] == "succeeded", back.operation["failure"]
    assert back.contents == contents
    assert_no_secrets(paged, caplog.text)
