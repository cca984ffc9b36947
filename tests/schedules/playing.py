"""Plays schedules: what happens in them, then the checks: as soon as troubles cease, at rest, and days later.

What heals by itself is seen only for a while: a queue that nobody works has a worker again when the next
slot comes, and what a failed copy has left goes with the replica that it was made for. So both are looked at
before.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tests.conftest import Accounts
from tests.paged_world import AT_ONCE
from tests.schedules.checking import faults, leftovers, open_things, unattended
from tests.schedules.game import Game
from tests.schedules.generator import Schedule
from tests.schedules.mortal_paged_world import MortalPagedWorld, one_at_a_time
from tests.schedules.mortal_world import MortalWorld
from tests.schedules.page_drawing import PagedSchedule
from tests.schedules.page_steps import Verify

PAGED_TEMPO = replace(AT_ONCE, blob_requests_per_second=None, blob_bytes_per_second=None)
DAYS_OF_CALM = 2
HOUR = timedelta(hours=1)
SOON = timedelta(minutes=20)  # the watch over the fleet has looked a few times
MOST_HOURS = 6  # in which what is under way must end, or will hardly end before the days of calm


def play(schedule: Schedule, accounts: Accounts, told: Callable[[str], None] | None = None) -> MortalWorld:
    """Play a schedule and check what it led to; return the world, closed.

    `told` is given each step before it happens. Raises AssertionError with everything that is wrong.
    """
    narrow = one_at_a_time() if isinstance(schedule, PagedSchedule) else nullcontext()
    with tempfile.TemporaryDirectory() as directory, narrow:
        world = _world(schedule, Path(directory), accounts)
        try:
            _play(schedule, Game(world), told or _silently)
        finally:
            world.close()
    return world


def _world(schedule: Schedule, directory: Path, accounts: Accounts) -> MortalWorld:
    if isinstance(schedule, PagedSchedule):
        return MortalPagedWorld(directory, accounts, tempo=PAGED_TEMPO, are_imported=schedule.are_imported)
    return MortalWorld(directory, accounts)


def _play(schedule: Schedule, game: Game, told: Callable[[str], None]) -> None:
    for name, (policy, disks) in schedule.fleet.items():
        game.add_vm(name, policy, disks)
    for step in schedule.steps:
        told(f"{game.world.clock.now():%d %H:%M:%S} {step}")
        step.play(game)
        game.look()
    told(f"{game.world.clock.now():%d %H:%M:%S} all troubles cease")
    wrong = [each for look in (_soon, _at_rest, _after_days) for each in look(game)]
    assert not wrong, "\n".join([str(schedule), *wrong])


def _silently(line: str) -> None:
    pass


def _soon(game: Game) -> list[str]:
    """Let all troubles cease, and look a little later."""
    game.world.heal()
    game.world.pass_time(SOON)
    return [f"soon: {each}" for each in unattended(game)]


def _at_rest(game: Game) -> list[str]:
    """Wait until nothing is at work, then until pruning has seen what that has left, and look.

    What takes longer than a night is looked at after the days of calm.
    """
    if not _come_to_rest(game):
        return []
    for _ in range(2):  # pruning leaves alone what was at work an hour ago
        _leap_to(game, minute=37)
        game.world.pass_time(timedelta(minutes=3))
    return [f"at rest: {each}" for each in leftovers(game)]


def _after_days(game: Game) -> list[str]:
    """Let days pass, with what is due in them, and look."""
    for _ in range(DAYS_OF_CALM):
        _night(game)
    _come_to_rest(game)
    return faults(game)


def _come_to_rest(game: Game) -> bool:
    """Let hours pass until nothing is under way; return whether that came."""
    for _ in range(MOST_HOURS):
        if not open_things(game):
            return True
        _leap_to(game, minute=38)
        game.world.pass_time(timedelta(minutes=13))
    return False


def _night(game: Game) -> None:
    """Write on every disk, take the slot of two o'clock, and prune."""
    for name, machine in game.world.machines.items():
        for disk in tuple(machine.disks):
            game.ledger.write(name, disk)
    _leap_to(game, hour=2, minute=0)
    game.world.pass_time(timedelta(minutes=9))
    game.look()
    if isinstance(game.world, MortalPagedWorld):
        Verify().play(game)
    _leap_to(game, minute=37)
    game.world.pass_time(timedelta(minutes=3))
    game.look()


def _leap_to(game: Game, minute: int, hour: int | None = None) -> None:
    """Jump to the next moment with this minute, and hour if one is given."""
    now = game.world.clock.now()
    moment = now.replace(minute=minute, second=0, microsecond=0)
    moment = moment if hour is None else moment.replace(hour=hour)
    while moment <= now:
        moment += HOUR if hour is None else timedelta(days=1)
    game.world.jump(moment)
