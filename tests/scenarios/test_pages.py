"""Copies by pages: only what changed is written into page blobs of any storage account."""

from __future__ import annotations

import pytest

from domain.restore_points import ReplicaState
from domain.vhd import FOOTER_BYTES, footer_fault
from tests.paged_world import AT_ONCE, VAULT, PagedWorld
from tests.world import MIB

PAGED = {"tidemark-policy": "paged"}


@pytest.fixture
def paged(tmp_path, accounts):
    world = PagedWorld(tmp_path, accounts, tempo=AT_ONCE)
    yield world
    world.close()


def exported(world, point):
    """Return what Azure would export of each snapshot of a point, without the footer, by the disk's name."""
    images = {part.disk.name: world.cloud.snapshot_image(part.snapshot_id) for part in point.disks}
    return {name: image.read(0, image.size_bytes) for name, image in images.items()}


def assert_kept(world, point):
    """The vault keeps every disk of a point byte for byte, with a footer that Azure can import."""
    for name, content in exported(world, point).items():
        kept = world.kept(point, name)
        assert kept[:-FOOTER_BYTES] == content, f"{name} of {point.id} differs"
        assert footer_fault(kept[-FOOTER_BYTES:], len(content)) is None


def test_a_disk_is_kept_as_a_page_blob_and_then_by_what_has_changed(paged):
    vm_id = paged.add_vm("web", {"os": b"first" * 1000, "data": b"kept"}, tags=PAGED)
    paged.write("web", "os", b"elsewhere", offset=40 * MIB)
    paged.back_up("web")
    paged.write("web", "os", b"second", offset=10 * MIB)
    paged.machines["web"].disk("os").image.clear(40 * MIB, 512)
    paged.back_up("web")

    second, first = paged.points_of(vm_id)
    assert [point.replicas[VAULT] for point in (first, second)] == [ReplicaState.AVAILABLE] * 2
    assert_kept(paged, first)
    assert_kept(paged, second)
    whole, changed = (paged.copies_of(point)["web-os"].pages for point in (first, second))
    assert (whole.base, whole.why_whole) == (None, "it is the first of its disk there")
    assert changed.base.point == first.id
    assert changed.blob == whole.blob
    assert (changed.written_bytes, changed.cleared_bytes) == (512, 512)
