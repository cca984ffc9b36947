"""What Tidemark must know of a fixed VHD: how long its blob is, and whether its footer is its own."""

from __future__ import annotations

import pytest

from domain.vhd import FOOTER_BYTES, LARGEST_PAGE_BLOB_BYTES, blob_bytes, footer_fault, size_fault
from simulator.data_plane.vhd import footer

MIB = 1024**2
GIB = 1024**3
TIB = 1024**4


def made(place: int, content: bytes, is_summed: bool = True) -> bytes:
    """A footer of 1 GiB with other bytes at one place, and the checksum that belongs to them."""
    changed = bytearray(footer(GIB, "disk"))
    changed[place : place + len(content)] = content
    if is_summed:
        changed[64:68] = bytes(4)
        changed[64:68] = (~sum(changed) & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(changed)


@pytest.mark.parametrize("size_bytes", [MIB, 4 * GIB, 127 * GIB, 8 * TIB - GIB, 32 * TIB])
def test_a_footer_as_the_specification_has_it_is_found_right(size_bytes):
    assert footer_fault(footer(size_bytes, "disk"), size_bytes) is None


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (b"", "has 0 bytes"),  # a blob without its last page
        (footer(GIB, "disk")[:511], "has 511 bytes"),  # an old form of the footer
        (bytes(512), "cookie"),  # the page was never written: a disk that was copied without its footer
        (footer(GIB, "disk")[256:] + footer(GIB, "disk")[:256], "cookie"),  # written to a wrong offset
        (made(0, b"cxsparse"), "cookie"),  # the header of another kind of VHD
        (made(100, b"x", is_summed=False), "checksum"),  # a page of two writes
        (made(60, (3).to_bytes(4, "big")), "type 3"),  # a dynamic disk
        (footer(2 * GIB, "disk"), f"a disk of {2 * GIB} bytes"),  # the disk grew, its footer did not follow
        (made(48, bytes(8)), "a disk of 0 bytes"),
    ],
)
def test_what_is_wrong_with_a_footer_is_told(wrong, told):
    assert told in footer_fault(wrong, GIB)


def test_no_byte_of_a_footer_can_change_unnoticed():
    right = footer(GIB, "disk")
    for place in range(FOOTER_BYTES):
        assert footer_fault(made(place, bytes([right[place] ^ 1]), is_summed=False), GIB), place


@pytest.mark.parametrize(
    ("disk_bytes", "told"),
    [
        (GIB, None),
        (LARGEST_PAGE_BLOB_BYTES - MIB, None),
        (LARGEST_PAGE_BLOB_BYTES, "do not fit"),  # by its footer
        (32 * TIB, "do not fit"),
        (GIB + 512, "whole MiB"),
        (0, "whole MiB"),
    ],
)
def test_a_disk_that_cannot_be_a_page_blob_is_told(disk_bytes, told):
    fault = size_fault(disk_bytes)
    assert fault is None if told is None else told in fault
    assert blob_bytes(disk_bytes) == disk_bytes + 512
