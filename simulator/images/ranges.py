"""Ranges of a disk's pages: what was written and what was cleared, in pages of 512 bytes.

Inside a chunk of a disk, a set of pages is an integer whose bit n stands for page n: union, intersection and
difference are then one machine operation for many pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

PAGE_BYTES = 512  # the unit of page blobs, and of every range here

# A block is the eight pages of 4 KiB, aligned: what a file system gives back; a smaller hole frees nothing.
_ONE_BLOCK = 0xFF
_BLOCK_STARTS = int("01" * 1024, 16)  # one bit for each block of 8,192 pages, more than any set here has


class PageRange(NamedTuple):
    """Bytes `start` up to, and not including, `end`: written, or zeroed if `is_clear`."""

    start: int
    end: int
    is_clear: bool = False


def pages(first: int, end: int) -> int:
    """Return the set of the pages `first` up to, and not including, `end`."""
    return (1 << end) - (1 << first)


def runs(page_set: int) -> Iterator[tuple[int, int]]:
    """Yield the (first, end) of every unbroken run of pages in the set, ascending."""
    position = 0
    while page_set:
        gap = (page_set & -page_set).bit_length() - 1
        page_set >>= gap
        position += gap
        count = (~page_set & (page_set + 1)).bit_length() - 1
        yield position, position + count
        page_set >>= count
        position += count


def whole_blocks(page_set: int) -> int:
    """Return the pages of those blocks that lie in the set with all their pages."""
    starts = page_set & page_set >> 1
    starts &= starts >> 2
    starts &= starts >> 4
    return (starts & _BLOCK_STARTS) * _ONE_BLOCK


def touched_blocks(page_set: int) -> int:
    """Return the pages of those blocks that lie in the set with any of their pages."""
    starts = page_set | page_set >> 1
    starts |= starts >> 2
    starts |= starts >> 4
    return (starts & _BLOCK_STARTS) * _ONE_BLOCK


def joined(ranges: Iterable[PageRange]) -> Iterator[PageRange]:
    """Join neighbours of one kind; the ranges come ascending and do not overlap."""
    waiting: PageRange | None = None
    for following in ranges:
        if waiting and waiting.end == following.start and waiting.is_clear == following.is_clear:
            waiting = PageRange(waiting.start, following.end, waiting.is_clear)
        else:
            if waiting:
                yield waiting
            waiting = following
    if waiting:
        yield waiting


def clipped(ranges: Iterable[PageRange], start: int, end: int) -> Iterator[PageRange]:
    """Cut ascending ranges to the window from `start` up to, and not including, `end`."""
    for each in ranges:
        if each.start >= end:
            return
        cut = PageRange(max(each.start, start), min(each.end, end), each.is_clear)
        if cut.start < cut.end:
            yield cut
