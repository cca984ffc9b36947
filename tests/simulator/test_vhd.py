"""The footer of a fixed VHD, against the specification."""

from __future__ import annotations

import struct

import pytest

from simulator.vhd import footer, geometry

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
