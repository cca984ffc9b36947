"""Copies: proved complete or not complete, three attempts, and the replica that follows from all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.copies import (
    CLAIM_LASTS,
    GIVEN_UP,
    MOST_ATTEMPTS,
    STALLED,
    Copy,
    CopyState,
    copies_of,
    replica_state,
)
from domain.copy_queues import CopyQueue, to_skip
from domain.policy import Backlog
from domain.restore_points import ReplicaState
from domain.snapshots import Snapshot
from tests.domain.samples import NORTH, NOW, SLOT, available_point, begun_point

MINUTE = timedelta(minutes=1)


def waiting_copy():
    return copies_of(available_point())[0]


def target(percent: float | None = None, state: str = "Succeeded", error: str | None = None) -> Snapshot:
    return Snapshot(
        "id", "target", state, waiting_copy().source_id,
        unique_id="unique", created=NOW, percent=percent, copy_error=error,
    )  # fmt: skip


def test_an_available_point_asks_for_every_disk_in_every_recovery_location():
    point = replace(available_point(), recovery=("north", "south"))
    asked = [(copy.disk_name, copy.location) for copy in copies_of(point)]
    assert asked == [("os", "north"), ("data", "north"), ("os", "south"), ("data", "south")]
    assert {copy.state for copy in copies_of(point)} == {CopyState.WAITING}
    assert len({copy.target_name for copy in copies_of(point)}) == 4


def test_a_point_without_snapshots_has_nothing_to_copy():
    with pytest.raises(ValueError, match=r"disk 'os' of restore point .* has no snapshot to copy"):
        copies_of(begun_point())


def test_a_copy_lies_in_the_queue_of_its_disk_and_location():
    copy = waiting_copy()
    queue = CopyQueue(copy.disk, NORTH)
    assert queue.partition == f"{copy.disk}~north"
    assert queue.instance == f"copy:{copy.disk}:north"


def test_a_copy_is_complete_only_when_azure_says_all_of_it():
    copy = waiting_copy().claimed("worker", NOW)
    # The call has succeeded, and nothing is copied: azure-semantics.md §3.
    assert copy.observed(target(0.0), NOW).state is CopyState.COPYING
    assert copy.observed(target(99.9), NOW).state is CopyState.COPYING
    assert copy.observed(target(None), NOW).state is CopyState.COPYING  # nothing is proved
    assert copy.observed(target(100.0, state="Updating"), NOW).state is CopyState.COPYING
    complete = copy.observed(target(100.0), NOW)
    assert (complete.state, complete.percent) == (CopyState.AVAILABLE, 100.0)


def test_progress_is_noted_only_when_there_is_some():
    copy = waiting_copy().claimed("worker", NOW)
    assert copy.progressed == NOW
    further = copy.observed(target(10.0), NOW + MINUTE)
    assert (further.percent, further.progressed) == (10.0, NOW + MINUTE)
    stuck = further.observed(target(10.0), NOW + 2 * MINUTE)
    assert (stuck.progressed, stuck.renewed) == (NOW + MINUTE, NOW + 2 * MINUTE)


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (target(40.0, error="CopySourceNotFound: gone"), "CopySourceNotFound"),
        (target(state="Failed"), "Azure reports the snapshot 'target' as Failed"),
        (None, "was begun and is gone"),
    ],
)
def test_a_lost_copy_is_tried_again_under_another_name_and_fails_after_the_last(seen, reason):
    copy, names = waiting_copy(), set()
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert (copy.state, copy.attempt, copy.percent) == (CopyState.WAITING, attempt, 0.0)
        names.add(copy.target_name)
        copy = copy.claimed("worker", NOW).observed(seen, NOW)
    assert copy.state is CopyState.FAILED
    assert reason in copy.failure
    assert len(names) == MOST_ATTEMPTS


def test_the_next_attempt_begins_with_a_new_deadline():
    later = NOW + timedelta(hours=5)
    copy = waiting_copy().claimed("worker", NOW).observed(target(40.0), NOW).lost("no progress", later)
    assert copy.progressed is None
    assert copy.claimed("worker", later).progressed == later


@pytest.mark.parametrize("state", [CopyState.AVAILABLE, CopyState.FAILED, CopyState.SKIPPED])
def test_a_copy_that_is_over_stays_as_it_was(state):
    copy = replace(waiting_copy(), state=state)
    assert copy.claimed("worker", NOW) == copy
    assert copy.observed(target(10.0), NOW) == copy
    assert copy.observed(None, NOW) == copy


def test_claiming_ones_own_copy_again_changes_only_when():
    copy = waiting_copy().claimed("worker", NOW).observed(target(30.0), NOW)
    again = copy.claimed("worker", NOW + MINUTE)
    assert again == replace(copy, renewed=NOW + MINUTE)


def test_a_copy_that_another_worker_holds_is_taken_over_only_when_it_gives_no_sign_of_life():
    copy = waiting_copy().claimed("worker", NOW)
    assert copy.claimed("another", NOW + CLAIM_LASTS - MINUTE) == copy
    taken = copy.claimed("another", NOW + CLAIM_LASTS)
    assert (taken.owner, taken.attempt, taken.progressed) == ("another", 1, NOW)


def test_a_copy_that_makes_no_progress_is_told_and_at_last_given_up():
    copy = waiting_copy().claimed("worker", NOW).begun(NOW).observed(target(10.0), NOW + MINUTE)
    progressed = NOW + MINUTE
    assert not copy.observed(target(10.0), progressed + STALLED - MINUTE).is_stalled
    stalled = copy.observed(target(10.0), progressed + STALLED)
    assert (stalled.is_stalled, stalled.state) == (True, CopyState.COPYING)
    assert not stalled.observed(target(10.1), progressed + STALLED).is_stalled
    lost = stalled.observed(target(10.0), progressed + GIVEN_UP)
    assert (lost.state, lost.attempt) == (CopyState.WAITING, 2)
    assert "nothing more was copied for 1 day" in lost.failure
    assert lost.earlier_names == [copy.target_name]


def test_the_attempts_of_a_copy_are_further_and_further_apart():
    copy, pauses = waiting_copy(), []
    for _ in range(MOST_ATTEMPTS - 1):
        copy = copy.claimed("worker", NOW).lost("refused", NOW)
        pauses.append(copy.not_before - NOW)
    assert pauses == [5 * MINUTE, 15 * MINUTE]


def test_a_copy_that_must_wait_for_another_one_loses_no_attempt():
    copy = waiting_copy().claimed("worker", NOW).deferred("another copy runs", NOW + MINUTE)
    assert (copy.state, copy.attempt, copy.owner) == (CopyState.WAITING, 1, None)
    assert copy.not_before == NOW + MINUTE


def test_a_copy_that_cannot_be_begun_is_told_and_at_last_given_up_like_one_that_stands_still():
    copy, asked = waiting_copy(), NOW
    for hours in range(24):
        asked = NOW + timedelta(hours=hours)
        copy = copy.claimed("worker", asked).put_off("too many requests", asked + MINUTE, asked)
        assert (copy.state, copy.attempt, copy.owner) == (CopyState.WAITING, 1, None)
        assert (copy.not_before, copy.progressed) == (asked + MINUTE, NOW)
        assert copy.is_stalled == (asked >= NOW + STALLED)
    lost = copy.claimed("worker", NOW + GIVEN_UP).put_off("too many requests", NOW, NOW + GIVEN_UP)
    assert (lost.state, lost.attempt, lost.progressed) == (CopyState.WAITING, 2, None)
    assert lost.failure == "it could not be begun for 1 day, 0:00:00: too many requests"
    assert not lost.is_stalled


def test_a_copy_that_was_begun_at_last_has_its_whole_time_again():
    late = NOW + GIVEN_UP - MINUTE
    copy = waiting_copy().claimed("worker", NOW).put_off("too many requests", late, late)
    assert copy.is_stalled
    begun = copy.claimed("worker", NOW + GIVEN_UP).begun(NOW + GIVEN_UP)
    assert (begun.is_stalled, begun.progressed) == (False, NOW + GIVEN_UP)
    assert begun.observed(target(0.0), NOW + GIVEN_UP + MINUTE).state is CopyState.COPYING


def test_a_copy_that_is_begun_again_by_who_takes_it_over_has_not_progressed_by_that():
    copy = waiting_copy().claimed("worker", NOW).begun(NOW)
    assert copy.claimed("another", NOW + CLAIM_LASTS).begun(NOW + CLAIM_LASTS).progressed == NOW


def test_a_wait_for_another_copy_is_no_stall():
    late = NOW + GIVEN_UP
    copy = waiting_copy().claimed("worker", NOW).put_off("too many requests", NOW, NOW + STALLED)
    waiting = copy.claimed("worker", late).deferred("another copy runs", late)
    assert (waiting.progressed, waiting.is_stalled) == (None, False)


def queue_of(*states: str) -> list[Copy]:
    slots = (SLOT + day * timedelta(days=1) for day in range(len(states)))
    copies = [copies_of(available_point(slot=slot))[0] for slot in slots]
    return [replace(copy, state=CopyState(state)) for copy, state in zip(copies, states, strict=True)]


@pytest.mark.parametrize(
    ("states", "backlog", "skipped"),
    [
        # Azure takes the snapshots of a disk in their order: an older one would be refused for ever.
        (["waiting", "available", "waiting"], Backlog.EVERY, [0]),
        (["copying", "waiting", "available"], Backlog.EVERY, [0, 1]),
        (["available", "waiting", "waiting"], Backlog.EVERY, []),
        (["failed", "waiting"], Backlog.EVERY, []),
        # Only the newest of those that wait is worth its way; what is on its way goes on.
        (["copying", "waiting", "waiting", "waiting"], Backlog.NEWEST, [1, 2]),
        (["available", "waiting"], Backlog.NEWEST, []),
        (["waiting", "available", "waiting", "waiting"], Backlog.NEWEST, [0, 2]),
        ([], Backlog.NEWEST, []),
    ],
)
def test_what_is_not_worth_copying_is_skipped(states, backlog, skipped):
    copies = queue_of(*states)
    assert list(to_skip(copies, backlog)) == [copies[place].row_key for place in skipped]


states = st.lists(st.sampled_from(CopyState), min_size=1, max_size=5)


@given(states)
def test_a_replica_is_available_exactly_when_all_its_copies_are(found):
    state = replica_state(replace(waiting_copy(), state=each) for each in found)
    assert (state is ReplicaState.AVAILABLE) == (set(found) == {CopyState.AVAILABLE})


@given(states)
def test_a_replica_with_a_failed_copy_has_failed(found):
    state = replica_state(replace(waiting_copy(), state=each) for each in found)
    assert (state is ReplicaState.FAILED) == (CopyState.FAILED in found)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ([], ReplicaState.WAITING),  # none is planned yet
        (["waiting", "waiting"], ReplicaState.WAITING),
        (["waiting", "copying"], ReplicaState.COPYING),
        (["available", "waiting"], ReplicaState.COPYING),
        (["available", "copying"], ReplicaState.COPYING),
        (["available", "available"], ReplicaState.AVAILABLE),
        (["available", "skipped"], ReplicaState.SKIPPED),  # not all of it is there
        (["skipped", "failed"], ReplicaState.FAILED),
        (["available", "failed"], ReplicaState.FAILED),
    ],
)
def test_the_state_of_a_replica_follows_from_its_copies(found, state):
    copies = [replace(waiting_copy(), state=CopyState(each)) for each in found]
    assert replica_state(copies) is state
    assert replica_state(reversed(copies)) is state


@given(states, st.data())
def test_as_copies_end_the_replica_only_moves_forward(found, data):
    """Whoever derives the state late from what it saw early does no harm."""
    point = available_point()
    copies = [replace(waiting_copy(), state=CopyState.WAITING) for _ in found]
    seen = [replica_state(copies)]
    for place in data.draw(st.permutations(range(len(found)))):
        copies[place] = replace(copies[place], state=found[place])
        seen.append(replica_state(copies))
    if all(not state.is_open for state in found):
        for state in data.draw(st.permutations(seen)):
            point = point.with_replica("north", state)
        assert point.replicas["north"] is seen[-1]


def test_a_snapshot_of_another_source_under_our_name_is_no_copy_of_ours():
    foreign = replace(target(100.0), source_id="/subscriptions/one/snapshots/another")
    assert waiting_copy().claimed("worker", NOW).observed(foreign, NOW).state is CopyState.WAITING
