"""What a backup costs: time of host and SDK per backup, calls, activities and events, and 90 days of them.

The app runs in this process on the local host, over the simulator (in memory) and Azurite. One activity runs
at a time, so that the time spent in the simulator and waiting for Azurite can be taken off. Time in the story
is virtual; only wall time is reported.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from domain.names import vm_key
from domain.restore_points import ReplicaState
from gateways.connection import cloud
from simulator.azurite import Azurite, random_keys
from tests.conftest import Accounts
from tests.world import START, World

PROTECTED = {"tidemark-policy": "daily"}
FIRST_SLOT = (START + timedelta(days=1)).replace(hour=2)
DISKS = ("os", "data0", "data1", "data2")
BEFORE_THE_NEXT_LOOK = timedelta(minutes=4)  # the timer looks at the fleet every five
BACKUPS = 7
AVAILABLE = ReplicaState.AVAILABLE
DAYS = 90


def measure() -> list[dict[str, Any]]:
    """Measure backups of four disks, then ninety daily ones of one disk."""
    names = [f"account{number:02d}" for number in range(8)]  # two worlds of four
    with Azurite(random_keys(names)) as azurite:
        accounts = Accounts(azurite)
        with world(accounts, workers=1) as one:
            results = _four_disks(one)
        with world(accounts, workers=4) as other:
            results += _ninety_days(other)
    return results


@contextmanager
def world(accounts: Accounts, workers: int) -> Iterator[World]:
    """A world in a directory of its own."""
    with tempfile.TemporaryDirectory() as directory:
        made = World(Path(directory), accounts, workers=workers)
        yield made
        made.close()


def _four_disks(world: World) -> list[dict[str, Any]]:
    world.add_vm("web", {disk: disk.encode() for disk in DISKS}, tags=PROTECTED)
    world.pass_time(timedelta(minutes=30))  # the first backup, which also warms everything up
    times = [_one_backup(world, FIRST_SLOT + timedelta(days=day)) for day in range(BACKUPS)]
    wall, simulator, azurite, own = (statistics.median(column) for column in zip(*times, strict=True))
    return [
        _row("backup of 4 disks with copy: wall time", wall, "s"),
        _row("… of which in the simulator", simulator, "s"),
        _row("… of which waiting for Azurite", azurite, "s"),
        _row("… of which host and SDK", own, "s", aim=0.5),
    ]


def _one_backup(world: World, slot: Any) -> tuple[float, float, float, float]:
    before = (world.cloud.meter.seconds, world.reach.seconds)
    began = time.perf_counter()
    world.jump(slot)
    world.pass_time(BEFORE_THE_NEXT_LOOK)
    wall = time.perf_counter() - began
    simulator = world.cloud.meter.seconds - before[0]
    azurite = world.reach.seconds - before[1]
    return wall, simulator, azurite, wall - simulator - azurite


def _ninety_days(world: World) -> list[dict[str, Any]]:
    vm_id = world.add_vm("web", {"os": b"0"}, tags=PROTECTED)
    began = time.perf_counter()
    for day in range(DAYS):
        world.write("web", "os", f"day {day}".encode())
        world.jump(FIRST_SLOT + timedelta(days=day))
        world.pass_time(BEFORE_THE_NEXT_LOOK)
    wall = time.perf_counter() - began
    points = cloud().catalogue.restore_points.newest(vm_key(vm_id), most=2 * DAYS)
    kept = cloud().policies.policies["daily"].keep_last
    arrived = {place: sum(point.replicas.get(place) == AVAILABLE for point in points) for place in kept}
    if len(world.cloud.meter.copies) < DAYS or any(arrived[place] < kept[place] for place in kept):
        copied = len(world.cloud.meter.copies)
        raise RuntimeError(
            f"of {DAYS} daily restore points {copied} were copied, and {arrived} are available"
        )
    return [_row("90 daily backups of one disk: wall time", wall, "s", aim=90.0)]


def _row(name: str, value: float, unit: str, aim: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "aim": aim, "better": "lower"}
