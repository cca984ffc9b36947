"""The summary of a VM: what is newest, whatever the order in which news arrive."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Busy
from domain.protection import Coverage, ProtectedVm
from domain.restore_points import PointState, ReplicaState
from tests.domain.samples import NOW, SLOT, available_point, begun_point, machine

DAY = timedelta(days=1)
VM = ProtectedVm.of(machine(), "daily")


def test_of_a_new_vm_nothing_is_known():
    assert (VM.name, VM.region, VM.policy) == ("web", "westeurope", "daily")
    assert VM.running is None
    assert VM.achieved_rpo(NOW) == {}


def test_while_a_point_is_being_taken_it_is_told():
    point = begun_point()
    vm = VM.with_point(point)
    assert vm.running == point.id
    assert vm.newest_decided is None
    done = vm.with_point(available_point())
    assert done.running is None
    assert done.newest_state is PointState.AVAILABLE


def test_a_failure_is_told_until_a_newer_point_is_available():
    failed = VM.with_point(begun_point().failed("disk 'os' is gone", NOW))
    assert failed.last_failure == "disk 'os' is gone"
    again = failed.with_point(begun_point(attempt=2))
    assert again.last_failure == "disk 'os' is gone"  # the next attempt has not succeeded yet
    assert again.with_point(available_point(attempt=2)).last_failure is None


def test_old_news_change_neither_the_newest_point_nor_the_failure():
    vm = VM.with_point(available_point(slot=SLOT + DAY))
    assert vm.with_point(begun_point().failed("long ago", NOW)) == vm
    assert vm.with_point(begun_point()) == vm


def test_a_step_that_is_repeated_late_does_not_make_a_decided_point_run_again():
    vm = VM.with_point(available_point())
    assert vm.with_point(begun_point()) == vm


def test_the_newest_available_point_is_known_per_location():
    old = available_point().with_replica("north", ReplicaState.AVAILABLE)
    new = available_point(slot=SLOT + DAY)  # its copy is still on its way
    vm = VM.with_point(old).with_point(new)
    assert vm.newest_available == {"west": new.id, "north": old.id}
    # The copy of an older point that arrives last is news for its location alone.
    older = available_point(slot=SLOT - DAY).with_replica("north", ReplicaState.AVAILABLE)
    assert vm.with_point(older) == vm


def test_a_vm_is_partly_protected_until_every_location_has_a_point_of_it():
    assert VM.coverage is Coverage.NOT
    first = available_point()
    waiting = VM.with_point(first)
    assert waiting.coverage is Coverage.PARTLY
    arrived = waiting.with_point(first.with_replica("north", ReplicaState.AVAILABLE))
    assert arrived.coverage is Coverage.PROTECTED
    assert arrived.with_point(available_point(slot=SLOT + DAY)).coverage is Coverage.PROTECTED
    more = replace(available_point(slot=SLOT + DAY), recovery=("north", "south"))
    assert arrived.with_point(more).coverage is Coverage.PARTLY


def test_the_achieved_rpo_is_the_age_of_the_newest_slot_per_location():
    old = available_point().with_replica("north", ReplicaState.AVAILABLE)
    vm = VM.with_point(old).with_point(available_point(slot=SLOT + DAY))
    assert vm.achieved_rpo(SLOT + DAY + timedelta(hours=1)) == {
        "west": timedelta(hours=1),
        "north": timedelta(hours=25),
    }


def _news():
    """Each point's life: begun, then available or failed, then its replica in the north available."""
    told = []
    for day in range(3):
        for attempt in (1, 2):
            slot = SLOT + day * DAY
            begun = begun_point(slot=slot, attempt=attempt)
            if attempt == 1:
                told += [begun, begun.failed(f"failed on day {day}", NOW)]
            else:
                taken = available_point(slot=slot, attempt=attempt)
                told += [begun, taken, taken.with_replica("north", ReplicaState.AVAILABLE)]
    return told


@given(st.permutations(_news()))
def test_the_end_is_the_same_in_whatever_order_news_arrive(news):
    in_order, shuffled = VM, VM
    for point in _news():
        in_order = in_order.with_point(point)
    for point in news:
        shuffled = shuffled.with_point(point)
    # What is told of the way there depends on the way.
    assert shuffled == replace(in_order, last_failure=shuffled.last_failure, unsent=shuffled.unsent)
    assert in_order.last_failure is None


def test_a_point_is_begun_only_when_no_other_is_being_taken():
    running = VM.beginning(begun_point().id)
    assert running.running == begun_point().id
    assert running.beginning(begun_point().id) == running  # a repeat of the step
    with pytest.raises(Busy, match="is being taken"):
        running.beginning(begun_point(slot=SLOT + DAY).id)


def test_a_point_of_an_older_slot_is_not_begun_after_a_newer_one():
    vm = VM.with_point(available_point(slot=SLOT + DAY))
    with pytest.raises(Busy, match="and it is newer"):
        vm.beginning(begun_point().id)


def test_a_slot_that_has_an_available_point_is_not_begun_again():
    vm = VM.with_point(available_point())
    with pytest.raises(Busy, match="ask again in the next minute"):
        vm.beginning(begun_point(attempt=2).id)
    with pytest.raises(Busy, match="ask again in the next minute"):
        vm.beginning(begun_point().id)  # whose row nobody finds any more


def test_a_slot_that_has_failed_is_begun_again():
    vm = VM.with_point(begun_point().failed("disk 'os' is gone", NOW))
    assert vm.beginning(begun_point(attempt=2).id).running == begun_point(attempt=2).id


def test_a_backup_that_fails_before_it_begins_does_not_end_the_one_that_runs():
    running = VM.beginning(begun_point().id)
    assert running.with_failure(begun_point(slot=SLOT + DAY).id, "throttled", NOW) == running
    assert running.with_failure(begun_point().id, "lost", NOW).running is None


def test_a_copy_that_failed_is_told_until_a_newer_point_arrives():
    first = available_point().with_replica("north", ReplicaState.FAILED)
    failed = VM.with_point(first)
    assert first.id in failed.copy_failures["north"]
    second = available_point(slot=SLOT + DAY)
    assert failed.with_point(second).copy_failures == failed.copy_failures
    arrived = failed.with_point(second.with_replica("north", ReplicaState.AVAILABLE))
    assert arrived.copy_failures == {}
    assert arrived.with_point(first).copy_failures == {}
