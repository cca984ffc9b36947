"""kill -9 of the host after every single activity of a backup, of a restore of a VM, and of a prune.

Each position once: what the activity did is done, and nobody hears of it. A part of the positions is in the
suite, the same distance apart; all of them are under the marker soak.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from domain.operations import OperationState
from tests.conftest import Accounts
from tests.schedules.checking import faults, operations
from tests.schedules.game import Game
from tests.schedules.lifeline import Moment
from tests.schedules.mortal_world import MortalWorld
from tests.world import START

STRIDE = 6
DISKS = ("os", "data")
WATCH = {"find_unattended", "find_due_backups", "start_backups", "end_look", "purge_histories"}


@dataclass(frozen=True)
class Story:
    """What is done before, then what is done while the host is killed, and what some activity of it is."""

    policy: str
    before: Callable[[Game], None]
    killed: Callable[[Game], None]
    among: set[str]


def take_the_first_point(game: Game) -> None:
    """Take the first point, which is due at once, and wait until it is everywhere."""
    game.ledger.write("web", "data")
    game.world.pass_time(timedelta(minutes=14))


def back_up(game: Game) -> None:
    """Take another point, and send it to both recovery locations."""
    game.ledger.write("web", "os")
    assert game.ask("backups", {"vm": game.world.machines["web"].id})
    game.world.pass_time(timedelta(minutes=14))


def restore(game: Game) -> None:
    """Bring the VM back in the north."""
    [point] = game.offered("north")
    operation = game.restore(point, "north", "vm")
    game.world.pass_time(timedelta(minutes=14))
    [told] = [each for each in operations(game) if each.id == operation]
    assert told.state is OperationState.SUCCEEDED, told.failure


def take_more_than_is_kept(game: Game) -> None:
    """Take points until one expires at home, and then a day later another one."""
    take_the_first_point(game)
    for day in range(1, 4):
        game.ledger.write("web", "os")
        slot = START.replace(hour=2) + timedelta(days=day)
        game.world.jump(slot - timedelta(minutes=20))  # pruning runs now, and not when the slot is due
        game.world.jump(slot)
        game.world.pass_time(timedelta(minutes=9))
        if day < 3:
            game.world.jump(slot + timedelta(minutes=37))


def prune(game: Game) -> None:
    """Prune: one point goes, another one expires; and once more an hour later."""
    game.world.pass_time(timedelta(minutes=35))
    game.world.jump(game.world.clock.now().replace(hour=3, minute=37))
    game.world.pass_time(timedelta(minutes=3))


STORIES = {
    "a backup with two recovery locations": Story(
        "twice", take_the_first_point, back_up, {"begin_snapshot", "queue_copies", "look_at_copy"}
    ),
    "a restore of a VM": Story(
        "daily", take_the_first_point, restore, {"begin_disk", "begin_machine", "record_restore"}
    ),
    "a prune": Story(
        "daily", take_more_than_is_kept, prune, {"mark_replicas", "delete_replica", "forget_points"}
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_kill_after_an_activity_leaves_nothing_undone_and_nothing_twice(name, accounts):
    wrong = troubles(STORIES[name], accounts, STRIDE)
    assert not wrong, "\n".join(wrong)


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", STORIES)
def test_a_kill_after_every_single_activity_leaves_nothing_undone_and_nothing_twice(name, accounts):
    wrong = troubles(STORIES[name], accounts, 1)
    assert not wrong, "\n".join(wrong)


def troubles(story: Story, accounts: Accounts, stride: int) -> list[str]:
    """Tell the story once without a kill, then with one after every stride-th activity."""
    done, wrong = told(story, accounts, None)
    assert story.among <= set(done)
    for position in range(1, len(done) + 1, stride):
        _, found = told(story, accounts, position)
        wrong += [f"killed after activity {position}, {done[position - 1]}: {each}" for each in found]
    return wrong


def told(story: Story, accounts: Accounts, position: int | None) -> tuple[list[str], list[str]]:
    """Tell the story with a kill after an activity; return the activities, and what is wrong then."""
    with new_game(story.policy, accounts) as game:
        story.before(game)
        lifeline = game.world.lifeline
        before = len(lifeline.activities)
        if position:
            lifeline.cut_after(Moment.ACTIVITY, position, of=is_of_the_story)
        story.killed(game)
        assert lifeline.kills == (1 if position else 0)
        return [name for name in lifeline.activities[before:] if is_of_the_story(name)], faults(game)


def is_of_the_story(activity: str) -> bool:
    """Whether an activity is not one of the watch over the fleet, which goes on beside every story."""
    return activity not in WATCH


@contextmanager
def new_game(policy: str, accounts: Accounts) -> Iterator[Game]:
    """A world with one VM."""
    with tempfile.TemporaryDirectory() as directory:
        world = MortalWorld(Path(directory), accounts)
        try:
            world.add_vm("web", dict.fromkeys(DISKS, b""), tags={"tidemark-policy": policy})
            yield Game(world)
        finally:
            world.close()
