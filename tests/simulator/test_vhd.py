"""The footer of a fixed VHD, against the specification."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.data_plane.vhd import Vhd, footer, geometry
from simulator.images import ImageStore
from simulator.images.ranges import PageRange

GIB = 1024**3


def test_the_footer_has_the_fields_of_the_specification():
    made = footer(4 * GIB, "disk")
    assert len(made) == 512
    assert made[:8] == b"conectix"
    features, version, data_offset = struct.unpack(">IIQ", made[8:24])
    assert (features, version, data_offset) == (2, 0x10000, 0xFFFFFFFFFFFFFFFF)
    assert struct.unpack(">QQ", made[40:56]) == (4 * GIB, 4 * GIB)
    assert struct.unpack(">HBB", made[56:60]) == geometry(4 * GIB // 512)
    assert struct.unpack(">I", made[60:64]) == (2,)  # a fixed disk
    assert made[84:] == bytes(428)


@pytest.mark.parametrize("size_bytes", [20 * 1024**2, 4 * GIB, 32 * 1024 * GIB])
def test_the_checksum_is_the_complement_of_the_sum_of_all_other_bytes(size_bytes):
    made = footer(size_bytes, "disk")
    (checksum,) = struct.unpack(">I", made[64:68])
    assert checksum == 0xFFFFFFFF - sum(made[:64] + made[68:])


def test_one_disk_keeps_its_footer_and_two_disks_differ():
    assert footer(GIB, "Disk") == footer(GIB, "disk")
    assert footer(GIB, "disk") != footer(GIB, "other")
    assert footer(GIB, "disk") != footer(2 * GIB, "disk")


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [
        # By hand, from the pseudo code of the specification's appendix.
        (20 * 1024**2, (602, 4, 17)),  # the least number of heads
        (64 * 1024**2, (963, 8, 17)),  # 7710 tracks of 17 need eight heads
        (200 * 1024**2, (825, 16, 31)),  # more than 16 heads of 17 sectors: 31
        (1024**3, (2080, 16, 63)),
        (127 * GIB, (65278, 16, 255)),
        (32 * 1024 * GIB, (65535, 16, 255)),  # the geometry ends here; the size field goes on
    ],
)
def test_the_geometry_follows_the_appendix(size_bytes, expected):
    assert geometry(size_bytes // 512) == expected


# What happens to a disk of 16 pages: pages written, pages cleared, or the disk grown by a few pages.
steps = st.lists(
    st.tuples(st.sampled_from(["write", "clear", "grow"]), st.integers(0, 15), st.integers(1, 6)), max_size=8
)


@given(before=steps, between=steps)
def test_an_exported_disk_and_the_changes_make_the_next_one_footer_included(before, between):
    store = ImageStore()
    disk = store.create(16 * 512)

    def run(steps):
        for kind, page, count in steps:
            length = min(count * 512, disk.size_bytes - page * 512)
            if kind == "write":
                disk.write(page * 512, bytes([page + 1]) * length)
            elif kind == "clear":
                disk.clear(page * 512, length)
            else:
                disk.resize(disk.size_bytes + count * 512)
        return Vhd(disk.freeze_copy(), "disk")

    older, newer = run(before), run(between)
    was, now = content(older), content(newer)
    rebuilt = bytearray(was.ljust(len(now), b"\0"))
    last_end = 0
    for start, end, is_clear in newer.changes_since(older, 0, newer.length):
        assert last_end <= start < end
        rebuilt[start:end] = bytes(end - start) if is_clear else now[start:end]
        last_end = end
    assert rebuilt == now
    assert sum(each.end - each.start for each in newer.page_ranges(0, newer.length)) >= 512
    written = bytearray(len(now))
    for start, end, _ in newer.page_ranges(0, newer.length):
        written[start:end] = now[start:end]
    assert written == now
    store.close()


def content(vhd: Vhd) -> bytes:
    return b"".join(block for part in vhd.parts(0, vhd.length) for block in part.blocks())


def test_bytes_across_the_border_of_disk_and_footer_are_one_stretch():
    store = ImageStore()
    disk = store.create(1024)
    disk.write(1000, b"x" * 24)
    vhd = Vhd(disk, "disk")
    whole = content(vhd)
    assert whole[1000:1032] == b"x" * 24 + b"conectix"
    for start, end in [(0, 1), (1000, 1030), (1024, 1536), (1030, 1031), (1535, 1536)]:
        read = b"".join(block for part in vhd.parts(start, end) for block in part.blocks())
        assert read == whole[start:end]
    assert list(vhd.page_ranges(0, 1536)) == [PageRange(512, 1536)]
    store.close()
