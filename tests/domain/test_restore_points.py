"""Restore points: available means all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.restore_points import PointState, ReplicaState, next_attempt
from domain.vms import EXCLUDE_TAG
from tests.domain.samples import NOW, SLOT, available_point, begun_point, disk, machine, snapshot

# What can become of one disk's snapshot, and whether the disk is then in the point.
FATES = {
    "usable": (lambda part: part.observed(snapshot(part)), True),
    "complete in the background": (lambda part: part.observed(snapshot(part, percent=100.0)), True),
    "without a unique id yet": (lambda part: part.observed(snapshot(part, source_unique_id=None)), True),
    "never begun": (lambda part: part, False),
    "still updating": (lambda part: part.observed(snapshot(part, provisioning_state="Updating")), False),
    "not complete yet": (lambda part: part.observed(snapshot(part, percent=99.9)), False),
    "failed in Azure": (lambda part: part.observed(snapshot(part, provisioning_state="Failed")), False),
    "of another disk": (lambda part: part.observed(snapshot(part, source_unique_id="another")), False),
    "refused": (lambda part: replace(part, failure="Azure refused"), False),
}


def point_of(fates):
    point = begun_point(machine(*(disk(f"disk{number}") for number in range(len(fates)))))
    parts = [FATES[fate][0](part) for fate, part in zip(fates, point.disks, strict=True)]
    return point.decided_by(parts, NOW)


@pytest.mark.parametrize("sku", ["UltraSSD_LRS", "PremiumV2_LRS"])
@pytest.mark.parametrize(("percent", "is_usable"), [(None, False), (40.0, False), (100.0, True)])
def test_a_disk_whose_snapshots_are_filled_later_is_in_the_point_only_once_azure_says_so(
    sku, percent, is_usable
):
    part = begun_point(machine(disk("fast", sku=sku))).disks[0]
    seen = part.observed(snapshot(part, percent=percent))
    assert (seen.is_usable, seen.is_settled) == (is_usable, is_usable)


@given(st.lists(st.sampled_from(list(FATES)), min_size=1, max_size=6))
def test_a_point_is_available_exactly_when_every_disk_has_a_usable_snapshot(fates):
    point = point_of(fates)
    assert point.is_available == all(FATES[fate][1] for fate in fates)
    assert point.is_decided
    assert point.decided == NOW
    assert len(point.disks) == len(fates)
    if not point.is_available:
        assert point.state is PointState.FAILED
        assert point.replicas == {}
        for number, fate in enumerate(fates):
            assert (f"disk 'disk{number}': " in point.failure) == (not FATES[fate][1])


@given(st.lists(st.sampled_from(list(FATES)), min_size=1, max_size=6), st.randoms())
def test_the_order_in_which_disks_are_told_does_not_matter(fates, random):
    point = begun_point(machine(*(disk(f"disk{number}") for number in range(len(fates)))))
    parts = [FATES[fate][0](part) for fate, part in zip(fates, point.disks, strict=True)]
    shuffled = random.sample(parts, len(parts))
    assert point.decided_by(shuffled, NOW) == point.decided_by(parts, NOW)


@given(st.lists(st.booleans(), min_size=1, max_size=5))
def test_a_disk_that_nobody_told_of_makes_the_point_fail(is_told):
    point = begun_point(machine(*(disk(f"disk{number}") for number in range(len(is_told)))))
    parts = [part.observed(snapshot(part)) for part, told in zip(point.disks, is_told, strict=True) if told]
    assert point.decided_by(parts, NOW).is_available == all(is_told)


def test_a_point_without_any_disk_is_never_available():
    decided = replace(begun_point(), disks=()).decided_by([], NOW)
    assert decided.state is PointState.FAILED
    assert decided.failure == "VM 'web' has no disk to protect"


@pytest.mark.parametrize(
    ("vm", "reason"),
    [
        # Its data disks alone would be a restore point with a disk missing.
        (machine(disk("data", lun=0), has_ephemeral_os_disk=True), "ephemeral OS disk"),
        (machine(disk(tags={EXCLUDE_TAG: "true"})), "no disk left to protect"),
        (machine(region="northeurope"), "is in region northeurope"),
    ],
)
def test_a_point_of_a_vm_that_cannot_be_protected_has_failed_before_anything_is_taken(vm, reason):
    point = begun_point(vm)
    assert point.state is PointState.FAILED
    assert point.decided == NOW
    assert point.failure is not None
    assert reason in point.failure


def test_an_available_point_has_its_home_replica_and_waits_for_the_others():
    assert available_point().replicas == {"west": ReplicaState.AVAILABLE, "north": ReplicaState.WAITING}


def test_every_snapshot_has_its_name_before_it_exists():
    point = begun_point()
    assert point.state is PointState.BEGUN
    assert not point.is_decided
    names = [part.snapshot_id for part in point.disks]
    assert len(set(names)) == 2
    assert all(name.startswith("/subscriptions/") and "/snapshots-west/" in name for name in names)
    assert names == [part.snapshot_id for part in begun_point().disks]  # the same again for the same slot
    again = [part.snapshot_id for part in begun_point(attempt=2).disks]
    assert not set(names) & set(again)  # no name is ever used twice


def test_a_disk_that_was_replaced_under_its_name_is_told_with_both_ids():
    part = begun_point().disks[0]
    told = part.observed(snapshot(part, source_unique_id="another")).failure
    assert told == (
        "disk 'os' was replaced by another one of the same name while the backup ran "
        "(unique id another, expected unique-os); try again"
    )
    assert part.observed(snapshot(part, source_unique_id="UNIQUE-OS")).failure is None


def test_skew_is_the_time_between_the_first_and_the_last_disk():
    point = begun_point(machine(disk("a"), disk("b"), disk("c")))
    parts = [
        part.observed(snapshot(part, seconds=seconds))
        for part, seconds in zip(point.disks, (4.0, 1.5, 9.25), strict=True)
    ]
    decided = point.decided_by(parts, NOW)
    assert decided.skew == timedelta(seconds=7.75)
    assert decided.taken == SLOT + timedelta(seconds=9.25)
    assert point.skew is None
    assert point.decided_by(parts[:2], NOW).skew is None  # one is missing


FORWARD = [
    (ReplicaState.WAITING, ReplicaState.COPYING),
    (ReplicaState.COPYING, ReplicaState.AVAILABLE),
    (ReplicaState.COPYING, ReplicaState.FAILED),
    (ReplicaState.COPYING, ReplicaState.SKIPPED),
    (ReplicaState.WAITING, ReplicaState.SKIPPED),
    (ReplicaState.SKIPPED, ReplicaState.FAILED),
    (ReplicaState.AVAILABLE, ReplicaState.EXPIRING),
    (ReplicaState.FAILED, ReplicaState.EXPIRING),  # what of it was copied is still to be deleted
    (ReplicaState.EXPIRING, ReplicaState.DELETED),
]


@pytest.mark.parametrize(("earlier", "later"), FORWARD)
def test_a_replica_only_moves_forward(earlier, later):
    point = replace(available_point(), replicas={"north": earlier})
    moved = point.with_replica("north", later)
    assert moved.replicas["north"] is later
    assert moved.with_replica("north", earlier).replicas["north"] is later
    assert moved.with_replica("north", later) == moved


def test_what_is_available_is_never_told_to_have_failed():
    point = available_point().with_replica("north", ReplicaState.AVAILABLE)
    assert point.with_replica("north", ReplicaState.FAILED) == point


@given(
    st.permutations(
        [ReplicaState.WAITING, ReplicaState.COPYING, ReplicaState.AVAILABLE, ReplicaState.COPYING]
    )
)
def test_news_of_a_replica_may_come_in_any_order(news):
    point = available_point()
    for state in news:
        point = point.with_replica("north", state)
    assert point.replicas == {"west": ReplicaState.AVAILABLE, "north": ReplicaState.AVAILABLE}


def test_the_next_attempt_of_a_slot_is_one_that_no_point_has():
    points = [begun_point(), begun_point(attempt=3), begun_point(slot=SLOT + timedelta(days=1), attempt=7)]
    assert next_attempt(points, SLOT) == 4
    assert next_attempt([], SLOT) == 1
