"""What follows from a damaged replica: which others share the fault, and what brings whole data again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.copies import CopyState
from domain.damage import found_damaged, made_whole, marked, remedy, sharing_points
from domain.page_plans import plan_pages
from domain.protection import ProtectedVm
from domain.restore_points import PointState, ReplicaState
from domain.retention import VmBooks, decide
from domain.snapshots import Snapshot
from tests.domain.samples import DAILY, NORTH, NOW, SLOT, available_point, begun_point, machine
from tests.domain.test_verifications import FIRST, SECOND, THIRD, arrived

VAULT = replace(NORTH, name="vault")
POLICIES = {"daily": replace(DAILY, recovery=(VAULT,))}
VM = replace(ProtectedVm.of(machine(), "daily"), newest_point=SECOND.point, newest_state=PointState.AVAILABLE)
POINTS = [available_point(slot=SLOT + timedelta(days=day)) for day in (2, 1, 0)]
WAITING = replace(THIRD, state=CopyState.WAITING, pages=None)


@pytest.mark.parametrize(
    ("vm", "policies", "queue", "words", "is_due", "why"),
    [
        (VM, POLICIES, [FIRST, SECOND], "is begun at once", True, "nothing else brings it"),
        (VM, POLICIES, [SECOND, WAITING], "which waits already", False, "its copy is whole anyway"),
        (replace(VM, newest_state=PointState.BEGUN), POLICIES, [], "is being taken", False, "it is busy"),
        (replace(VM, problem="deleted"), POLICIES, [], "now: deleted", False, "there is no VM to back up"),
        (VM, {}, [], "under no policy", False, "nobody says how"),
        (None, POLICIES, [], "under no policy", False, "nobody knows it any more"),
        (VM, {"daily": DAILY}, [], "sends nothing there", False, "a backup would not help"),
    ],
)
def test_whole_data_comes_from_what_is_under_way_or_from_a_backup_at_once(
    vm, policies, queue, words, is_due, why
):
    done = remedy(vm, policies, "vault", queue, POINTS, NOW)
    assert words in done.words
    assert (done.due is not None) is is_due, why


def test_a_backup_in_a_slot_that_has_failed_gets_the_next_attempt():
    failed = begun_point(slot=POINTS[0].slot).failed("disk 'os' is gone", NOW)
    done = remedy(VM, POLICIES, "vault", [], [failed, *POINTS[1:]], failed.slot)
    assert done.due.attempt == 2


def test_no_backup_is_begun_in_a_slot_that_has_an_available_point():
    done = remedy(VM, POLICIES, "vault", [], POINTS, POINTS[0].slot)
    assert done.due is None
    assert f"{POINTS[0].id} was taken just now" in done.words


def test_older_points_in_the_same_blob_share_the_fault_if_they_are_offered():
    other = arrived(-1, blob="another")
    there = [replace(point, replicas={"vault": ReplicaState.AVAILABLE}) for point in POINTS]
    assert sharing_points(THIRD, [other, FIRST, SECOND, THIRD], there) == [FIRST.point, SECOND.point]
    gone = [replace(there[1], replicas={"vault": ReplicaState.DELETED}), there[2]]
    assert sharing_points(THIRD, [other, FIRST, SECOND, THIRD], gone) == [FIRST.point]


def test_what_is_being_written_into_a_damaged_blob_is_made_whole_without_losing_an_attempt():
    under_way = replace(
        THIRD, state=CopyState.COPYING, owner="worker", started=NOW, progressed=NOW, attempt=2
    )
    again = made_whole(under_way, SECOND, NOW)
    assert (again.state, again.attempt, again.pages, again.owner, again.started) == (
        CopyState.WAITING, 2, None, None, None,
    )  # fmt: skip
    assert SECOND.point in again.whole_because
    elsewhere = replace(under_way, pages=replace(THIRD.pages, blob="another"))
    assert [made_whole(copy, SECOND, NOW) for copy in (elsewhere, WAITING, THIRD)] == [None] * 3


def test_a_copy_that_is_found_damaged_once_more_keeps_the_address_that_was_found_first():
    assert found_damaged(found_damaged(FIRST, 512), 7).damaged_at == 512
    assert found_damaged(found_damaged(FIRST, None), 7).damaged_at is None


def nowhere(_: str) -> Snapshot | None:
    """Find no snapshot."""
    return None


def test_nothing_is_built_on_a_blob_in_which_any_replica_is_damaged():
    source = Snapshot(
        "s", "s", "Succeeded", "d", unique_id="u", created=NOW, family_id="f", size_bytes=1 << 20
    )
    damaged = found_damaged(FIRST, 512)
    for queue in ([damaged], [damaged, SECOND], [FIRST, found_damaged(SECOND, None)]):
        plan = plan_pages(WAITING, source, queue, nowhere)
        assert plan.base is None
        assert "is damaged" in plan.why_whole
        assert plan.blob != FIRST.pages.blob
    fresh = arrived(2, blob="fresh")
    assert "is gone" in plan_pages(WAITING, source, [damaged, fresh], nowhere).why_whole


@pytest.mark.parametrize(
    ("state", "deletions", "becomes", "why"),
    [
        (ReplicaState.AVAILABLE, {}, ReplicaState.DAMAGED, "it is offered no more"),
        (ReplicaState.EXPIRING, {}, ReplicaState.DAMAGED, "it must not come back"),
        (ReplicaState.EXPIRING, {"vault": NOW}, None, "it goes anyway, and nothing turns that back"),
        (ReplicaState.DELETED, {}, None, "it is gone"),
    ],
)
def test_a_replica_that_is_there_is_marked(state, deletions, becomes, why):
    point = replace(POINTS[0], replicas={"vault": state}, expires={"vault": NOW}, deletions=deletions)
    changed = marked(point, "vault")
    assert (changed and changed.replicas["vault"]) == becomes, why
    assert changed is None or changed.expires == {}


def test_a_damaged_replica_counts_as_kept_nowhere_and_does_not_expire():
    damaged, second, first = (point.with_replica("north", ReplicaState.AVAILABLE) for point in POINTS)
    damaged = damaged.with_replica("north", ReplicaState.DAMAGED)
    verdicts = decide(VmBooks("web", (damaged, second, first)), replace(DAILY, keep_last={"north": 1}))
    assert {verdict.point: verdict.is_kept for verdict in verdicts if verdict.location == "north"} == {
        second.id: True,
        first.id: False,
    }


def test_the_overview_falls_back_and_tells_it_until_a_newer_point_has_arrived():
    third, second, first = (point.with_replica("vault", ReplicaState.AVAILABLE) for point in POINTS)
    known = ProtectedVm.of(machine(), "daily").with_point(first).with_point(second)
    told = known.with_damage(second.id, "vault", first.id)
    assert told.newest_available["vault"] == first.id
    assert second.id in told.copy_failures["vault"]
    assert told.with_point(first).copy_failures == told.copy_failures
    assert told.with_damage(second.id, "vault", first.id) == told
    assert told.with_point(third).copy_failures == {}
    assert "vault" not in known.with_damage(second.id, "vault", None).newest_available
    overtaken = known.with_point(third).with_damage(second.id, "vault", third.id)
    assert (overtaken.newest_available["vault"], overtaken.copy_failures) == (third.id, {})
