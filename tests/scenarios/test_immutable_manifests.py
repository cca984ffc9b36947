"""Manifests that nobody can delete for some days: snapshots go when they are due, the rest when it can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.restore_points import ReplicaState
from tests.conftest import Accounts
from tests.immutable_world import DAYS, ImmutableWorld, refused_deletions

PROTECTED = {"tidemark-policy": "daily"}
QUICK = timedelta(minutes=15)


@pytest.fixture
def world(tmp_path: Path, accounts: Accounts) -> Iterator[ImmutableWorld]:
    """A world with one VM, of which each location keeps one point, and with immutable manifests."""
    made = ImmutableWorld(tmp_path, accounts)
    try:
        made.keep(west=1, north=1)
        made.add_vm("web", {"os": b"system", "data": b"start"}, tags=PROTECTED)
        yield made
        made.assert_histories_replay()
    finally:
        made.close()


def test_snapshots_go_when_they_are_due_and_manifests_when_they_can_without_a_word_to_anybody(world, caplog):
    world.days(4)
    world.prune()

    first = world.points_of(world.machines["web"].id)[-1]
    assert set(first.replicas.values()) == {ReplicaState.EXPIRING}
    assert first.deletions.keys() == first.put_off.keys() == {"west", "north"}
    assert (
        len(world.snapshots("west")) == len(world.snapshots("north")) == 2 * 2
    )  # the kept one, and one in its grace
    assert len(world.blobs("west")) == len(world.blobs("north")) == 4
    assert refused_deletions(world)
    assert not [line for line in caplog.messages if '"prune_failed"' in line]
    answer = world.ask("POST", "restores", {"restorePoint": first.id, "location": "north"})
    assert answer.status == 400  # it is not offered
    world.assert_books_and_cloud_agree()


def test_what_was_put_off_is_finished_when_the_time_is_over_and_nothing_is_forgotten_before(world):
    world.days(3)
    first = world.points_of(world.machines["web"].id)[-1]
    world.days(DAYS.days)
    world.prune()

    left = [point.id for point in world.points_of(world.machines["web"].id)]
    assert first.id not in left
    for location in ("west", "north"):
        names = world.blobs(location)
        assert not [name for name in names if first.id in name]
        assert {Path(name).stem for name in names} == set(
            left
        )  # each point has its manifest until it is forgotten
    newest = world.points_of(world.machines["web"].id)[0]
    assert world.restore(newest.id, "north", within=QUICK).disk("web-os") == b"system"
    world.assert_books_and_cloud_agree()


def test_a_manifest_is_asked_for_once_a_day_and_in_between_there_is_nothing_to_do(world):
    world.days(4)
    before = prunings(world)
    for _ in range(20):
        world.prune()

    times = Counter(refused_deletions(world))
    assert times
    assert max(times.values()) <= DAYS.days
    assert prunings(world) - before <= 2  # of 20 hours


def prunings(world):
    """How often there was something to prune."""
    return sum(status["name"] == "prune_vm" for status in world.host.statuses())
