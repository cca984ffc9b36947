"""Permits of copies: a step that comes late, or runs twice at once, leaves the place to who has it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activities.copies import Claim, CopyOrder, begin_next_copy, look_at_copy, queue_copies
from domain.copies import CopyState
from domain.copy_queues import CopyLook
from domain.errors import Transient
from gateways.connection import cloud
from gateways.permits import Permits
from tests.activities.taken import take_a_point

SOME_TIME = timedelta(minutes=10)  # longer than the wait before a second attempt


@pytest.fixture
def queue(world):
    """The queue of the only disk of a point to the north."""
    policy = cloud().policies.policies["daily"]
    [found] = queue_copies(CopyOrder(take_a_point(world), policy.recovery))
    return found


def held(queue):
    """The attempts that hold a permit."""
    permits = cloud().catalogue.permits
    return [permits.read(row).attempt for row in permits.table.query(queue.location.pool, before="pause")]


def just_before(monkeypatch, kind, name, happens):
    """Let something happen once, just before a method of the catalogue is called."""
    method = getattr(kind, name)

    def interrupted(*asked):
        monkeypatch.undo()
        happens()
        return method(*asked)

    monkeypatch.setattr(kind, name, interrupted)


def test_a_look_that_is_slow_to_give_back_leaves_the_permit_to_the_next_attempt(world, queue, monkeypatch):
    world.cloud.faults.fail_operation("PUT", "/snapshots-north/")
    begun = begin_next_copy(Claim(queue, "a worker")).copy
    world.clock.advance(SOME_TIME)

    def the_next_attempt_begins():
        world.clock.advance(SOME_TIME)
        assert begin_next_copy(Claim(queue, "another worker")).copy.attempt == 2

    just_before(monkeypatch, Permits, "give_back_after", the_next_attempt_begins)
    for _ in range(2):
        look_at_copy(CopyLook(begun, queue.location))
        assert held(queue) == [2]


def test_a_look_that_died_before_it_gave_the_permit_back_does_so_when_it_is_repeated(
    world, queue, monkeypatch
):
    world.cloud.faults.fail_operation("PUT", "/snapshots-north/")
    begun = begin_next_copy(Claim(queue, "a worker")).copy
    world.clock.advance(SOME_TIME)

    def it_dies():
        raise Transient("Died", "the host has died")

    just_before(monkeypatch, Permits, "give_back_after", it_dies)
    with pytest.raises(Transient, match="died"):
        look_at_copy(CopyLook(begun, queue.location))
    assert held(queue) == [1]
    world.clock.advance(timedelta(seconds=30))
    assert look_at_copy(CopyLook(begun, queue.location)).attempt == 2
    assert held(queue) == []


@pytest.mark.parametrize("status", [429, 400])
def test_a_beginning_that_is_refused_and_slow_leaves_the_permit_to_one_that_was_not(
    world, queue, monkeypatch, status
):
    claim = Claim(queue, "a worker")  # one worker, whose step runs twice at once

    def the_other_run_begins():
        assert begin_next_copy(claim).copy.started is not None

    world.cloud.faults.fail("PUT", "/snapshots-north/", status=status)
    just_before(monkeypatch, Permits, "give_back", the_other_run_begins)
    assert begin_next_copy(claim).copy.state is CopyState.COPYING
    assert held(queue) == [1]
    [copy] = cloud().catalogue.copies.of_queue(queue)
    assert (copy.state, copy.attempt) == (CopyState.COPYING, 1)


def test_a_copy_that_ends_just_before_it_is_claimed_leaves_no_permit(world, queue, monkeypatch):
    claim = Claim(queue, "a worker")

    def the_other_run_ends_it():
        begun = begin_next_copy(claim).copy
        world.clock.advance(SOME_TIME)
        assert look_at_copy(CopyLook(begun, queue.location)).state is CopyState.AVAILABLE
        assert held(queue) == []

    just_before(monkeypatch, Permits, "take", the_other_run_ends_it)
    assert begin_next_copy(claim).copy is None
    assert held(queue) == []
