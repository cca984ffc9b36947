"""Lists of page ranges for tests: pages are numbers here, bytes only in the code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hypothesis import strategies as st

from domain.page_ranges import PAGE_BYTES, PageRange

KINDS = {"w": False, "c": True}


def drawn(pages: str) -> list[PageRange]:
    """The ranges of a drawing: a page is w (written), c (cleared) or . (unchanged); | ends a range early."""
    ranges: list[PageRange] = []
    place, is_new = 0, True
    for sign in pages:
        if sign == "|":
            is_new = True
            continue
        if sign in KINDS:
            last = ranges[-1] if ranges else None
            joins = last and not is_new and last.end == place and last.is_clear == KINDS[sign]
            start = ranges.pop().start if joins else place
            ranges.append(PageRange(start, place + PAGE_BYTES, KINDS[sign]))
        is_new = False
        place += PAGE_BYTES
    return ranges


def pages_of(ranges: Iterable[PageRange]) -> dict[int, bool]:
    """Every page that the ranges name, and whether it is cleared."""
    return {page: each.is_clear for each in ranges for page in numbers(each.start, each.end)}


def numbers(start: int, end: int) -> range:
    return range(start // PAGE_BYTES, end // PAGE_BYTES)


def many(count: int) -> Iterator[PageRange]:
    """As many ranges of 4 KiB with gaps of 4 KiB, every seventh a clear; made while they are read."""
    return (PageRange(8192 * place, 8192 * place + 4096, place % 7 == 3) for place in range(count))


# Lists as Azure gives them: kinds interleaved, touching or not, also two of one kind that touch.
range_lists = st.lists(
    st.tuples(
        st.sampled_from(["", "|", ".", "..", "....", "......"]), st.text("wwc", min_size=1, max_size=8)
    ),
    max_size=7,
).map(lambda parts: drawn("".join(gap + pages for gap, pages in parts)[:64]))
