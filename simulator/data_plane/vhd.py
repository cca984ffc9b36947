"""A disk as Azure exports it: a fixed VHD, which is the disk's bytes and a footer of 512 bytes.

Sources: Virtual Hard Disk Image Format Specification, version 1.0 (Microsoft, October 2006), "Hard Disk
Footer Format" and the appendix "CHS Calculation"; azure-semantics.md §4.5 for where Azure uses it.

Own choice: the footer's time stamp is zero and its unique id derives from the family (or the disk), so that
all snapshots of one disk have the same footer as long as the disk keeps its size. What Azure writes there is
not documented.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from itertools import chain

from simulator.images import Image
from simulator.images.parts import BytesPart
from simulator.images.ranges import PageRange, clipped, joined
from simulator.wire import BodyPart

FOOTER_BYTES = 512
MIB = 1024 * 1024

_FIELDS = struct.Struct(">8sIIQI4sI4sQQHBBII16sB427x")
_CHECKSUM_AT = 64
_NAMESPACE = uuid.UUID("5f0b5a36-6d0f-4a43-9d0a-0f8a3c1f9a52")


def footer(size_bytes: int, identity: str) -> bytes:
    """Return the footer of a fixed VHD of `size_bytes`, without the footer; `identity` names the disk."""
    cylinders, heads, sectors = geometry(size_bytes // 512)
    fields = _FIELDS.pack(
        b"conectix",
        0x00000002,  # features: the reserved bit, which is always set
        0x00010000,  # version of the format
        0xFFFFFFFFFFFFFFFF,  # a fixed disk has no further header
        0,  # seconds since 2000-01-01
        b"win ",  # the creator: readers then believe the size, not the geometry, which ends at 127 GiB
        0x000A0000,
        b"Wi2k",
        size_bytes,  # original size
        size_bytes,  # current size
        cylinders,
        heads,
        sectors,
        2,  # fixed
        0,  # checksum, below
        uuid.uuid5(_NAMESPACE, identity.lower()).bytes,
        0,  # not in a saved state
    )
    checksum = ~sum(fields) & 0xFFFFFFFF
    return fields[:_CHECKSUM_AT] + checksum.to_bytes(4, "big") + fields[_CHECKSUM_AT + 4 :]


def geometry(sectors: int) -> tuple[int, int, int]:
    """Return cylinders, heads and sectors per track as the specification's appendix computes them."""
    sectors = min(sectors, 65535 * 16 * 255)
    if sectors >= 65535 * 16 * 63:
        return sectors // 255 // 16, 16, 255
    per_track, tracks = 17, sectors // 17
    heads = max(4, (tracks + 1023) // 1024)
    if tracks >= heads * 1024 or heads > 16:
        per_track, heads, tracks = 31, 16, sectors // 31
    if tracks >= heads * 1024:
        per_track, heads, tracks = 63, 16, sectors // 63
    return tracks // heads, heads, per_track


def check_fixed_vhd(last_page: bytes, length: int) -> None:
    """Refuse a blob that is not a fixed VHD as Azure takes it; raises ValueError that says what is wrong.

    `last_page` is the footer, `length` that of the blob. Azure documents the cookie, the size and that it is
    a whole number of MiB; the footer's checksum and type are held to the format's specification.
    """
    disk_bytes = length - FOOTER_BYTES
    cookie = last_page[:8]
    if cookie != b"conectix":
        raise ValueError(
            f"the cookie value in the VHD footer is {cookie!r}. Disk is expected to have cookie value "
            "'conectix'."
        )
    fields = _FIELDS.unpack(last_page)
    unsigned = last_page[:_CHECKSUM_AT] + bytes(4) + last_page[_CHECKSUM_AT + 4 :]
    if fields[14] != ~sum(unsigned) & 0xFFFFFFFF:
        raise ValueError("the checksum in the VHD footer does not match.")
    if fields[13] != 2:
        raise ValueError("the VHD is not of fixed type.")
    if fields[9] != disk_bytes:
        raise ValueError(f"the VHD footer tells a size of {fields[9]} bytes, but the disk has {disk_bytes}.")
    if disk_bytes % MIB or disk_bytes <= 0:
        raise ValueError(f"the disk has {disk_bytes} bytes; a whole number in MBs is expected.")


class Vhd:
    """The page blob that stands for a disk or a snapshot while it can be read."""

    def __init__(self, image: Image, identity: str) -> None:
        self._image = image
        self.disk_bytes = image.size_bytes  # the size of the disk alone
        self._footer = footer(self.disk_bytes, identity)

    @property
    def length(self) -> int:
        """The length of the blob: the disk and its footer."""
        return self.disk_bytes + FOOTER_BYTES

    def parts(self, start: int, end: int) -> list[BodyPart]:
        """Return the bytes from `start` up to, and not including, `end`."""
        disk_end = min(end, self.disk_bytes)
        parts = self._image.parts(start, disk_end - start) if start < disk_end else []
        if end > self.disk_bytes:
            parts.append(BytesPart(self._footer[max(0, start - self.disk_bytes) : end - self.disk_bytes]))
        return parts

    def page_ranges(self, start: int, end: int) -> Iterator[PageRange]:
        """Yield what a reader of the window has to fetch; the rest is zeros."""
        found = chain(self._image.page_ranges(start, min(end, self.disk_bytes)), [self._footer_range()])
        return clipped(joined(found), start, end)

    def changes_since(self, older: Vhd, start: int, end: int) -> Iterator[PageRange]:
        """Yield what makes this blob out of an older one, within a window.

        If the disk grew, the older blob's footer lies where there is disk now: unless the disk was written
        there, the page is zeros and is reported as cleared.
        """
        found: Iterator[PageRange] = self._image.changes_since(older._image, start, min(end, self.disk_bytes))
        if self._footer != older._footer:
            if older.disk_bytes < self.disk_bytes:
                found = _with_page_cleared(found, older._footer_range())
            found = chain(found, [self._footer_range()])
        return clipped(joined(found), start, end)

    def _footer_range(self) -> PageRange:
        return PageRange(self.disk_bytes, self.length)


def _with_page_cleared(ranges: Iterator[PageRange], page: PageRange) -> Iterator[PageRange]:
    """Add one cleared page to ascending ranges, unless one of them covers it."""
    cleared = PageRange(page.start, page.end, is_clear=True)
    is_covered = False
    for each in ranges:
        if not is_covered and each.end > cleared.start:
            if each.start > cleared.start:
                yield cleared
            is_covered = True
        yield each
    if not is_covered:
        yield cleared
