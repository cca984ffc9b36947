"""Records a history of every orchestration, from two stories: one with snapshots, one with page blobs.

    python -m tests.histories.record

Run it when an orchestration is new, or was changed on purpose; CONTRIBUTING.md says what that means. What is
another from run to run gets fixed names, so that a diff shows what the orchestration does otherwise.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from domain.verifications import ROTATION_DAYS
from local_host.determinism import check_history
from local_host.history import SCHEDULING, Event
from simulator.azurite import Azurite, random_keys
from simulator.tempo import Tempo
from tests.conftest import Accounts
from tests.paged_world import AT_ONCE, PagedWorld
from tests.pruned_world import PrunedWorld
from tests.world import World

STORED = Path(__file__).parent
ACCOUNTS = [f"account{number:03d}" for number in range(9)]  # in each world the catalogue's, one per location
SLOW = Tempo(copy_at_least=timedelta(minutes=5))
OF_PAGES = ("verify_fleet", "verify_replica", "restore_from_blob")  # what is done with page blobs alone
DISKS = {"os": b"system", "data": b"first"}
Played = TypeVar("Played", bound=World)
_EXECUTION = re.compile(r"\b[0-9a-f]{32}\b")


def main() -> None:
    """Record every history anew."""
    with Azurite(random_keys(ACCOUNTS)) as azurite:
        accounts = Accounts(azurite)
        # One activity at a time, so that answers come in the same order each time.
        record(lambda place: PrunedWorld(place, accounts, workers=1, tempo=SLOW), story)
        record(lambda place: PagedWorld(place, accounts, workers=1, tempo=AT_ONCE), paged_story)


def record(made: Callable[[Path], Played], play: Callable[[Played], Iterator[None]]) -> None:
    """Record the histories of one story in a world of its own."""
    with TemporaryDirectory() as directory:
        world = made(Path(directory))
        try:
            for name, history in longest(world, play(world)).items():
                if (name in OF_PAGES) is not isinstance(world, PagedWorld):
                    continue
                recorded = normalised(history, world)
                assert check_history(world.host.app, recorded) == [], name
                (STORED / f"{name}.json").write_text(written(recorded))
                sys.stdout.write(f"{name}: {len(recorded)} events\n")
        finally:
            world.close()


def story(world: PrunedWorld) -> Iterator[None]:
    """Back a VM up while Azure is busy, copy it, restore it, prune it; yield where there is much to see."""
    world.add_vm("web", DISKS, tags={"tidemark-policy": "daily"})
    world.cloud.faults.fail("PUT", "/snapshots/web-web-data", status=429, retry_after=30)
    world.pass_time(timedelta(minutes=5))
    yield
    world.pass_time(timedelta(minutes=4))
    yield
    world.pass_time(timedelta(minutes=10))
    [point] = world.points_of(world.machines["web"].id)
    order = {"restorePoint": point.id, "location": "north", "what": "vm"}
    assert world.ask("POST", "restores", order).status == 202
    world.pass_time(timedelta(minutes=10))
    yield
    world.keep(west=1, north=1)
    for _ in range(3):
        world.days(1)
        yield
    world.pass_time(timedelta(hours=1))
    yield


def paged_story(world: PagedWorld) -> Iterator[None]:
    """Back a VM up into page blobs, restore it, and verify what is there: equal at first, then damaged."""
    world.add_vm("web", DISKS, tags={"tidemark-policy": "yearly"})
    world.back_up("web", timedelta(minutes=10))
    world.verify()
    yield
    [point] = world.points_of(world.machines["web"].id)
    world.restore(point.id, "vault", timedelta(minutes=10))
    yield
    world.tamper(point, "web-os", 0)
    for _ in range(ROTATION_DAYS):
        world.verify()
        yield
        if len(world.points_of(world.machines["web"].id)) > 1:
            return


def longest(world: World, moments: Iterable[None]) -> dict[str, list[Event]]:
    """Return, of each orchestration, the history that asks for most of all that are seen at the moments.

    Of an orchestration that begins anew again and again only the latest part is there to be seen.
    """
    found: dict[str, list[Event]] = {}
    for _ in moments:
        for status in sorted(world.host.statuses(), key=lambda status: str(status["instanceId"])):
            history = world.host.history(status["instanceId"])
            if asked_for(history) > asked_for(found.get(status["name"], [])):
                found[status["name"]] = history
    return found


def asked_for(history: list[Event]) -> int:
    """Count what an orchestration asked for."""
    return sum(event["EventType"] in SCHEDULING for event in history)


def normalised(history: list[Event], world: World) -> list[Event]:
    """Give fixed names to what differs from run to run: executions, and where the storage emulator is."""
    text = json.dumps(history)
    for location, account in world.manifests.items():
        text = text.replace(account.blob_endpoint, f"https://{location}.blob.example")
    numbers = count(1)
    names = {found: f"{next(numbers):032d}" for found in dict.fromkeys(_EXECUTION.findall(text))}
    told: list[Any] = json.loads(_EXECUTION.sub(lambda found: names[found[0]], text))
    return told


def written(history: list[Event]) -> str:
    """Return a history as text, one event a line."""
    return "[\n" + ",\n".join(json.dumps(event) for event in history) + "\n]\n"


if __name__ == "__main__":
    main()
