"""How long the first backup of a whole fleet takes in virtual time, beside the least that the limits allow.

200 VMs of 4 disks are found by one look, each without a point, so all are due at once. Every disk costs two
writes, a snapshot and a copy. They are limited by the buckets of simulator/arm/throttling.py: Resource
Manager's writes per hour of one identity, Compute's snapshots per subscription and region; and by the 100
copies at a time to a region. `least_time` says how they add up. Takes minutes of wall time.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bench.observed_world import ObservedWorld, observed
from domain.copies import Copy, CopyState
from gateways.connection import cloud
from simulator.arm.snapshot_copies import MAX_COPIES
from simulator.arm.throttling import ARM_WRITES, PUT_SNAPSHOT, Policy
from simulator.azurite import Azurite, random_keys
from simulator.tempo import Tempo
from tests.conftest import Accounts

VMS = 200
DISKS = 4  # of each
BYTES = 1  # written on each disk
FIRST_LOOK = timedelta(minutes=5)  # after the world begins
LONGEST = timedelta(hours=3)
STEP = timedelta(minutes=5)
SHARE_AIM, TIME_AIM = 1.0, 1.15


@dataclass(frozen=True)
class Least:
    """The least time for a number of copies, and how it comes about."""

    time: timedelta
    derivation: str


def least_time(disks: int, tempo: Tempo) -> Least:
    """Return the shortest time in which anybody could snapshot and copy so many disks.

    A bucket gives its capacity at once, the rest as it is refilled. Who writes at full speed has the last
    write when the slowest bucket gives it, and that write begins a copy, which takes its time. Copies, of
    which 100 run side by side, take as many turns as that needs; the first begins when a snapshot is there.
    """
    copy = tempo.copy_accepted + tempo.copying(BYTES)
    writes = _wait_for(2 * disks, ARM_WRITES)
    snapshots = max(_wait_for(disks, policy) for policy in PUT_SNAPSHOT)
    turns = math.ceil(disks / MAX_COPIES)
    by_writes, by_turns = max(writes, snapshots) + copy, tempo.snapshot + turns * copy
    told = (
        f"{2 * disks} writes, {ARM_WRITES.capacity} at once and {ARM_WRITES.refill} an hour: the last after "
        f"{writes.total_seconds():.0f} s; {disks} snapshots in a region: the last after "
        f"{snapshots.total_seconds():.0f} s; a copy takes {copy.total_seconds():.0f} s, so by writes "
        f"{by_writes.total_seconds():.0f} s; {turns} turns of {MAX_COPIES} copies: "
        f"{by_turns.total_seconds():.0f} s"
    )
    return Least(max(by_writes, by_turns), told)


def measure() -> list[dict[str, Any]]:
    """Back the fleet up; return its time beside the least, and the share of calls that were refused."""
    least = least_time(VMS * DISKS, Tempo())
    with (
        Azurite(random_keys(f"account{number:02d}" for number in range(4))) as azurite,
        observed(Accounts(azurite)) as world,
    ):
        began, fleet = world.clock.now() + FIRST_LOOK, _protect_fleet(world)
        ended = _backed_up(world, fleet)
        calls, throttled = world.calls().total(), world.throttled
    sys.stderr.write(f"The least: {least.derivation}\n")
    name = f"{VMS} VMs of {DISKS} disks"
    taken = (ended - began).total_seconds()
    return [
        _row(f"{name}: virtual time until all are copied", taken, "s"),
        _row("… the least that the limits allow", least.time.total_seconds(), "s"),
        _row("… times the least", taken / least.time.total_seconds(), "times", TIME_AIM),
        _row("… ARM calls", calls, "calls"),
        _row("… of which refused with 429", throttled, "calls"),
        _row("… share of 429", 100 * throttled / calls, "%", SHARE_AIM),
    ]


def _protect_fleet(world: ObservedWorld) -> list[str]:
    """Add the VMs; return their ids."""
    content = {f"disk{number}": b"0" * BYTES for number in range(DISKS)}
    return [
        world.add_vm(f"vm{number:03d}", content, tags={"tidemark-policy": "daily"}) for number in range(VMS)
    ]


def _backed_up(world: ObservedWorld, vm_ids: Sequence[str]) -> datetime:
    """Let time pass until every copy has arrived; return when the last was seen complete."""
    end = world.clock.now() + LONGEST
    while world.clock.now() < end:
        world.host.run_until(world.clock.now() + STEP, timeout=900)
        if len(world.cloud.meter.copies) == VMS * DISKS:
            world.host.run_until(world.clock.now() + STEP, timeout=900)
            copies = list(_copies(world, vm_ids))
            if len(copies) == VMS * DISKS and all(copy.state is CopyState.AVAILABLE for copy in copies):
                return max(copy.progressed for copy in copies if copy.progressed)
    raise RuntimeError(f"after {LONGEST}, {len(world.cloud.meter.copies)} of {VMS * DISKS} disks are copied")


def _copies(world: ObservedWorld, vm_ids: Sequence[str]) -> Iterator[Copy]:
    for vm_id in vm_ids:
        for point in world.points_of(vm_id):
            yield from cloud().catalogue.copies.find(point, "north")


def _wait_for(tokens: int, policy: Policy) -> timedelta:
    """Return how long the last of so many tokens takes to come."""
    return max(0, tokens - policy.capacity) / policy.refill * policy.period


def _row(name: str, value: float, unit: str, aim: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "aim": aim, "better": "lower"}
