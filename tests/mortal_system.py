"""A local system whose host is killed, as kill -9 does it, while a story goes on that asks and waits."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from local_system.api import ApiFailed
from local_system.failures import LocalSystemFailed
from local_system.policies import HOME_LOCATION, RECOVERY_LOCATION, VAULT_LOCATION
from local_system.system import LocalSystem

KILLS = int(os.environ.get("TIDEMARK_KILLS", "4"))
KILLS_PER_STORY = 25
SPEED = 20.0  # simulated seconds in one of ours: a story takes some minutes of simulated time
PATIENCE_SECONDS = 240.0
LOCATIONS = (HOME_LOCATION, RECOVERY_LOCATION, VAULT_LOCATION)


def tell_stories(folder: Path, tell: Callable[[Path, random.Random, int], None]) -> int:
    """Tell a story, with its folder, chance and kills, again and again until all kills are spent; say how
    many those were."""
    seed = int(os.environ.get("TIDEMARK_SEED", random.SystemRandom().randrange(10**6)))
    chance, killed, story = random.Random(seed), 0, 0
    while killed < KILLS:
        sys.stderr.write(f"seed {seed}: story {story}, {killed} kills so far\n")
        own = folder / f"story-{story}"
        own.mkdir()
        kills = min(KILLS_PER_STORY, KILLS - killed)
        tell(own, chance, kills)
        killed, story = killed + kills, story + 1
    return killed


@contextmanager
def running(folder: Path, begins: datetime | None = None) -> Iterator[LocalSystem]:
    """A system in a folder, from a moment on (None: now); the folder keeps the log of a story that fails."""
    system = LocalSystem(begins=begins, factor=SPEED, parent=folder)
    try:
        system.start()
        yield system
    except BaseException:
        if system.log:
            (folder / "host.log").write_bytes(system.log.read_bytes())  # the system takes its own with it
        raise
    finally:
        system.stop()


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


def get(system: LocalSystem, path: str) -> Any:
    """Ask the API until it answers."""
    return insist(lambda: system.host.api.get(path))


def order(system: LocalSystem, what: str, body: dict[str, str], key: str) -> str:
    """Order a backup or a restore, as often as it takes; return the id of its one operation."""
    return str(insist(lambda: system.host.api.post(what, body, key))["id"])


def wait_for(system: LocalSystem, path: str, is_so: Callable[[Any], bool]) -> Any:
    """Look by the API until something is so."""
    found: Any = None

    def look() -> bool:
        nonlocal found
        found = get(system, path)
        return is_so(found)

    wait_until(look, lambda: found)
    return found


def wait_until(is_so: Callable[[], bool], told: Callable[[], Any] = lambda: None) -> None:
    """Look until something is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, told()
        time.sleep(0.1)


def succeeded(system: LocalSystem, operation: str) -> Any:
    """Wait until an operation is over, which has to succeed; return what the API tells of it."""
    over = wait_for(system, f"operations/{operation}", lambda found: found["ended"] is not None)
    assert over["state"] == "succeeded", over
    return over


def is_everywhere(point: dict[str, Any]) -> bool:
    """Whether every location has a replica of a point."""
    states = [replica["state"] for replica in point["replicas"]]
    return states == ["available"] * len(LOCATIONS)
