"""Pages that were written and cleared again between two snapshots: a difference tells them as cleared, though
neither side holds anything there.

Source: recorded traffic of Azure (azure-semantics.md §4.7). Own choice: pages that held nothing when they
were cleared are not told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simulator.images import Image
from simulator.images.ranges import PageRange, joined


def with_cleared(
    changes: Iterable[PageRange], cleared: Iterable[PageRange], image: Image, start: int, end: int
) -> Iterator[PageRange]:
    """Yield changes with what was `cleared` meanwhile, as far as `image` holds nothing there, in a window."""
    known = list(changes)
    told = [each for each in known if each.is_clear]
    for each in cleared:
        first, last = max(each.start, start), min(each.end, end)
        if first < last:
            told += _holes(image, first, last)
    pages = [each for each in known if not each.is_clear]
    return joined(sorted([*pages, *_united(told)]))


def _holes(image: Image, start: int, end: int) -> Iterator[PageRange]:
    for written in image.page_ranges(start, end):
        if start < written.start:
            yield PageRange(start, written.start, True)
        start = written.end
    if start < end:
        yield PageRange(start, end, True)


def _united(ranges: list[PageRange]) -> Iterator[PageRange]:
    """Yield ranges that overlap as one."""
    reached = 0
    for each in sorted(ranges):
        if each.end > reached:
            yield PageRange(max(each.start, reached), each.end, True)
            reached = each.end
