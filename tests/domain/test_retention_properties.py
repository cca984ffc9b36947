"""Retention, whatever the points, holds, copies and limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.copies import Copy, CopyState
from domain.pruning import plan_pruning
from domain.restore_points import ReplicaState
from domain.retention import (
    GRACE,
    decide,
    deleted,
    deleting,
    expiring,
    kept_again,
    may_be_kept,
)
from tests.domain.retention_samples import AVAILABLE, EXPIRING, books, keeping, points
from tests.domain.samples import DAILY, NOW

STATES = [AVAILABLE, AVAILABLE, AVAILABLE, *ReplicaState]


@st.composite
def histories(draw):
    """The books of one VM in any state that they can be in."""
    known = []
    for point in points(draw(st.integers(1, 9))):
        replicas = {
            "west": draw(st.sampled_from([AVAILABLE, AVAILABLE, EXPIRING, ReplicaState.DELETED])),
            "north": draw(st.sampled_from(STATES)),
        }
        going = [place for place, state in replicas.items() if state is EXPIRING]
        begun = [place for place in going if draw(st.integers(0, 3)) == 0]
        known.append(
            replace(
                point,
                replicas=replicas,
                hold=draw(st.sampled_from([None, None, None, "held"])),
                uses=draw(st.sampled_from([{}, {}, {}, {"a restore": NOW}])),
                expires={place: NOW + draw(st.sampled_from([-1, 1])) * GRACE for place in going},
                deletions={place: NOW - GRACE for place in begun},
            )
        )
    copies = [
        replace(Copy.of(point, part, "north"), state=draw(st.sampled_from(CopyState)))
        for point in known
        for part in point.disks
        if draw(st.booleans())
    ]
    return books(known, copies)


policies = st.builds(
    lambda west, north, share: replace(DAILY, keep_last={"west": west, "north": north}, most_pruned=share),
    st.integers(0, 8),
    st.integers(0, 8),
    st.sampled_from([0.1, 0.5, 1.0]),
)


def pruned(known, policy, now):
    """The books after one whole prune, as the steps carry it out."""
    plan = plan_pruning(known, policy, now)
    left = {point.id: point for point in known.points}

    def change(names, changed):
        for name in names:
            left[name.point] = changed(left[name.point], name.location) or left[name.point]

    change(plan.keep, kept_again)
    change(plan.expire, lambda point, place: expiring(point, place, now))
    change(plan.delete, lambda point, place: deleting(point, place, now))
    change(plan.delete, deleted)
    return replace(known, points=tuple(left.values()))


def offered(known, location):
    return {point.id for point in known.points if point.replicas.get(location) is AVAILABLE}


@given(histories(), policies)
def test_a_location_that_had_an_available_replica_has_one_for_ever(known, policy):
    had = [place for place in ("west", "north") if any(may_be_kept(point, place) for point in known.points)]
    now = NOW
    for _ in range(4):
        known, now = pruned(known, policy, now), now + GRACE
        for place in had:
            assert offered(known, place)


@given(histories(), policies)
def test_what_is_held_or_read_never_goes(known, policy):
    safe = [point for point in known.points if point.hold or point.uses]
    now, after = NOW, known
    for _ in range(4):
        after, now = pruned(after, policy, now), now + GRACE
    for point in safe:
        left = next(other for other in after.points if other.id == point.id)
        for place in point.replicas:
            if may_be_kept(point, place):
                assert left.replicas[place] is AVAILABLE


@given(histories(), policies)
def test_a_home_replica_stays_while_a_copy_of_its_point_is_open(known, policy):
    now, after = NOW, known
    for _ in range(4):
        after, now = pruned(after, policy, now), now + GRACE
    for before in known.points:
        is_open = any(copy.state.is_open for copy in known.copies_of(before.id))
        if is_open and may_be_kept(before, "west"):
            assert before.id in offered(after, "west")


@given(histories(), policies)
def test_repeated_decisions_are_stable(known, policy):
    once = pruned(known, policy, NOW)
    for later in (NOW, NOW + timedelta(hours=1)):
        plan = plan_pruning(once, policy, later)
        assert plan.keep == plan.expire == ()
        assert pruned(once, policy, later) == once


@given(histories(), policies)
def test_every_replica_that_may_go_is_decided_on_and_only_those(known, policy):
    decided = [(verdict.point, verdict.location) for verdict in decide(known, policy)]
    assert sorted(decided) == sorted(
        (point.id, place) for point in known.points for place in point.replicas if may_be_kept(point, place)
    )


@given(st.integers(1, 12), st.integers(1, 8), st.integers(1, 8), st.sets(st.integers(0, 11)))
def test_after_enough_time_exactly_what_is_to_be_kept_is_left(count, west, north, held_places):
    known = [
        replace(point, hold="held" if place in held_places else None)
        for place, point in enumerate(points(count))
    ]
    after, now, policy = books(known), NOW, keeping(west, north)
    for _ in range(3):
        after, now = pruned(after, policy, now), now + GRACE
    for location, number in (("west", west), ("north", north)):
        wanted = {point.id for place, point in enumerate(known) if place < number or place in held_places}
        assert offered(after, location) == wanted
        gone = [point for point in after.points if point.id not in wanted]
        assert {point.replicas[location] for point in gone} <= {ReplicaState.DELETED}
