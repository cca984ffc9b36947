"""Plays schedules: what happens in them, days of calm after it, and then the check."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from tests.conftest import Accounts
from tests.schedules.checking import faults, open_things
from tests.schedules.game import Game
from tests.schedules.generator import Schedule
from tests.schedules.mortal_world import MortalWorld

DAYS_OF_CALM = 2
HOUR = timedelta(hours=1)
MOST_HOURS = 6  # after the days of calm, in which what is under way must end


def play(schedule: Schedule, accounts: Accounts, told: Callable[[str], None] | None = None) -> MortalWorld:
    """Play a schedule and check what it led to; return the world, closed.

    `told` is given each step before it happens. Raises AssertionError with everything that is wrong.
    """
    with tempfile.TemporaryDirectory() as directory:
        world = MortalWorld(Path(directory), accounts)
        try:
            _play(schedule, Game(world), told or _silently)
        finally:
            world.close()
    return world


def _play(schedule: Schedule, game: Game, told: Callable[[str], None]) -> None:
    for name, (policy, disks) in schedule.fleet.items():
        game.world.add_vm(name, dict.fromkeys(disks, b""), tags={"tidemark-policy": policy})
    for step in schedule.steps:
        told(f"{game.world.clock.now():%d %H:%M:%S} {step}")
        step.play(game)
        game.look()
    told(f"{game.world.clock.now():%d %H:%M:%S} all troubles cease")
    calm(game)
    wrong = faults(game)
    assert not wrong, "\n".join([str(schedule), *wrong])


def _silently(line: str) -> None:
    pass


def calm(game: Game) -> None:
    """Let all troubles cease and days pass, with what is due in them; then wait until all is over."""
    game.world.heal()
    game.world.pass_time(timedelta(minutes=20))
    for _ in range(DAYS_OF_CALM):
        _night(game)
    for _ in range(MOST_HOURS):
        if not open_things(game):
            return
        _leap_to(game, minute=38)
        game.world.pass_time(timedelta(minutes=13))
        game.look()


def _night(game: Game) -> None:
    """Write on every disk, take the slot of two o'clock, and prune."""
    for name, machine in game.world.machines.items():
        for disk in machine.disks:
            game.ledger.write(name, disk)
    _leap_to(game, hour=2, minute=0)
    game.world.pass_time(timedelta(minutes=9))
    game.look()
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
