"""Page ranges: what was written into a disk and what was cleared, as Azure lists it, and how lists are cut.

Half-open, `[start, end)`, in bytes; inclusive ends exist only in gateways. All functions go through their
lists once and hold one range or two, since a list may have hundreds of thousands.

A list that goes backwards or overlaps is not trusted: whatever was read wrongly (an order by kind instead of
by place, a page of the answer read twice) would be written into a replica that nobody looks at until it is
needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PAGE_BYTES = 512  # the unit of page blobs: every start and every end is a multiple of it


@dataclass(frozen=True, order=True, slots=True)
class PageRange:
    """Bytes `start` up to, and not including, `end`: written, or zeroed if `is_clear`.

    Raises ValueError if it is empty, begins before 0 or does not consist of whole pages.
    """

    start: int
    end: int
    is_clear: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end or self.start % PAGE_BYTES or self.end % PAGE_BYTES:
            raise ValueError(
                f"{self.start} to {self.end} is no range of pages: it must begin at 0 or later, not be "
                f"empty, and have multiples of {PAGE_BYTES} bytes at both ends; read the list again"
            )

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return self.end - self.start


def joined(ranges: Iterable[PageRange]) -> Iterator[PageRange]:
    """Yield the ranges with those joined that touch and are of one kind.

    Raises ValueError where a range begins before the end of the one before it.
    """
    waiting: PageRange | None = None
    for following in ranges:
        if waiting is None:
            waiting = following
            continue
        if following.start < waiting.end:
            raise ValueError(
                f"the range {following.start} to {following.end} comes after {waiting.start} to "
                f"{waiting.end}: a list that overlaps or goes backwards is not to be trusted; read it again"
            )
        if following.start == waiting.end and following.is_clear == waiting.is_clear:
            waiting = PageRange(waiting.start, following.end, waiting.is_clear)
        else:
            yield waiting
            waiting = following
    if waiting is not None:
        yield waiting


def clipped(ranges: Iterable[PageRange], start: int, end: int) -> Iterator[PageRange]:
    """Yield what lies of ascending ranges in the window from `start` up to, and not including, `end`.

    What comes after the window is not asked for. Where the window cuts a range it must do so between two
    pages, else ValueError is raised.
    """
    for each in ranges:
        if each.start >= end:
            return
        if each.start >= start and each.end <= end:
            yield each
        elif each.end > start:
            yield PageRange(max(each.start, start), min(each.end, end), each.is_clear)


def overlaid(changes: Iterable[PageRange], dirty: Iterable[PageRange]) -> Iterator[PageRange]:
    """Yield the changes, and as ranges to write what is `dirty` and not covered by them.

    `dirty` is what stands in a target beyond its last seal, written or cleared by a copy that was not
    finished, maybe of another snapshot. Where the changes do not touch it the source is as it was at the
    seal, and its bytes put the target right. Both lists are ascending, and so is the result, joined; raises
    ValueError as `joined` does.
    """
    return joined(_overlaid(joined(changes), joined(dirty)))


def _overlaid(changes: Iterator[PageRange], dirty: Iterator[PageRange]) -> Iterator[PageRange]:
    change = next(changes, None)
    for each in dirty:
        start = each.start
        while change is not None and change.start < each.end:
            if start < change.start:
                yield PageRange(start, change.start)
            start = max(start, change.end)
            if change.end > each.end:
                break  # it may cover some of the next one, too
            yield change
            change = next(changes, None)
        if start < each.end:
            yield PageRange(start, each.end)
    if change is not None:
        yield change
    yield from changes
