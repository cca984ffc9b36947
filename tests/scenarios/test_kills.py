"""kill -9 of the host at random moments, while VMs are backed up, copied and restored.

TIDEMARK_KILLS=500 pytest -m soak tests/scenarios/test_kills.py
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from gateways.compute import Compute
from local_system.api import ApiFailed
from local_system.failures import LocalSystemFailed
from local_system.policies import HOME, HOME_LOCATION, POLICY, RECOVERY_LOCATION, VAULT_LOCATION
from local_system.simulated_azure import ONLOOKER
from local_system.system import LocalSystem
from settings import Identity

KILLS = int(os.environ.get("TIDEMARK_KILLS", "4"))
KILLS_PER_STORY = 25
SPEED = 20.0  # simulated seconds in one of ours: a story takes some minutes of simulated time
PATIENCE_SECONDS = 240.0
BETWEEN_TURNS = timedelta(minutes=1)  # Azure takes seven snapshots of a disk in five minutes
MIB = 1 << 20
VMS = ("web", "database")
DISKS = ("os", "first", "second")
LOCATIONS = (HOME_LOCATION, RECOVERY_LOCATION, VAULT_LOCATION)


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
    seed = int(os.environ.get("TIDEMARK_SEED", random.SystemRandom().randrange(10**6)))
    chance, killed, story = random.Random(seed), 0, 0
    while killed < KILLS:
        folder = tmp_path / f"story-{story}"
        folder.mkdir()
        sys.stderr.write(f"seed {seed}: story {story}, {killed} kills so far\n")
        tell_story(folder, chance, min(KILLS_PER_STORY, KILLS - killed))
        killed, story = killed + min(KILLS_PER_STORY, KILLS - killed), story + 1
    assert killed == KILLS  # and each story ended as it should


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


@contextmanager
def running(folder: Path) -> Iterator[LocalSystem]:
    system = LocalSystem(factor=SPEED, parent=folder)
    try:
        system.start()
        yield system
    except BaseException:
        if system.log:
            (folder / "host.log").write_bytes(system.log.read_bytes())  # the system takes its own with it
        raise
    finally:
        system.stop()


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
        order = {"vm": machine.id, "policy": POLICY}
        asked[name] = (order_backup(system, order, f"{name}-{turn}"), held)
    taken = {}
    for operation, held in asked.values():
        over = wait_for(system, f"operations/{operation['id']}", lambda found: found["ended"] is not None)
        assert over["state"] == "succeeded", over
        taken[over["restorePoint"]["id"]] = held
    return taken


def order_backup(system: LocalSystem, order: dict[str, str], key: str) -> Any:
    return insist(lambda: system.host.api.post("backups", order, key))


def restore(system: LocalSystem, point: str, location: str, held: dict[str, bytes], key: str) -> list[str]:
    """Restore a point from a location; see that the disks hold what they held, and return their ids."""
    wait_for(system, f"restore-points/{point}", is_everywhere)
    order = {"restorePoint": point, "location": location}
    operation = insist(lambda: system.host.api.post("restores", order, key))
    over = wait_for(system, f"operations/{operation['id']}", lambda found: found["ended"] is not None)
    assert over["state"] == "succeeded", over
    disks = over["outcome"]["disks"]
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


def get(system: LocalSystem, path: str) -> Any:
    return insist(lambda: system.host.api.get(path))


def is_everywhere(point: dict[str, Any]) -> bool:
    states = [replica["state"] for replica in point["replicas"]]
    return states == ["available"] * len(LOCATIONS)


def compute(system: LocalSystem) -> Any:
    return Compute(Token(), system.azure.url, identity=Identity.BACKUP).client(system.cloud.subscription)


class Token:
    """Names an identity to the simulator."""

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(f"development:{ONLOOKER}", 4102444800)


def insist(ask: Callable[[], Any]) -> Any:
    """Ask until there is an answer: the host may be dead just now. A refusal is an answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return ask()
        except (ApiFailed, LocalSystemFailed) as failure:
            if getattr(failure, "status", 0) not in (0, 503) or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def wait_for(system: LocalSystem, path: str, is_so: Callable[[Any], bool]) -> Any:
    """Look until something is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so(found := insist(lambda: system.host.api.get(path))):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found
