"""How long a copy by pages takes, by the size of the disk, where the same number of bytes has changed.

The whole step is timed: opening the snapshots, listing, writing, sealing, closing, and the row of the copy;
what the orchestration around it costs is the same for every disk. The changes lie evenly over the whole disk.
The simulator opens a snapshot at once and lists in no time what Azure may take longer for.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any
from unittest.mock import patch

from activities import page_copies
from domain.copies import Copy
from gateways.http_connection import Answer
from gateways.wire import Network
from simulator.azurite import Azurite, random_keys
from tests.conftest import Accounts
from tests.paged_world import AT_ONCE, PAGED, PagedWorld

SIZES_GIB = (1, 16, 128, 1024)
CHANGES = 256
CHANGE_BYTES = 64 * 1024
BACKUPS = 5
WITHIN = timedelta(minutes=10)
FLAT = 1.1

_GIB = 1024**3


def measure() -> list[dict[str, Any]]:
    """Return seconds and requests of a copy per size of the disk, and what the time grows by."""
    names = random_keys(f"account{number:02d}" for number in range(5 * len(SIZES_GIB)))
    with Azurite(names) as azurite:
        accounts = Accounts(azurite)
        found = {size: _copies(accounts, size) for size in SIZES_GIB}
    least, most = found[SIZES_GIB[0]], found[SIZES_GIB[-1]]
    rows = [
        row
        for size, (seconds, requests) in found.items()
        for row in (
            _row(f"copy by pages of {CHANGES} changes, disk of {size} GiB: time of the step", seconds, "s"),
            _row(f"… disk of {size} GiB: requests to storage", requests, "requests"),
        )
    ]
    return [
        *rows,
        _row("… time of the largest disk, times that of the smallest", most[0] / least[0], "times", FLAT),
    ]


def _copies(accounts: Accounts, size_gib: int) -> tuple[float, float]:
    """Return the median time and the median number of requests of a copy of what has changed."""
    with _world(accounts) as world:
        vm_id = world.add_vm("web", {"data": b"first"}, tags=PAGED, size=size_gib * _GIB)
        world.back_up("web", WITHIN)
        costs = [_copy(world, size_gib * _GIB, bytes([number])) for number in range(1, BACKUPS + 1)]
        for point in world.points_of(vm_id)[:BACKUPS]:
            pages = world.copies_of(point)["web-data"].pages
            if pages is None or pages.base is None or pages.written_bytes != CHANGES * CHANGE_BYTES:
                raise RuntimeError(f"{point.id} was copied as {pages}: its time says nothing")
    seconds, requests = zip(*costs, strict=True)
    return statistics.median(seconds), statistics.median(requests)


def _copy(world: PagedWorld, size: int, content: bytes) -> tuple[float, int]:
    """Change a disk and back its VM up; return seconds and requests of the steps that copied it."""
    for start in range(0, size, size // CHANGES):
        world.write("web", "data", content * CHANGE_BYTES, offset=start)
    with _observed_steps() as steps:
        world.back_up("web", WITHIN)
    return sum(steps.seconds), steps.requests


@dataclass
class _Steps:
    """What the steps that carry pages took."""

    seconds: list[float] = field(default_factory=list)  # of each, wall time
    requests: int = 0  # of them all, to storage


@contextmanager
def _observed_steps() -> Iterator[_Steps]:
    """Time each step that carries pages, and count what it asks of storage."""
    steps, lock, carry, send = _Steps(), Lock(), page_copies._carried, Network.send

    def timed(copy: Copy) -> Copy:
        began = time.perf_counter()
        try:
            return carry(copy)
        finally:
            steps.seconds.append(time.perf_counter() - began)

    def counted(*request: Any, **options: Any) -> Answer:
        with lock:
            steps.requests += 1
        return send(*request, **options)

    with patch.object(page_copies, "_carried", timed), patch.object(Network, "send", counted):
        yield steps


@contextmanager
def _world(accounts: Accounts) -> Iterator[PagedWorld]:
    with tempfile.TemporaryDirectory() as directory:
        made = PagedWorld(Path(directory), accounts, tempo=AT_ONCE)
        try:
            yield made
        finally:
            made.close()


def _row(name: str, value: float, unit: str, aim: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "aim": aim, "better": "lower"}
