"""Chunks: 256 KiB of a disk, as one image sees them, and where their pages lie.

A *fragment* holds those pages of one chunk that one image wrote between two of its snapshots. It is filled in
place until the image is next frozen, and never changed afterwards. A *chunk* says which fragment each of its
pages lies in; a page in none was never written, or was cleared, and reads as zeros. Chunks are never changed,
only replaced, so that any number of images can share one:

    snapshot 1 ── chunk ──▶ fragment A, pages 0-511
    snapshot 2 ── chunk ──▶ fragment A, pages 0-7 and 16-511
                       └──▶ fragment B, pages 8-15         written after snapshot 1

Two images differ in a page exactly if it lies in different fragments. No bytes are copied or compared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from simulator.images.arena import SLOT_BYTES, Arena
from simulator.images.ranges import PAGE_BYTES, PageRange, pages, runs, touched_blocks, whole_blocks

CHUNK_BYTES = SLOT_BYTES
CHUNK_PAGES = CHUNK_BYTES // PAGE_BYTES
ALL_PAGES = pages(0, CHUNK_PAGES)


class Stretch(NamedTuple):
    """Pages of a chunk, `first` up to, and not including, `end`, that lie together in the arena's file."""

    first: int
    end: int
    file_offset: int


class Fragment:
    """The pages of one chunk that one `owner` wrote (an image between two snapshots), in their own slot."""

    __slots__ = ("_arena", "_held", "_stored", "owner", "slot")

    def __init__(self, arena: Arena, owner: object) -> None:
        self.owner = owner
        self.slot = arena.take_slot()
        self._arena = arena
        self._stored = 0
        self._held: dict[int, int] = {}  # set of pages → how many chunks need just these

    def write(self, first: int, data: memoryview) -> None:
        """Put whole pages in, from page `first` on."""
        self._stored |= pages(first, first + len(data) // PAGE_BYTES)
        self._arena.write(self.slot + first * PAGE_BYTES, data)

    def hold(self, page_set: int) -> None:
        """Count one more chunk that needs these pages."""
        self._held[page_set] = self._held.get(page_set, 0) + 1

    def let_go(self, page_set: int) -> None:
        """Count one less, and give back what no chunk needs any more."""
        if self._held[page_set] > 1:
            self._held[page_set] -= 1
            return
        del self._held[page_set]
        if self._held:
            self._punch(self._unneeded_blocks())
        else:
            self._arena.give_slot_back(self.slot)

    def _unneeded_blocks(self) -> int:
        needed = 0
        for page_set in self._held:
            needed |= page_set
        return whole_blocks(ALL_PAGES & ~needed) & touched_blocks(self._stored)

    def _punch(self, page_set: int) -> None:
        for first, end in runs(page_set):
            self._arena.punch(self.slot + first * PAGE_BYTES, (end - first) * PAGE_BYTES)
        self._stored &= ~page_set


Pieces = tuple[tuple[Fragment, int], ...]


class Chunk:
    """Which fragment each page lies in: pairs of a fragment and a set of pages, disjoint and not empty.

    Whoever reads keeps a reference to the chunk as long as it needs the bytes. A chunk that nobody refers to
    reports its pieces to `dropped`; they are let go when the store next sweeps, under its lock.
    """

    __slots__ = ("_dropped", "pieces")

    def __init__(self, pieces: Pieces, dropped: deque[Pieces]) -> None:
        self.pieces = pieces
        self._dropped = dropped
        for fragment, page_set in pieces:
            fragment.hold(page_set)

    def __del__(self) -> None:
        self._dropped.append(self.pieces)

    @property
    def written(self) -> int:
        """The set of pages that hold bytes."""
        page_set = 0
        for _, each in self.pieces:
            page_set |= each
        return page_set

    def fragment_of(self, owner: object) -> Fragment | None:
        """Return the fragment that `owner` may still fill in place."""
        return next((fragment for fragment, _ in self.pieces if fragment.owner is owner), None)

    def has(self, fragment: Fragment, page_set: int) -> bool:
        """Tell whether all these pages already lie in the fragment."""
        return any(each is fragment and not page_set & ~inside for each, inside in self.pieces)

    def stretches(self, first: int, end: int) -> list[Stretch]:
        """Return where the written pages of a window lie, ascending."""
        window = pages(first, end)
        found = [
            Stretch(run_first, run_end, fragment.slot + run_first * PAGE_BYTES)
            for fragment, page_set in self.pieces
            for run_first, run_end in runs(page_set & window)
        ]
        return sorted(found) if len(self.pieces) > 1 else found


def without(pieces: Pieces, page_set: int) -> Pieces:
    """Take pages out, so that they read as zeros."""
    rest = ((fragment, inside & ~page_set) for fragment, inside in pieces)
    return tuple((fragment, inside) for fragment, inside in rest if inside)


def placed(pieces: Pieces, fragment: Fragment, page_set: int) -> Pieces:
    """Let pages lie in `fragment`, wherever they lay before."""
    inside = next((each for own, each in pieces if own is fragment), 0)
    return (*without(pieces, page_set | inside), (fragment, inside | page_set))


def written_ranges(chunk: Chunk, at: int) -> Iterator[PageRange]:
    """Yield the ranges of a chunk that hold bytes; `at` is where on the disk the chunk begins."""
    for first, end in runs(chunk.written):
        yield PageRange(at + first * PAGE_BYTES, at + end * PAGE_BYTES)


def changed_ranges(older: Chunk | None, newer: Chunk | None, at: int) -> Iterator[PageRange]:
    """Yield what was written and what was zeroed between two states of a chunk, ascending."""
    before, after = older.pieces if older else (), newer.pieces if newer else ()
    written_before = older.written if older else 0
    written_after = newer.written if newer else 0
    kept = 0
    for fragment, inside in after:
        kept |= inside & next((each for own, each in before if own is fragment), 0)
    ranges = [(run, False) for run in runs(written_after & ~kept)]
    ranges += [(run, True) for run in runs(written_before & ~written_after)]
    for (first, end), is_clear in sorted(ranges):
        yield PageRange(at + first * PAGE_BYTES, at + end * PAGE_BYTES, is_clear)
