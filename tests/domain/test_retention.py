"""Retention: what is kept and why, how it goes and comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.copies import Copy, CopyState
from domain.pruning import PrunePlan, ReplicaName, plan_pruning
from domain.restore_points import ReplicaState
from domain.retention import (
    GRACE,
    decide,
    deleted,
    deleting,
    expiring,
    held,
    kept_again,
)
from tests.domain.retention_samples import AVAILABLE, EXPIRING, FREE, books, keeping, points
from tests.domain.samples import NOW


def kept(known, policy, location, copies=()):
    """The places, newest 0, of the points that are kept in a location."""
    names = [point.id for point in known]
    return [
        names.index(verdict.point)
        for verdict in decide(books(known, copies), policy)
        if verdict.location == location and verdict.is_kept
    ]


def because(known, policy, place, location, copies=()):
    [verdict] = [
        verdict
        for verdict in decide(books(known, copies), policy)
        if (verdict.point, verdict.location) == (known[place].id, location)
    ]
    return verdict.because


def test_each_location_keeps_its_own_number_of_the_newest():
    known = points(10)
    assert kept(known, keeping(west=3, north=5), "west") == [0, 1, 2]
    assert kept(known, keeping(west=3, north=5), "north") == [0, 1, 2, 3, 4]
    assert because(known, keeping(west=3), 1, "west") == ("number 2 of the last 3",)
    assert because(known, keeping(west=3), 3, "west") == ()


def test_a_replica_that_is_not_whole_does_not_count():
    known = points(5)
    known[1] = replace(known[1], replicas={"west": AVAILABLE, "north": ReplicaState.FAILED})
    assert kept(known, keeping(north=2), "north") == [0, 2]


def test_the_newest_of_a_location_stays_even_where_nothing_is_to_be_kept():
    assert kept(points(3), keeping(north=0), "north") == [0]
    assert because(points(3), keeping(north=0), 0, "north") == ("the newest in north",)


def test_a_late_backup_of_an_old_slot_holds_newer_data_and_stays():
    known = points(4)
    late = known[2]
    parts = [
        replace(part, snapshot=replace(part.snapshot, created=NOW + timedelta(days=30)))
        for part in late.disks
    ]
    known[2] = replace(late, disks=tuple(parts))
    assert kept(known, keeping(north=1), "north") == [0, 2]


def test_what_is_held_or_read_stays_everywhere():
    known = points(5)
    known[3] = replace(known[3], hold="for the auditors")
    known[4] = known[4].used("20261122-0123456789abcdef0123", NOW)
    assert kept(known, keeping(west=1, north=1), "west") == [0, 3, 4]
    assert kept(known, keeping(west=1, north=1), "north") == [0, 3, 4]
    assert because(known, keeping(west=1), 3, "west") == ("held: for the auditors",)
    assert because(known, keeping(west=1), 4, "west") == ("read by 20261122-0123456789abcdef0123",)


@pytest.mark.parametrize("state", [ReplicaState.WAITING, ReplicaState.COPYING])
def test_the_source_of_a_copy_stays_until_that_is_over(state):
    known = points(4)
    known[3] = replace(known[3], replicas={"west": AVAILABLE, "north": state})
    assert kept(known, keeping(west=1), "west") == [0, 3]
    assert because(known, keeping(west=1), 3, "west") == ("on its way to north",)


@pytest.mark.parametrize("state", list(CopyState))
def test_the_rows_of_copies_say_too_that_one_is_open(state):
    known = points(4)
    copy = replace(Copy.of(known[3], known[3].disks[0], "south"), state=state)
    assert kept(known, keeping(west=1), "west", [copy]) == ([0, 3] if state.is_open else [0])


def test_what_the_next_copy_builds_on_stays_at_home():
    known = points(5)
    for place in (0, 1):
        known[place] = replace(known[place], replicas={"west": AVAILABLE, "north": ReplicaState.SKIPPED})
    assert kept(known, keeping(west=1), "west") == [0, 2]
    assert because(known, keeping(west=1), 2, "west") == ("the next copy to north builds on it",)


def test_a_location_that_the_policy_does_not_name_keeps_everything_and_so_does_a_vm_without_a_policy():
    assert kept(points(4), replace(FREE, keep_last={"west": 1}), "north") == [0, 1, 2, 3]
    assert kept(points(4), None, "west") == [0, 1, 2, 3]
    assert "policy 'daily' does not say how many points north keeps" in because(
        points(4), replace(FREE, keep_last={"west": 1}), 3, "north"
    )


# How a replica goes, and comes back


def test_a_replica_that_expires_is_kept_again_until_its_deletion_has_begun():
    [point] = points(1)
    going = expiring(point, "north", NOW)
    assert (going.replicas["north"], going.expires) == (EXPIRING, {"north": NOW + GRACE})
    assert going.replicas["west"] is AVAILABLE
    assert kept_again(going, "north") == point

    assert deleting(going, "north", NOW + GRACE - timedelta(seconds=1)) is None
    begun = deleting(going, "north", NOW + GRACE)
    assert begun.deletions == {"north": NOW + GRACE}
    assert kept_again(begun, "north") is None
    assert held(begun, "too late").replicas["north"] is EXPIRING

    gone = deleted(begun, "north")
    assert (gone.replicas["north"], gone.expires) == (ReplicaState.DELETED, {})


def test_nothing_is_deleted_before_its_deletion_has_begun_and_nothing_twice():
    [point] = points(1)
    going = expiring(point, "north", NOW)
    assert deleted(point, "north") is None
    assert deleted(going, "north") is None
    begun = deleting(going, "north", NOW + GRACE)
    assert deleting(begun, "north", NOW + 2 * GRACE) is None
    assert deleted(deleted(begun, "north"), "north") is None
    assert expiring(going, "north", NOW + GRACE) is None  # it keeps its moment


@pytest.mark.parametrize(
    "kept_by", [lambda point: replace(point, hold="a person"), lambda point: point.used("a restore", NOW)]
)
def test_a_row_that_has_changed_since_the_decision_is_not_expired_and_not_deleted(kept_by):
    [point] = points(1)
    assert expiring(kept_by(point), "north", NOW) is None
    assert deleting(kept_by(expiring(point, "north", NOW)), "north", NOW + GRACE) is None


def test_a_hold_brings_back_at_once_what_was_expiring():
    [point] = points(1)
    going = expiring(expiring(point, "north", NOW), "west", NOW)
    assert held(going, "wanted") == replace(point, hold="wanted")


# What is to be done


def test_a_prune_that_would_take_too_much_at_once_stops_and_says_what_to_do():
    known, careful = points(10), keeping(west=10, north=4, most_pruned=0.5)
    plan = plan_pruning(books(known), careful, NOW)
    assert plan.expire == plan.delete == ()
    [reason] = plan.stopped
    assert "6 of 10 restore points in north would expire at once" in reason
    assert "policy 'daily' allows 50%" in reason
    assert "raise its most_pruned_percent" in reason
    assert plan_pruning(books(known), keeping(west=10, north=5, most_pruned=0.5), NOW).stopped == ()


def test_one_replica_may_always_expire():
    plan = plan_pruning(books(points(2)), keeping(west=2, north=1, most_pruned=0.1), NOW)
    assert plan == PrunePlan(expire=(ReplicaName(points(2)[1].id, "north"),))


def test_a_stopped_prune_begins_no_deletion_and_ends_those_that_have_begun():
    known = points(10)
    due = [expiring(point, "west", NOW - 2 * GRACE) for point in known[8:]]
    known[8:] = [due[0], deleting(due[1], "west", NOW)]
    plan = plan_pruning(books(known), keeping(west=8, north=2, most_pruned=0.5), NOW)
    assert plan.stopped
    assert plan.delete == (ReplicaName(known[9].id, "west"),)


def test_a_policy_that_keeps_more_brings_back_what_was_expiring():
    known = points(3)
    known[2] = expiring(known[2], "north", NOW)
    plan = plan_pruning(books(known), keeping(north=3), NOW)
    assert plan == PrunePlan(keep=(ReplicaName(known[2].id, "north"),))
