"""Stretches of a disk as parts of a response's body: read when they are sent, never all at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from simulator.images.arena import Arena
from simulator.images.chunks import CHUNK_BYTES, Chunk
from simulator.images.ranges import PAGE_BYTES
from simulator.wire import BodyPart

_BLOCK_BYTES = 1024 * 1024
_ZEROS = bytes(_BLOCK_BYTES)


class ZeroPart:
    """A stretch of zeros."""

    file = None
    offset = 0

    def __init__(self, length: int) -> None:
        self.length = length

    def blocks(self) -> Iterator[bytes]:
        for at in range(0, self.length, _BLOCK_BYTES):
            yield _ZEROS[: self.length - at]


class BytesPart:
    """A few bytes that lie in memory."""

    file = None
    offset = 0

    def __init__(self, data: bytes) -> None:
        self.length = len(data)
        self._data = data

    def blocks(self) -> Iterator[bytes]:
        yield self._data


class FilePart:
    """A stretch of the arena's file, and the chunks that must not be given back while it is being sent."""

    def __init__(self, arena: Arena, offset: int, length: int, chunk: Chunk) -> None:
        self.offset = offset
        self.length = length
        self._arena = arena
        self._chunks = [chunk]

    @property
    def file(self) -> int:
        return self._arena.descriptor

    def extend(self, length: int, chunk: Chunk) -> None:
        """Take in what follows in the file."""
        self.length += length
        self._chunks.append(chunk)

    def blocks(self) -> Iterator[bytes]:
        at, end = self.offset, self.offset + self.length
        while at < end:
            block = os.pread(self.file, min(_BLOCK_BYTES, end - at), at)
            if not block:
                raise OSError(f"the file of the disks ends at {at}, before the stretch up to {end}")
            yield block
            at += len(block)


def parts_of(arena: Arena, chunks: Iterable[tuple[int, Chunk]], start: int, end: int) -> list[BodyPart]:
    """Return the bytes of a disk from `start` up to, and not including, `end`.

    `chunks` are those of the window, each with the offset on the disk at which it begins, ascending; what
    lies in none of them is zeros.
    """
    parts: list[BodyPart] = []
    position, last = start, None
    for stretch_start, stretch_end, file_offset, chunk in _stretches(chunks, start, end):
        if stretch_start > position:
            parts.append(ZeroPart(stretch_start - position))
            last = None
        length = stretch_end - stretch_start
        if last and last.offset + last.length == file_offset:
            last.extend(length, chunk)
        else:
            last = FilePart(arena, file_offset, length, chunk)
            parts.append(last)
        position = stretch_end
    if position < end:
        parts.append(ZeroPart(end - position))
    return parts


def _stretches(
    chunks: Iterable[tuple[int, Chunk]], start: int, end: int
) -> Iterator[tuple[int, int, int, Chunk]]:
    """Yield (start, end, offset in the file, chunk) of everything written in the window, in bytes."""
    for at, chunk in chunks:
        first = max(0, start - at) // PAGE_BYTES
        last = -(-min(CHUNK_BYTES, end - at) // PAGE_BYTES)
        for stretch in chunk.stretches(first, last):
            stretch_start = at + stretch.first * PAGE_BYTES
            cut = max(0, start - stretch_start)
            stretch_end = min(at + stretch.end * PAGE_BYTES, end)
            yield stretch_start + cut, stretch_end, stretch.file_offset + cut, chunk
