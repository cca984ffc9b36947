"""Page writes: which requests carry changed pages into a page blob, by a cost model.

A request costs as much as some bytes do, so neighbours are written in one piece where the pages between them
cost less than a request of their own. Those pages are unchanged: writing them writes what is there already.

The plan is the cheapest there is, found by dynamic programming as the list goes by. Three things keep it
linear and its look-ahead short:
- No piece crosses a gap that costs as much as a request, nor a long clear range: there the list falls apart,
  and what is before it is decided.
- Of the places where a piece may begin, one that lies further behind and costs no less is forgotten. Usually
  one is left, and what is before it is decided.
- Where neither happens for 128 requests, the newest place is decided on, which costs one request at most.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from domain.page_ranges import PAGE_BYTES, PageRange, joined

MOST_BYTES = 4 * 1024**2  # of one Put Page or Put Page From URL; a clear may have any length
REQUESTS_PER_SECOND = 500  # what one page blob takes (azure-semantics §5), and the defaults of the cost model
BYTES_PER_SECOND = 60 * 1024**2
LONGEST_LOOK_AHEAD = 128  # requests


@dataclass(frozen=True)
class Costs:
    """What a request costs, and what each byte that it carries costs beside that, in any one unit.

    The defaults are seconds, by the limits of one page blob: 1/500 s and 1/(60 MiB) s, so that a request is
    worth 125,829 bytes. The limits hold side by side, so the sum is more than the time that a plan takes, but
    never more than twice. Where bytes are paid for (another region or cloud) they cost more. Raises
    ValueError if a cost is negative or not finite.
    """

    per_request: float = 1 / REQUESTS_PER_SECOND
    per_byte: float = 1 / BYTES_PER_SECOND

    def __post_init__(self) -> None:
        for name, cost in (("request", self.per_request), ("byte", self.per_byte)):
            if not (math.isfinite(cost) and cost >= 0):
                raise ValueError(f"a {name} cannot cost {cost}; a cost is finite, and 0 or more")

    def of(self, write: Write) -> float:
        """Return what a write costs; one that clears carries no bytes."""
        return self.per_request + (0 if write.is_clear else write.length * self.per_byte)


@dataclass(frozen=True, slots=True)
class Write:
    """One request: copy bytes `start` up to, and not including, `end`, or zero them if `is_clear`."""

    start: int
    end: int
    is_clear: bool = False

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return self.end - self.start


def plan_writes(
    ranges: Iterable[PageRange], costs: Costs | None = None, most_bytes: int = MOST_BYTES
) -> Iterator[Write]:
    """Return the writes for ascending ranges, ascending and disjoint, as the ranges are read.

    Together they write or clear everything that the ranges name. Beside that they touch only pages between
    two ranges, by copying them from the source as it is; a clear range may be copied as well, for the source
    reads zeros there. No write clears what is not in a clear range, none that copies has more than
    `most_bytes`, and none begins or ends in a gap. Being disjoint, they may be done in any order and
    repeated.

    Raises ValueError for a limit that is not made of pages or above Azure's 4 MiB, and as `joined` does,
    which may be after some writes were told: what they write is right, but it is not all.
    """
    if not PAGE_BYTES <= most_bytes <= MOST_BYTES or most_bytes % PAGE_BYTES:
        raise ValueError(
            f"a piece of {most_bytes} bytes cannot be written; it has {PAGE_BYTES} to {MOST_BYTES} bytes, "
            f"and a multiple of {PAGE_BYTES}"
        )
    return _Plan(costs or Costs(), most_bytes).writes(joined(ranges))


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where the next write begins, everything before being written, and the cheapest way to come there.

    `weight` is what that way costs less what all bytes up to the place would cost: of two places the one that
    weighs less is the cheaper one to begin a piece at, wherever the piece ends.
    """

    start: int
    weight: float
    depth: int = 0  # how many writes it is away from what is decided
    write: Write | None = None  # the last one
    before: _Place | None = None  # where that write began


class _Plan:
    """One run of the dynamic programme over one list."""

    def __init__(self, costs: Costs, most_bytes: int) -> None:
        self._costs = costs
        self._most_bytes = most_bytes
        # Where a piece may have begun that reaches to here: ascending, each weighs more than the one before.
        self._places: deque[_Place] = deque()

    def writes(self, ranges: Iterator[PageRange]) -> Iterator[Write]:
        """Yield the writes as they are decided."""
        here: _Place | None = None  # the end of the range before, None where the list falls apart
        for each in ranges:
            is_alone = self._is_alone(each)
            if here is not None and (is_alone or self._is_far(here, each)):
                yield from _way_to(here)
                here = None
            if is_alone:
                yield Write(each.start, each.end, is_clear=True)
                continue
            self._add(self._first_of(each, here))
            yield from self._decided()
            if each.is_clear:
                here = self._end_of_clear(each)
                continue
            for cut in self._cuts(each):
                self._add(cut)
                yield from self._decided()
            yield from self._decided()
            here = self._ended(self._places[0], each.end)
        if here is not None:
            yield from _way_to(here)

    def _is_alone(self, each: PageRange) -> bool:
        """Whether a range is cleared by a write of its own, whatever is beside it.

        Copying it instead saves two requests at most: its own, and one where it lies between two pieces. If
        it is as long as two pieces, copying takes one that lies in it with all its bytes, or two full ones.
        """
        is_dear = each.length * self._costs.per_byte >= 2 * self._costs.per_request
        return each.is_clear and (is_dear or each.length >= 2 * self._most_bytes)

    def _is_far(self, here: _Place, each: PageRange) -> bool:
        """Whether no piece crosses the gap before a range: it costs as much as the request that it saves."""
        return (each.start - here.start) * self._costs.per_byte >= self._costs.per_request

    def _first_of(self, each: PageRange, here: _Place | None) -> _Place:
        """Return the place where a range begins."""
        if here is None:
            self._places.clear()
            return _Place(each.start, 0.0)
        left_out = (each.start - here.start) * self._costs.per_byte
        return _Place(each.start, here.weight - left_out, here.depth, here.write, here.before)

    def _decided(self) -> Iterator[Write]:
        """Yield the way to the newest place if no other is left, or if it has become too long."""
        newest = self._places[-1]
        if len(self._places) == 1 or newest.depth >= LONGEST_LOOK_AHEAD:
            yield from _way_to(newest)
            self._places.clear()
            self._places.append(_Place(newest.start, newest.weight))

    def _add(self, place: _Place) -> None:
        """Add the newest place, and forget those that it is better than wherever a piece ends."""
        while self._places and self._places[-1].weight >= place.weight:
            self._places.pop()
        self._places.append(place)

    def _cuts(self, each: PageRange) -> Iterator[_Place]:
        """Yield the places in a range where a piece is full; what cannot reach its end is forgotten."""
        while self._places[0].start + self._most_bytes < each.end:
            begun = self._places.popleft()
            if begun.start + self._most_bytes > each.start:
                yield self._ended(begun, begun.start + self._most_bytes)

    def _end_of_clear(self, each: PageRange) -> _Place:
        """Return the end of a range that is cleared or copied, whatever is cheaper."""
        first = self._places[-1]
        for cut in self._cuts(each):
            self._add(cut)  # decides nothing: the way may still go by the first place
        copied = self._ended(self._places[0], each.end)
        weight = first.weight + self._costs.per_request - each.length * self._costs.per_byte
        if copied.weight < weight:
            return copied
        return _Place(each.end, weight, first.depth + 1, Write(each.start, each.end, is_clear=True), first)

    def _ended(self, begun: _Place, end: int) -> _Place:
        """Return the end of a piece."""
        write = Write(begun.start, end)
        return _Place(end, begun.weight + self._costs.per_request, begun.depth + 1, write, begun)


def _way_to(place: _Place) -> Iterator[Write]:
    """Yield the writes from what is decided to a place, ascending."""
    writes = []
    at: _Place | None = place
    while at is not None and at.write is not None:
        writes.append(at.write)
        at = at.before
    return reversed(writes)
