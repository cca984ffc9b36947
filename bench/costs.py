"""What one backup costs in activities, history events and ARM calls, counted over all that it starts.

A VM is alone in its world, and backed up by its schedule. The watches, which look at the whole fleet whether
or not anything is due, are left out: their orchestrations, and the listing of the VMs. All else counts:
histories with every execution, those that continued as new too, ARM calls with the failed and repeated
ones. The worlds differ in how long a copy takes: so short that the first look sees it complete; the
simulator's own pace, which takes one look more per disk; and ten hours.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bench.counting import ledger
from bench.observed_world import ObservedWorld, observed
from simulator.azurite import Azurite, random_keys
from simulator.tempo import Tempo
from tests.conftest import Accounts
from tests.world import START

PROTECTED = {"tidemark-policy": "daily"}
WATCHES = ("backup_fleet", "prune_fleet", "purge_history")
FIRST_SLOT = (START + timedelta(days=1)).replace(hour=2)
DISKS = 4
LOOKS = ("look_at_snapshot", "look_at_copy")
SHORT = Tempo(copy_at_least=timedelta(seconds=5))
LONG = Tempo(copy_at_least=timedelta(hours=10))


@dataclass(frozen=True)
class Cost:
    """What a backup came to; `looks` are the activities that ask how far something is."""

    activities: float
    events: float
    calls: float
    looks: int
    most_events: int  # in one execution

    def per(self, count: int, less: Cost) -> Cost:
        """Return what this is more than another one, per thing."""
        return Cost(
            (self.activities - less.activities) / count,
            (self.events - less.events) / count,
            (self.calls - less.calls) / count,
            (self.looks - less.looks) // count,
            self.most_events,
        )


def measure() -> list[dict[str, Any]]:
    """Count backups of four and of five disks, and of slower copies."""
    with Azurite(random_keys(f"account{number:02d}" for number in range(20))) as azurite:
        accounts = Accounts(azurite)
        four, five = (_cost(accounts, disks, SHORT) for disks in (DISKS, DISKS + 1))
        usual = _cost(accounts, DISKS, Tempo())
        long = _cost(accounts, DISKS, LONG, times=1, within=timedelta(hours=11))
    looks = usual.looks - four.looks
    return [
        *_rows(f"backup of {DISKS} disks, {four.looks} looks", four, (26, 200, 34)),
        *_rows("… each further disk", five.per(1, less=four), (5, 40, 7)),
        *_rows("… each further look", usual.per(looks, less=four), (1, 8, 1)),
        *_rows(f"… at the simulator's own pace, {usual.looks} looks", usual),
        *_rows(f"… with copies of 10 hours, {long.looks} looks", long),
        _row("… with copies of 10 hours: events in the longest execution", long.most_events, "events", 1000),
    ]


def _cost(
    accounts: Accounts, disks: int, tempo: Tempo, times: int = 2, within: timedelta = timedelta(minutes=30)
) -> Cost:
    """Return the most that a daily backup costs."""
    with observed(accounts, tempo=tempo) as world:
        vm_id = world.add_vm("vm", {f"disk{number}": b"0" for number in range(disks)}, tags=PROTECTED)
        world.pass_time(timedelta(minutes=5) + within)  # the first backup, as soon as the VM is seen
        costs = [_backup(world, FIRST_SLOT + timedelta(days=day), within) for day in range(times)]
        states = [set(point.replicas.values()) for point in world.points_of(vm_id)]
    if states != [{"available"}] * (times + 1):
        raise RuntimeError(f"the replicas of the restore points are {states}; their cost says nothing")
    told = ("activities", "events", "calls", "looks", "most_events")
    return Cost(*(max(getattr(cost, what) for cost in costs) for what in told))


def _backup(world: ObservedWorld, slot: datetime, within: timedelta) -> Cost:
    world.jump(slot - timedelta(seconds=1))
    calls = world.calls().total()
    with ledger() as opened:
        world.pass_time(timedelta(seconds=1) + within)
    done = opened.all_but(*WATCHES)
    steps = sum((each.steps for each in done), Counter[str]())
    return Cost(
        activities=steps.total(),
        events=sum(each.events.total() for each in done),
        calls=world.calls().total() - calls,
        looks=sum(steps[look] for look in LOOKS),
        most_events=max(max(each.events.values()) for each in done),
    )


def _rows(name: str, cost: Cost, aims: tuple[int, int, int] | None = None) -> list[dict[str, Any]]:
    told = (("activities", cost.activities), ("events", cost.events), ("ARM calls", cost.calls))
    wanted = aims or (None, None, None)
    return [
        _row(f"{name}: {unit}", value, unit, aim) for (unit, value), aim in zip(told, wanted, strict=True)
    ]


def _row(name: str, value: float, unit: str, aim: float | None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "aim": aim, "better": "lower"}
