"""How near the plan of page writes comes to the cheapest one, by the model of costs and of what plans take.

The optimum is found the plain way: over every 4 KiB of the address space, from its end, with every write that
may begin there. It knows neither ranges nor gaps nor what the plan leaves out of consideration, and keeps the
whole disk in memory.
"""

from __future__ import annotations

import heapq
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from domain.page_ranges import PageRange
from domain.page_writes import MOST_BYTES, Costs, plan_writes

AIM = 1.02
KIB = 1024
UNIT_BYTES = 4 * KIB  # all changes here begin and end with one, as those of a file system do
CHANGED_BYTES = 256 * KIB * KIB
MOST_CHANGES = 8_192
PLANNED = 200_000
_UNCHANGED, _WRITTEN, _CLEARED = range(3)


def measure() -> list[dict[str, Any]]:
    """Return the modelled costs of plans, in seconds of one page blob's limits, and beside the optimum."""
    rows: list[dict[str, Any]] = []
    for change_kib in (4, 64, 1024):
        count = min(MOST_CHANGES, CHANGED_BYTES // (change_kib * KIB))
        for name, make in (("scattered", scattered), ("clustered", clustered)):
            rows += _compared(f"{count} changes of {change_kib} KiB, {name}", make(change_kib * KIB, count))
    rows.append(_planned(scattered(UNIT_BYTES, PLANNED)))
    return rows


def scattered(change_bytes: int, count: int) -> list[PageRange]:
    """Changes with 4 to 256 KiB between them, about what a request is worth; every eighth is a clear."""
    chance = random.Random(f"scattered {change_bytes}")
    return _placed(change_bytes, count, lambda _: UNIT_BYTES * chance.randint(1, 64))


def clustered(change_bytes: int, count: int) -> list[PageRange]:
    """Clusters of 64 changes with 4 to 32 KiB between them, and 1 to 16 MiB from one to the next."""
    chance = random.Random(f"clustered {change_bytes}")

    def gap(number: int) -> int:
        return UNIT_BYTES * (chance.randint(1, 8) if number % 64 else chance.randint(256, 4096))

    return _placed(change_bytes, count, gap)


def _placed(change_bytes: int, count: int, gap: Callable[[int], int]) -> list[PageRange]:
    ranges, end = [], 0
    for number in range(count):
        start = end + gap(number)
        end = start + change_bytes
        ranges.append(PageRange(start, end, is_clear=number % 8 == 5))
    return ranges


def optimum(ranges: Sequence[PageRange], costs: Costs, most_bytes: int, unit_bytes: int) -> float:
    """Return the least that any writes for these ranges cost, if all begin and end with a unit."""
    if not ranges:
        return 0.0
    kinds = _kinds(ranges, unit_bytes)
    longest, unit_cost = most_bytes // unit_bytes, unit_bytes * costs.per_byte
    left = [0.0] * (len(kinds) + 1)  # what it costs to write all from a unit on
    ends: list[
        tuple[float, int]
    ] = []  # where a piece may end, by what its bytes up to there and the rest cost
    cleared_to = 0
    for unit in reversed(range(len(kinds))):
        heapq.heappush(ends, (left[unit + 1] + (unit + 1) * unit_cost, unit + 1))
        while ends[0][1] > unit + longest:
            heapq.heappop(ends)
        choices = [costs.per_request + ends[0][0] - unit * unit_cost]
        if kinds[unit] == _UNCHANGED:
            choices.append(left[unit + 1])
        if kinds[unit] == _CLEARED:
            is_last = unit + 1 == len(kinds) or kinds[unit + 1] != _CLEARED
            cleared_to = unit + 1 if is_last else cleared_to
            choices.append(costs.per_request + left[cleared_to])
        left[unit] = min(choices)
    return left[0]


def _kinds(ranges: Sequence[PageRange], unit_bytes: int) -> bytearray:
    kinds = bytearray(ranges[-1].end // unit_bytes)
    for each in ranges:
        kind = _CLEARED if each.is_clear else _WRITTEN
        kinds[each.start // unit_bytes : each.end // unit_bytes] = bytes([kind]) * (each.length // unit_bytes)
    return kinds


def _compared(name: str, ranges: Sequence[PageRange]) -> Iterator[dict[str, Any]]:
    costs = Costs()
    planned = sum(costs.of(write) for write in plan_writes(ranges, costs))
    best = optimum(ranges, costs, MOST_BYTES, UNIT_BYTES)
    yield _result(f"modelled cost, {name}", planned, "s")
    yield _result(f"modelled cost beside the optimum, {name}", planned / best, "times", AIM)


def _planned(ranges: Iterable[PageRange]) -> dict[str, Any]:
    began = time.process_time()
    for _ in plan_writes(ranges):
        pass
    return _result(f"CPU time of a plan for {PLANNED:,} changes", time.process_time() - began, "s")


def _result(name: str, value: float, unit: str, aim: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": round(value, 4), "unit": unit, "aim": aim, "better": "lower"}


if __name__ == "__main__":
    for each in measure():
        print(f"{each['value']:10.4f} {each['unit']:6} {each['name']}")  # noqa: T201 (run by hand)
