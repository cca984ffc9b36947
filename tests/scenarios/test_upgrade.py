"""The app is upgraded while it is at work: what began under the old version is ended, and taken up anew.

The host is stopped after an activity, and started with another `defaultVersion` and with orchestrators that
do something else first, so that no history of the old ones replays. A part of the positions is in the suite,
the same distance apart; all of them are under the marker soak.
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
from domain.restore_points import RestorePoint
from gateways.connection import cloud
from local_host.determinism import check_history
from local_host.history import started_event
from local_host.host import LocalHost
from local_host.versions import OUTPUT
from tests.conftest import Accounts
from tests.scenarios.test_kill_at_every_step import (
    DISKS,
    WATCH,
    take_more_than_is_kept,
    take_the_first_point,
)
from tests.schedules.checking import faults, operations
from tests.schedules.game import Game
from tests.schedules.lifeline import Moment
from tests.upgraded_world import FIRST, UpgradedWorld

STRIDE = 16


@dataclass(frozen=True)
class Story:
    """What is done before, what is done when the app is upgraded, and of which activities it consists."""

    policy: str
    before: Callable[[Game], None]
    upgraded: Callable[[Game], None]
    among: set[str]
    is_of_watch: bool = False


def back_up(game: Game) -> None:
    """Take another point, send it to both recovery locations, and prune what an attempt has left."""
    game.ledger.write("web", "os")
    assert game.ask("backups", {"vm": game.world.machines["web"].id})
    game.world.pass_time(timedelta(minutes=100))


def restore(game: Game) -> None:
    """Bring the VM back in the north."""
    [point] = game.offered("north")
    operation = game.restore(point, "north", "vm")
    game.world.pass_time(timedelta(minutes=30))
    [told] = [each for each in operations(game) if each.id == operation]
    assert told.state is OperationState.SUCCEEDED, told.failure


def prune(game: Game) -> None:
    """Prune: one point goes, another one expires; and twice more an hour later."""
    game.world.pass_time(timedelta(minutes=35))
    game.world.jump(game.world.clock.now().replace(hour=3, minute=37))
    game.world.pass_time(timedelta(minutes=75))


def watch(game: Game) -> None:
    """Watch over the fleet when a slot is due, until its point is everywhere."""
    game.ledger.write("web", "os")
    game.world.jump(game.world.clock.now().replace(hour=2, minute=0) + timedelta(days=1))
    game.world.pass_time(timedelta(minutes=75))


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
    "a look at the fleet": Story("daily", take_the_first_point, watch, WATCH - {"purge_histories"}, True),
}


@pytest.mark.parametrize("name", STORIES)
def test_an_upgrade_after_an_activity_leaves_nothing_undone_and_nothing_twice(name, accounts):
    wrong = troubles(STORIES[name], accounts, first=4, stride=STRIDE)
    assert not wrong, "\n".join(wrong)


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", STORIES)
def test_an_upgrade_after_every_single_activity_leaves_nothing_undone_and_nothing_twice(name, accounts):
    wrong = troubles(STORIES[name], accounts, first=1, stride=1)
    assert not wrong, "\n".join(wrong)


def troubles(story: Story, accounts: Accounts, first: int, stride: int) -> list[str]:
    """Tell the story once without an upgrade, then with one after every stride-th activity."""
    done, wrong = told(story, accounts, None)
    assert story.among <= set(done)
    for position in range(first, len(done) + 1, stride):
        _, found = told(story, accounts, position)
        wrong += [f"upgraded after activity {position}, {done[position - 1]}: {each}" for each in found]
    return wrong


def told(story: Story, accounts: Accounts, position: int | None) -> tuple[list[str], list[str]]:
    """Tell the story with an upgrade after an activity; return the activities, and what is wrong then."""

    def is_of_the_story(activity: str) -> bool:
        return (activity in WATCH) == story.is_of_watch

    with new_game(story.policy, accounts) as game:
        story.before(game)
        lifeline = game.world.lifeline
        before = len(lifeline.activities)
        if position:
            lifeline.cut_after(Moment.ACTIVITY, position, of=is_of_the_story)
        story.upgraded(game)
        done = [name for name in lifeline.activities[before:] if is_of_the_story(name)]
        return done, [*(faults_of_upgrade(game) if position else faults(game))]


def faults_of_upgrade(game: Game) -> Iterator[str]:
    """Yield what is wrong after an upgrade: what always is, what was not ended, and what was copied twice."""
    assert isinstance(game.world, UpgradedWorld)
    host, left = game.world.host, game.world.left
    assert game.world.lifeline.kills == 1
    assert any(check_history(host.app, history) for history in left.values() if history)
    expected = tuple(of_the_old_code(host))
    yield from (fault for fault in faults(game) if not fault.startswith(expected))
    for vm in game.world.machines.values():
        for point in game.world.points_of(vm.id):
            yield from second_copies(point)


def of_the_old_code(host: LocalHost) -> Iterator[str]:
    """Yield how the faults begin that are none: what the old code did does not replay, and may be refused."""
    for status in host.statuses():
        instance = status["instanceId"]
        started = started_event(host.history(instance))
        if started and started["Version"] == FIRST:
            yield f"histories: {instance}: "
            yield f"histories: {instance} is Failed: {OUTPUT}"


def second_copies(point: RestorePoint) -> Iterator[str]:
    """Yield the copies that were begun anew."""
    for location in point.recovery:
        for copy in cloud().catalogue.copies.find(point, location):
            if copy.attempt != 1:
                yield f"{copy.disk_name} of {copy.point} was copied to {copy.location} {copy.attempt} times"


@contextmanager
def new_game(policy: str, accounts: Accounts) -> Iterator[Game]:
    """A world with one VM."""
    with tempfile.TemporaryDirectory() as directory:
        world = UpgradedWorld(Path(directory), accounts)
        try:
            world.add_vm("web", dict.fromkeys(DISKS, b""), tags={"tidemark-policy": policy})
            yield Game(world)
        finally:
            world.close()
