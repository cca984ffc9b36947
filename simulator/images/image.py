"""The bytes of disks and snapshots, copy-on-write.

    store = ImageStore()
    disk = store.create(size_bytes)          # all zeros, costs nothing
    disk.write(offset, data)
    first = disk.freeze_copy()               # a snapshot; shares every byte with the disk
    disk.write(...), disk.clear(...)
    second = disk.freeze_copy()
    list(second.changes_since(first))        # what an incremental export has to move
    first.release()                          # the second stays complete
    restored = second.thaw_copy()            # a new disk that starts from the snapshot

An image is a table of chunks (`tables`), a chunk says where its pages lie (`chunks`), and the bytes lie in
one sparse file (`arena`). What two images share is one object in both, so freezing costs next to nothing,
and comparing two images looks only at what differs.

Own choice: Azure does not say in what granularity it tracks changes. Here it is the page of 512 bytes, and a
page that was written counts as changed even if its new bytes equal the old ones; one that was written and
cleared again between two snapshots, and held nothing before, does not count.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from simulator.images.arena import Arena
from simulator.images.chunks import (
    CHUNK_BYTES,
    Chunk,
    Fragment,
    Pieces,
    changed_ranges,
    placed,
    without,
    written_ranges,
)
from simulator.images.files import save_to_file, take_from_file
from simulator.images.parts import parts_of
from simulator.images.ranges import PAGE_BYTES, PageRange, clipped, joined, pages
from simulator.images.tables import ChunkTable
from simulator.wire import BodyPart


class ImageStore:
    """Where the bytes of one simulated cloud lie: one sparse file in `directory` (or the system's temporary
    one), which has no name and is gone when the process ends or the store is closed."""

    def __init__(self, directory: Path | None = None) -> None:
        self.arena = Arena(directory)
        self.lock = threading.Lock()
        self.dropped: deque[Pieces] = deque()

    def create(self, size_bytes: int) -> Image:
        """Return a new disk of zeros; the size is a multiple of 512."""
        return Image(self, size_bytes, ChunkTable(), is_frozen=False)

    def used_bytes(self) -> int:
        """Return what all images together take on the machine."""
        with self.lock:
            self.sweep()
            return self.arena.used_bytes()

    def sweep(self) -> None:
        """Give back the bytes of chunks that nobody refers to any more; the caller holds the lock."""
        while self.dropped:
            for fragment, page_set in self.dropped.popleft():
                fragment.let_go(page_set)

    def close(self) -> None:
        """Give all bytes back; no image can be read afterwards."""
        self.arena.close()


class Image:
    """The bytes of a disk, or the frozen bytes of a snapshot. All methods may be called from any thread."""

    def __init__(self, store: ImageStore, size_bytes: int, chunks: ChunkTable, is_frozen: bool) -> None:
        if size_bytes < 0 or size_bytes % PAGE_BYTES:
            raise ValueError(f"An image of {size_bytes} bytes: the size must be a multiple of 512, or none")
        self.size_bytes = size_bytes
        self.is_frozen = is_frozen
        self._store = store
        self._chunks = chunks
        self._is_released = False

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write bytes anywhere inside the image; pages touched in part keep their other bytes."""
        with self._store.lock:
            self._check_mutable()
            self._check_inside(offset, len(data))
            start, view = self._whole_pages(offset, memoryview(data))
            while view:
                within = start % CHUNK_BYTES
                piece, view = view[: CHUNK_BYTES - within], view[CHUNK_BYTES - within :]
                self._write_in_chunk(start // CHUNK_BYTES, within // PAGE_BYTES, piece)
                start += len(piece)
            self._store.sweep()

    def clear(self, offset: int, length: int) -> None:
        """Set whole pages to zeros and forget that they were ever written."""
        with self._store.lock:
            self._check_mutable()
            self._check_inside(offset, length)
            if offset % PAGE_BYTES or length % PAGE_BYTES:
                raise ValueError(f"Clearing {length} bytes at {offset}: both must be multiples of 512")
            for number in self._chunks.numbers(*_chunk_numbers(offset, offset + length)):
                self._clear_in_chunk(number, offset, offset + length)
            self._store.sweep()

    def resize(self, size_bytes: int) -> None:
        """Grow the disk; what is new reads as zeros. Disks never shrink (azure-semantics.md §5)."""
        with self._store.lock:
            self._check_mutable()
            if size_bytes < self.size_bytes or size_bytes % PAGE_BYTES:
                raise ValueError(
                    f"Resizing an image of {self.size_bytes} bytes to {size_bytes}: "
                    "a disk only grows, and to a multiple of 512"
                )
            self.size_bytes = size_bytes

    def cut(self, size_bytes: int) -> None:
        """Shorten the image, as page blobs can be: what lies beyond is gone, also if it grows again."""
        if not 0 <= size_bytes <= self.size_bytes or size_bytes % PAGE_BYTES:
            raise ValueError(
                f"Cutting an image of {self.size_bytes} bytes to {size_bytes}: "
                "it must become shorter, and a multiple of 512, or none"
            )
        self.clear(size_bytes, self.size_bytes - size_bytes)
        self.size_bytes = size_bytes

    def copy_from(self, path: Path) -> None:
        """Make the disk equal to a sparse file, as far as the file reaches; only what differs is written, and
        what is a hole in the file is cleared."""
        take_from_file(self, path)

    def copy_to(self, path: Path) -> None:
        """Write all bytes to a new sparse file."""
        save_to_file(self, path)

    def freeze_copy(self) -> Image:
        """Return a frozen image of this moment, which shares all bytes with this one."""
        return self._copy(is_frozen=True)

    def thaw_copy(self) -> Image:
        """Return a new image that can be written to and starts with the bytes of this one."""
        return self._copy(is_frozen=False)

    def release(self) -> None:
        """Give back the bytes that no other image shares; the image cannot be used afterwards. Doing it twice
        is doing it once."""
        with self._store.lock:
            self._is_released = True
            self._chunks = ChunkTable()
            self._store.sweep()

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes from anywhere inside the image."""
        return b"".join(block for part in self.parts(offset, length) for block in part.blocks())

    def parts(self, offset: int, length: int) -> list[BodyPart]:
        """Return the bytes as stretches of the store's file and of zeros, to be read when they are sent.

        The parts of a frozen image stay readable even if it is released meanwhile; parts of a disk show what
        is written to it before they are read.
        """
        chunks = self._usable_chunks()
        self._check_inside(offset, length)
        return parts_of(self._store.arena, _window(chunks, offset, offset + length), offset, offset + length)

    def page_ranges(self, start: int = 0, end: int | None = None) -> Iterator[PageRange]:
        """Yield the ranges that were written and not cleared since, ascending, cut to a window."""
        end = self.size_bytes if end is None else end
        window = _window(self._usable_chunks(), start, end)
        found = (each for at, chunk in window for each in written_ranges(chunk, at))
        return clipped(joined(found), start, end)

    def changes_since(self, older: Image, start: int = 0, end: int | None = None) -> Iterator[PageRange]:
        """Yield what makes this image out of an older one (or any other of the same store): ranges to write
        and, among them, ranges to zero, ascending, cut to a window."""
        ours, theirs = self._usable_chunks(), older._usable_chunks()
        end = self.size_bytes if end is None else end
        found = (
            each
            for number in ours.differing(theirs, *_chunk_numbers(start, end))
            for each in changed_ranges(theirs.get(number), ours.get(number), number * CHUNK_BYTES)
        )
        return clipped(joined(found), start, end)

    def changed_bytes_since(self, older: Image | None) -> int:
        """Return how many bytes a copy moves when the other side has `older`, or nothing: what was written;
        zeroed ranges move no bytes."""
        ranges = self.page_ranges() if older is None else self.changes_since(older)
        return sum(each.end - each.start for each in ranges if not each.is_clear)

    def _copy(self, is_frozen: bool) -> Image:
        with self._store.lock:
            return Image(self._store, self.size_bytes, self._usable_chunks().copy(), is_frozen)

    def _usable_chunks(self) -> ChunkTable:
        """Return the table as it is now; its holder may read on while another thread releases the image."""
        chunks = self._chunks  # before the flag, which `release` raises before it drops the table
        if self._is_released:
            raise ValueError("This image was released; its bytes are gone")
        return chunks

    def _check_mutable(self) -> None:
        self._usable_chunks()
        if self.is_frozen:
            raise ValueError("This image is frozen; write to a thaw_copy of it")

    def _check_inside(self, offset: int, length: int) -> None:
        if offset < 0 or length < 0 or offset + length > self.size_bytes:
            raise ValueError(
                f"{length} bytes at {offset} do not lie inside an image of {self.size_bytes} bytes"
            )

    def _whole_pages(self, offset: int, data: memoryview) -> tuple[int, memoryview]:
        start, end = offset // PAGE_BYTES * PAGE_BYTES, offset + len(data)
        padded_end = -(-end // PAGE_BYTES) * PAGE_BYTES
        if not data or (start == offset and padded_end == end):
            return offset, data
        before, after = self.read(start, offset - start), self.read(end, padded_end - end)
        return start, memoryview(before + bytes(data) + after)

    def _write_in_chunk(self, number: int, first: int, data: memoryview) -> None:
        old, owner = self._chunks.get(number), self._chunks.owner
        fragment = (old.fragment_of(owner) if old else None) or Fragment(self._store.arena, owner)
        fragment.write(first, data)
        page_set = pages(first, first + len(data) // PAGE_BYTES)
        if old is None or not old.has(fragment, page_set):
            pieces = placed(old.pieces if old else (), fragment, page_set)
            self._chunks.put(number, Chunk(pieces, self._store.dropped))

    def _clear_in_chunk(self, number: int, start: int, end: int) -> None:
        chunk, at = self._chunks.get(number), number * CHUNK_BYTES
        page_set = pages(max(0, start - at) // PAGE_BYTES, min(CHUNK_BYTES, end - at) // PAGE_BYTES)
        if chunk is None or not chunk.written & page_set:
            return
        pieces = without(chunk.pieces, page_set)
        if pieces:
            self._chunks.put(number, Chunk(pieces, self._store.dropped))
        else:
            self._chunks.remove(number)


def _window(chunks: ChunkTable, start: int, end: int) -> Iterator[tuple[int, Chunk]]:
    """Yield the chunks of a window, each with the offset on the disk at which it begins."""
    for number in chunks.numbers(*_chunk_numbers(start, end)):
        chunk = chunks.get(number)
        if chunk:  # else it was cleared meanwhile
            yield number * CHUNK_BYTES, chunk


def _chunk_numbers(start: int, end: int) -> tuple[int, int]:
    return start // CHUNK_BYTES, -(-end // CHUNK_BYTES)
