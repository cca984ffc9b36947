"""Disks from and to ordinary sparse files, which other programs can make, change and check."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.images import Image

_PIECE_BYTES = 4 * 1024 * 1024
_BLOCK_BYTES = 4096  # the unit in which a guest's file system writes


def take_from_file(image: Image, path: Path) -> None:
    """Make the start of a disk equal to a file, touching only what differs.

    Blocks of 4 KiB that differ are written and holes in the file are cleared, as by a guest that had changed
    just those; so the next snapshot shares everything else with the last one.
    """
    with open(path, "rb", buffering=0) as source:
        position = 0
        for start, end in data_extents(source.fileno()):
            _clear_written(image, position, start)
            for at in range(start, end, _PIECE_BYTES):
                _write_differing(image, at, os.pread(source.fileno(), min(_PIECE_BYTES, end - at), at))
            position = end
        _clear_written(image, position, os.fstat(source.fileno()).st_size)


def save_to_file(image: Image, path: Path) -> None:
    """Write the bytes of an image to a new sparse file."""
    with open(path, "xb") as target:
        target.truncate(image.size_bytes)
        for each in image.page_ranges():
            target.seek(each.start)
            for part in image.parts(each.start, each.end - each.start):
                for block in part.blocks():
                    target.write(block)


def data_extents(file: int) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) of what is written in a sparse file."""
    end, size = 0, os.fstat(file).st_size
    while end < size:
        try:
            start = os.lseek(file, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole follows
                return
            raise
        end = os.lseek(file, start, os.SEEK_HOLE)
        yield start, end


def _clear_written(image: Image, start: int, end: int) -> None:
    for each in list(image.page_ranges(start, end)):
        image.clear(each.start, each.end - each.start)


def _write_differing(image: Image, start: int, data: bytes) -> None:
    present = image.read(start, len(data))
    if present == data:
        return
    begun: int | None = None
    for at in range(0, len(data), _BLOCK_BYTES):
        differs = present[at : at + _BLOCK_BYTES] != data[at : at + _BLOCK_BYTES]
        if differs and begun is None:
            begun = at
        elif not differs and begun is not None:
            image.write(start + begun, data[begun:at])
            begun = None
    if begun is not None:
        image.write(start + begun, data[begun:])
