"""Leftovers: every snapshot that a failed attempt may have left is named, and none that is needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.copies import Copy, CopyState
from domain.leftovers import (
    FAILURES_TOLD,
    QUIET,
    attempt_names,
    copy_leftovers,
    ended_imports,
    is_failure_to_clean,
    is_forgettable,
    replica_names,
)
from domain.pruning import plan_pruning
from domain.restore_points import ReplicaState
from domain.retention import VmBooks
from tests.domain.samples import NOW, SLOT, available_point, begun_point

LATER = NOW + QUIET
MUCH_LATER = NOW + FAILURES_TOLD
OPEN = (CopyState.WAITING, CopyState.COPYING)


def point_with(state, *, days=0):
    point = available_point(slot=SLOT + timedelta(days=days))
    return replace(point, replicas={"west": ReplicaState.AVAILABLE, "north": state})


def copy_of(point, state, *, attempt=1, **known):
    planned = Copy.of(point, point.disks[0], "north")
    return replace(planned, state=state, attempt=attempt, renewed=NOW, **known)


def books(*points, copies=()):
    newest_first = sorted(points, key=lambda point: (point.slot, point.attempt), reverse=True)
    return VmBooks(points[0].vm.key, tuple(newest_first), tuple(copies))


def names_left(point, copy, *others, now=LATER):
    left = copy_leftovers(books(point, *others, copies=[copy]), point, now)
    return [name for each in left for name in each.names]


def test_a_failed_point_is_looked_at_once_nothing_can_be_at_work_on_it_any_more():
    failed = begun_point().failed("disk 'data': Azure refused", NOW)
    assert not is_failure_to_clean(failed, LATER - timedelta(seconds=1))
    assert is_failure_to_clean(failed, LATER)
    assert not is_failure_to_clean(replace(failed, is_cleaned=True), LATER)
    assert not is_failure_to_clean(begun_point(), LATER)
    assert not is_failure_to_clean(available_point(), LATER)


@pytest.mark.parametrize("state", [CopyState.FAILED, CopyState.SKIPPED])
def test_of_a_copy_that_was_given_up_every_attempt_is_left(state):
    point = point_with(ReplicaState.FAILED)
    copy = copy_of(point, state, attempt=3)
    assert names_left(point, copy, now=LATER - timedelta(seconds=1)) == []
    assert names_left(point, copy) == list(attempt_names(copy, 3))
    assert len(set(attempt_names(copy, 3))) == 3


def test_of_a_copy_that_arrived_only_the_attempts_before_are_left():
    point = point_with(ReplicaState.AVAILABLE)
    copy = copy_of(point, CopyState.AVAILABLE, attempt=2)
    assert names_left(point, copy) == [replace(copy, attempt=1).target_name]
    assert names_left(point, replace(copy, attempt=1)) == []


@pytest.mark.parametrize("state", OPEN)
def test_an_attempt_that_was_given_up_goes_while_the_next_one_is_made(state):
    point = point_with(ReplicaState.COPYING)
    copy = copy_of(point, state, attempt=2)
    [left] = copy_leftovers(books(point, copies=[copy]), point, NOW)
    assert left.names == (replace(copy, attempt=1).target_name,)
    assert not left.is_all  # a third attempt may follow


def test_a_disk_that_arrived_of_a_point_that_did_not_goes_when_nothing_builds_on_it():
    point = point_with(ReplicaState.FAILED)
    copy = copy_of(point, CopyState.AVAILABLE)
    assert names_left(point, copy) == []
    assert names_left(point, copy, point_with(ReplicaState.AVAILABLE, days=-1)) == []
    assert names_left(point, copy, point_with(ReplicaState.COPYING, days=1)) == []
    assert names_left(point, copy, point_with(ReplicaState.AVAILABLE, days=1)) == [copy.target_name]


def test_the_blob_that_a_copy_was_written_into_before_is_looked_at_though_no_attempt_has_failed():
    point = point_with(ReplicaState.AVAILABLE)
    copy = copy_of(point, CopyState.AVAILABLE, earlier_blobs=("of the damaged replica.vhd",))
    [left] = copy_leftovers(books(point, copies=[copy]), point, LATER)
    assert (left.copy, left.names, left.is_all) == (copy, (), True)


@pytest.mark.parametrize("state", [ReplicaState.FAILED, ReplicaState.SKIPPED])
def test_a_disk_that_arrived_of_a_point_that_did_not_goes_when_a_newer_copy_of_it_has_arrived(state):
    older, newer = point_with(state), point_with(state, days=1)
    first, second = (copy_of(point, CopyState.AVAILABLE) for point in (older, newer))
    second = replace(second, source_created=first.source_created + timedelta(days=1))
    other = replace(second, disk="another-0123456789ab")
    known = books(older, newer, copies=[first, second, other])
    assert [left.names for left in copy_leftovers(known, older, LATER)] == [(first.target_name,)]
    assert copy_leftovers(known, newer, LATER) == []  # the next copy builds on it
    unlike = [replace(second, state=CopyState.FAILED), replace(second, is_cleaned=True), other]
    for each in unlike:
        assert copy_leftovers(books(older, newer, copies=[first, each]), older, LATER) == []


def test_a_disk_that_arrived_of_a_point_that_did_not_is_not_kept_for_ever():
    """Of a VM that was deleted no newer copy ever comes."""
    point = point_with(ReplicaState.FAILED)
    copy = copy_of(point, CopyState.AVAILABLE)
    ends = point.decided + FAILURES_TOLD
    assert names_left(point, copy, now=ends - timedelta(seconds=1)) == []
    assert names_left(point, copy, now=ends) == [copy.target_name]


def test_a_damaged_replica_is_kept_until_a_newer_one_is_whole():
    point = point_with(ReplicaState.DAMAGED)
    copy = copy_of(point, CopyState.AVAILABLE)
    assert names_left(point, copy, now=point.decided + 10 * FAILURES_TOLD) == []
    newer = point_with(ReplicaState.AVAILABLE, days=1)
    assert names_left(point, copy, newer) == [copy.target_name]
    assert names_left(replace(point, uses={"restore": NOW}), copy, newer) == []


def test_what_was_cleaned_or_is_deleted_with_its_replica_is_not_looked_for():
    point = point_with(ReplicaState.AVAILABLE)
    copy = copy_of(point, CopyState.AVAILABLE, attempt=2)
    assert names_left(point, replace(copy, is_cleaned=True)) == []
    assert names_left(point_with(ReplicaState.DELETED), copy) == []
    going = replace(point_with(ReplicaState.EXPIRING), deletions={"north": NOW})
    assert names_left(going, copy) == []


def test_a_replica_has_the_names_of_all_its_attempts_and_all_possible_ones_where_a_row_is_lost():
    point = point_with(ReplicaState.AVAILABLE)
    copy = copy_of(point, CopyState.AVAILABLE, attempt=2)
    lost = Copy.of(point, point.disks[1], "north")
    made = replica_names(books(point, copies=[copy]), point, "north")
    names = [name for _, names in made for name in names]
    assert names == [*attempt_names(copy, 2), *attempt_names(lost, 3)]


copies = st.builds(
    lambda state, attempt, is_cleaned, age: (state, attempt, is_cleaned, age),
    st.sampled_from(CopyState),
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 3),
)


@given(copies, st.sampled_from(ReplicaState))
def test_the_snapshot_of_a_replica_that_is_there_is_never_a_leftover(drawn, replica):
    state, attempt, is_cleaned, hours = drawn
    point = point_with(replica)
    copy = copy_of(point, state, attempt=attempt, is_cleaned=is_cleaned)
    names = names_left(
        point, copy, point_with(ReplicaState.AVAILABLE, days=1), now=NOW + timedelta(hours=hours)
    )
    is_there = replica not in (ReplicaState.FAILED, ReplicaState.SKIPPED, ReplicaState.DAMAGED)
    if state.is_open or (state is CopyState.AVAILABLE and is_there):
        assert copy.target_name not in names


def test_what_a_restore_imported_from_is_a_leftover_once_the_restore_is_over_and_keeps_the_point():
    reading = (
        point_with(ReplicaState.AVAILABLE).used("a restore", NOW).importing("a restore", "replicas", NOW)
    )
    over = reading.released("a restore")
    assert ended_imports(reading, MUCH_LATER) == []
    assert ended_imports(over, LATER - timedelta(seconds=1)) == []  # a step of it may be at work somewhere
    assert ended_imports(over, LATER) == ["a restore"]
    assert plan_pruning(books(over), None, LATER).clean == (over.id,)

    gone = replace(over, replicas=dict.fromkeys(over.replicas, ReplicaState.DELETED))
    assert not is_forgettable(books(gone), gone, LATER)
    assert is_forgettable(books(gone), gone.without_imports("a restore"), LATER)


# Forgetting


def test_a_point_is_forgotten_when_its_last_replica_is_gone():
    gone = point_with(ReplicaState.DELETED)
    assert not is_forgettable(books(gone), gone, LATER)
    gone = replace(gone, replicas=dict.fromkeys(gone.replicas, ReplicaState.DELETED))
    assert is_forgettable(books(gone), gone, LATER)
    assert not is_forgettable(books(gone), replace(gone, hold="a person"), LATER)
    assert not is_forgettable(books(gone), gone.used("a restore", NOW), LATER)


@pytest.mark.parametrize("lost", [ReplicaState.FAILED, ReplicaState.SKIPPED])
def test_a_point_is_not_forgotten_before_what_its_copies_left_is_gone(lost):
    point = replace(point_with(lost), replicas={"west": ReplicaState.DELETED, "north": lost})
    copy = copy_of(point, CopyState.FAILED)
    assert not is_forgettable(books(point, copies=[copy]), point, LATER)
    assert is_forgettable(books(point, copies=[replace(copy, is_cleaned=True)]), point, LATER)


def test_a_failed_point_is_forgotten_when_it_is_cleaned_and_a_newer_one_is_there():
    failed = begun_point().failed("Azure refused", NOW)
    newer = point_with(ReplicaState.AVAILABLE, days=1)
    older = point_with(ReplicaState.AVAILABLE, days=-1)
    cleaned = replace(failed, is_cleaned=True)
    assert not is_forgettable(books(failed, newer), failed, MUCH_LATER)
    assert not is_forgettable(books(cleaned, older), cleaned, MUCH_LATER)
    assert is_forgettable(books(cleaned, newer), cleaned, MUCH_LATER)
    assert not is_forgettable(books(cleaned, newer), cleaned, LATER)  # it is to be looked into first


def test_a_point_that_is_being_taken_is_never_forgotten():
    begun = begun_point()
    assert not is_forgettable(books(begun, point_with(ReplicaState.AVAILABLE, days=1)), begun, LATER)


@pytest.mark.parametrize(
    ("known", "newer", "is_left", "why"),
    [
        ({}, ReplicaState.AVAILABLE, True, "a newer one has arrived, so nobody needs it"),
        ({}, ReplicaState.WAITING, False, "it may be all that there is, whatever is wrong with it"),
        ({}, ReplicaState.DAMAGED, False, "a newer one that is damaged, too, replaces nothing"),
        ({"hold": "evidence"}, ReplicaState.AVAILABLE, False, "somebody wants it kept"),
        ({"uses": {"operation": NOW}}, ReplicaState.AVAILABLE, False, "a restore that began before reads it"),
        ({"put_off": {"north": MUCH_LATER}}, ReplicaState.AVAILABLE, False, "its manifest is immutable"),
    ],
)
def test_a_damaged_replica_is_left_over_once_a_newer_one_is_available(known, newer, is_left, why):
    point = replace(point_with(ReplicaState.DAMAGED), **known)
    copy = copy_of(point, CopyState.AVAILABLE)
    names = names_left(point, copy, point_with(newer, days=1))
    assert (names == [copy.target_name]) is is_left, why
