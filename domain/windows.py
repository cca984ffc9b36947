"""Windows: equal parts of a blob's address space, in which it is copied and verified step by step.

The windows of a blob are numbered from 0; the last one ends with the blob. As pairs (start, end), half-open,
in bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from domain.page_ranges import PAGE_BYTES, PageRange, joined


def covered_windows(
    ranges: Iterable[PageRange], window_bytes: int, size_bytes: int
) -> Iterator[tuple[int, int]]:
    """Yield the windows of a blob of `size_bytes` that ascending ranges touch, each once, ascending.

    Raises ValueError if a window would not consist of whole pages, where the ranges are not ascending, and
    where one lies beyond the blob: a window that is forgotten is a change that is lost.
    """
    _check(window_bytes)
    following = 0  # the first window that was not looked at yet
    for each in joined(ranges):
        if each.end > size_bytes:
            raise ValueError(f"the range {each.start} to {each.end} lies beyond a blob of {size_bytes} bytes")
        first = max(following, each.start // window_bytes)
        following = max(following, -(-each.end // window_bytes))
        for number in range(first, following):
            yield _window(number, window_bytes, size_bytes)


def sampled_windows(
    size_bytes: int, window_bytes: int, seed: str, day: int, days: int
) -> list[tuple[int, int]]:
    """Return the windows that a verification reads on a day, ascending; any `days` days in a row read all.

    The windows are dealt in rounds of `days`, in each round one to every day, in an order that follows from
    `seed` (what is verified) and the round's number. So two days differ by one window at most, no day reads
    one region of the disk, and a disk that grows keeps the days of all windows that it had. `day` counts
    days from anywhere. Raises ValueError if a window would not consist of whole pages, or without days.
    """
    _check(window_bytes)
    if days < 1:
        raise ValueError(f"a rotation of {days} days reads nothing; it takes 1 day or more")
    count = -(-size_bytes // window_bytes)
    numbers = (first + _places(seed, first // days, days)[day % days] for first in range(0, count, days))
    return [_window(number, window_bytes, size_bytes) for number in numbers if number < count]


def _places(seed: str, number: int, days: int) -> list[int]:
    """Return for every day the place of its window in a round."""

    def chance(place: int) -> bytes:
        return hashlib.sha256(f"{seed}\n{number}\n{place}".encode()).digest()

    return sorted(range(days), key=chance)


def _window(number: int, window_bytes: int, size_bytes: int) -> tuple[int, int]:
    return number * window_bytes, min((number + 1) * window_bytes, size_bytes)


def _check(window_bytes: int) -> None:
    if window_bytes < PAGE_BYTES or window_bytes % PAGE_BYTES:
        raise ValueError(f"a window of {window_bytes} bytes is not made of pages of {PAGE_BYTES} bytes")
