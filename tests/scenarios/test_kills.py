"""kill -9 of the host at random moments, while VMs are backed up, copied and restored.

TIDEMARK_KILLS=500 pytest -m soak tests/scenarios/test_kills.py
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from gateways.compute import Compute
from local_system.policies import HOME, POLICY, VAULT_LOCATION
from local_system.simulated_azure import ONLOOKER
from local_system.system import LocalSystem
from settings import Identity
from tests.mortal_system import (
    KILLS,
    LOCATIONS,
    get,
    is_everywhere,
    order,
    running,
    succeeded,
    tell_stories,
    wait_for,
)

BETWEEN_TURNS = timedelta(minutes=1)  # Azure takes seven snapshots of a disk in five minutes
MIB = 1 << 20
VMS = ("web", "database")
DISKS = ("os", "first", "second")


class Killer(threading.Thread):
    """Kills the host at random moments and starts it again, so often."""

    def __init__(self, system: LocalSystem, chance: random.Random, kills: int) -> None:
        super().__init__(daemon=True)
        self._system, self._chance, self._kills = system, chance, kills
        self.killed = 0
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            for _ in range(self._kills):
                time.sleep(self._chance.uniform(0.0, 2.5))
                self._system.host.kill()
                self.killed += 1
                self._system.host.start()
        except Exception as failure:
            self.failure = failure


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_whatever_is_killed_when_every_point_is_whole_and_nothing_is_left_over(tmp_path):
    assert tell_stories(tmp_path, tell_story) == KILLS  # and each story ended as it should


def tell_story(folder: Path, chance: random.Random, kills: int) -> None:
    """Change two VMs, back them up and restore them, again and again until all kills are spent."""
    with running(folder) as system:
        machines = {name: add_vm(system, name) for name in VMS}
        killer = Killer(system, chance, kills)
        killer.start()
        taken: dict[str, dict[str, bytes]] = {}  # restore point → what its disks held
        made: list[str] = []
        turn = 0
        while killer.is_alive() or turn == 0:
            newest = back_up(system, machines, turn)
            taken.update(newest)
            point, location = chance.choice(sorted(newest)), LOCATIONS[turn % len(LOCATIONS)]
            made += restore(system, point, location, taken[point], f"restore-{turn}")
            system.pass_time(BETWEEN_TURNS)
            turn += 1
        killer.join()
        assert killer.failure is None, killer.failure
        assert killer.killed == kills
        check_snapshots(system, taken)
        listed = {disk.id.lower() for disk in compute(system).disks.list() if "restored" in disk.id}
        assert listed == set(made)


def add_vm(system: LocalSystem, name: str) -> Any:
    return system.cloud.add_virtual_machine(
        name, HOME, "production", disks=dict.fromkeys(DISKS, 16 * MIB), tags={}
    )


def back_up(system: LocalSystem, machines: dict[str, Any], turn: int) -> dict[str, dict[str, bytes]]:
    """Change every VM and back it up; return what the disks of each restore point held."""
    asked = {}
    for name, machine in machines.items():
        held = {f"{name}-{disk}": f"{name} {disk} {turn}".encode() for disk in DISKS}
        for disk in DISKS:
            machine.disk(disk).image.write(turn * 4096, held[f"{name}-{disk}"])
        asked[name] = (order(system, "backups", {"vm": machine.id, "policy": POLICY}, f"{name}-{turn}"), held)
    taken = {}
    for operation, held in asked.values():
        taken[succeeded(system, operation)["restorePoint"]["id"]] = held
    return taken


def restore(system: LocalSystem, point: str, location: str, held: dict[str, bytes], key: str) -> list[str]:
    """Restore a point from a location; see that the disks hold what they held, and return their ids."""
    wait_for(system, f"restore-points/{point}", is_everywhere)
    operation = order(system, "restores", {"restorePoint": point, "location": location}, key)
    disks = succeeded(system, operation)["outcome"]["disks"]
    for disk in disks:
        assert held[disk["sourceDisk"]] in system.cloud.disk(disk["id"]).image.read(0, 16 * MIB)
    return [disk["id"].lower() for disk in disks]


def check_snapshots(system: LocalSystem, taken: dict[str, Any]) -> None:
    """Every point is available everywhere, and the cloud holds their snapshots; the vault has none.

    It may hold those of failed points, too, until they are pruned: a host that is dead for a minute while the
    disks of a VM are snapshotted lets them be so far apart that all are taken once more.
    """
    recorded: set[str] = set()
    for point in taken:
        whole = wait_for(system, f"restore-points/{point}", is_everywhere)
        recorded |= {disk["snapshot"].lower() for disk in whole["disks"]}
        for replica in whole["replicas"]:
            if replica["location"] != VAULT_LOCATION:
                recorded |= {disk["snapshot"].lower() for disk in replica["disks"]}
    assert len(recorded) == len(taken) * len(DISKS) * (len(LOCATIONS) - 1)
    found = {snapshot.id.lower() for snapshot in compute(system).snapshots.list()}
    assert recorded <= found
    assert found - recorded <= set(of_failed_points(system))


def of_failed_points(system: LocalSystem) -> Iterator[str]:
    for vm in get(system, "vms")["items"]:
        for point in get(system, f"vms/{vm['key']}/restore-points?limit=100")["items"]:
            if point["state"] == "failed":
                disks = get(system, f"restore-points/{point['id']}")["disks"]
                yield from (disk["snapshot"].lower() for disk in disks)


def compute(system: LocalSystem) -> Any:
    return Compute(Token(), system.azure.url, identity=Identity.BACKUP).client(system.cloud.subscription)


class Token:
    """Names an identity to the simulator."""

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(f"development:{ONLOOKER}", 4102444800)
