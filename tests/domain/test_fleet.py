"""What is due: at once, at its slot, again after a failure, and never while a point is being taken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.fleet import BETWEEN_ATTEMPTS, MOST_ATTEMPTS, due_backup
from domain.names import slot_of
from domain.protection import ProtectedVm
from tests.domain.samples import DAILY, NOW, SLOT, available_point, begun_point, machine

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
VM = ProtectedVm.of(machine(), "daily")
TAKEN = VM.with_point(available_point())
FAILED = VM.with_point(begun_point().failed("gone", NOW))


def test_a_vm_that_was_never_backed_up_is_due_at_once():
    now = SLOT + timedelta(hours=9, seconds=40)
    due = due_backup(VM, DAILY, now)
    assert due is not None
    assert (due.vm_id, due.slot, due.attempt) == (VM.id, slot_of(now), 1)


def test_a_vm_is_due_when_its_slot_has_come_and_not_before():
    assert due_backup(TAKEN, DAILY, SLOT + DAY - MINUTE) is None
    due = due_backup(TAKEN, DAILY, SLOT + DAY)
    assert due is not None
    assert (due.slot, due.attempt) == (SLOT + DAY, 1)


def test_of_several_missed_slots_the_newest_is_due():
    due = due_backup(TAKEN, DAILY, SLOT + 4 * DAY + MINUTE)
    assert due is not None
    assert (due.slot, due.missed) == (SLOT + 4 * DAY, 3)


def test_asking_twice_asks_for_the_same_point():
    first, again = (due_backup(TAKEN, DAILY, SLOT + DAY + minutes * MINUTE) for minutes in (0, 5))
    assert first is not None
    assert again is not None
    assert first.request(DAILY).point == again.request(DAILY).point
    assert first.request(DAILY).instance == again.request(DAILY).instance


def test_while_a_point_is_being_taken_nothing_is_due():
    running = TAKEN.with_point(begun_point(slot=SLOT + DAY))
    assert due_backup(running, DAILY, SLOT + DAY + MINUTE) is None
    assert due_backup(running, DAILY, SLOT + 2 * DAY) is None  # the due slot waits
    assert due_backup(VM.with_point(begun_point()), DAILY, SLOT + MINUTE) is None


def test_a_failed_slot_is_tried_again_after_a_while():
    assert due_backup(FAILED, DAILY, NOW + BETWEEN_ATTEMPTS - MINUTE) is None
    due = due_backup(FAILED, DAILY, NOW + BETWEEN_ATTEMPTS)
    assert due is not None
    assert (due.slot, due.attempt) == (SLOT, 2)


@pytest.mark.parametrize("attempt", range(1, MOST_ATTEMPTS + 2))
def test_a_slot_is_tried_three_times_in_all(attempt):
    vm = VM.with_point(begun_point(attempt=attempt).failed("gone", NOW))
    due = due_backup(vm, DAILY, NOW + BETWEEN_ATTEMPTS)
    assert (due is not None) == (attempt < MOST_ATTEMPTS)


def test_a_failed_slot_is_not_tried_again_once_a_newer_one_is_due():
    due = due_backup(FAILED, DAILY, SLOT + DAY)
    assert due is not None
    assert (due.slot, due.attempt) == (SLOT + DAY, 1)


def test_a_backup_that_a_person_asked_for_does_not_take_the_place_of_the_next_slot():
    adhoc = TAKEN.with_point(available_point(slot=SLOT + timedelta(hours=10)))
    assert due_backup(adhoc, DAILY, SLOT + DAY - MINUTE) is None
    due = due_backup(adhoc, DAILY, SLOT + DAY)
    assert due is not None
    assert due.slot == SLOT + DAY
