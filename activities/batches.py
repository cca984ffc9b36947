"""How much one batch does: a part of steps that carry pages, not a step.

A batch lasts less than a minute, however large the disk is. Opening what it reads and writes takes seconds,
so it takes one window after the other while there is time: a large disk of which little has changed costs
one batch, as a small one does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

WINDOW_BYTES = 64 << 30  # of addresses in one list: a longer one of a large disk may time out
MOST_WINDOWS = 128  # as many as the largest page blob has: 8 TiB
MOST_SECONDS = 40.0  # of writing


class Batch:
    """The time that one batch has, from now on."""

    def __init__(self) -> None:
        self._ends = time.monotonic() + MOST_SECONDS

    def is_over(self) -> bool:
        """Whether nothing new may begin."""
        return time.monotonic() >= self._ends

    def windows(self, reached: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield windows from `reached` to `end`, as pairs (start, end): the first one in any case, each other
        one if there is time for it."""
        starts = range(reached, end, WINDOW_BYTES)[:MOST_WINDOWS]
        for start in starts:
            if start == reached or not self.is_over():
                yield start, min(start + WINDOW_BYTES, end)
