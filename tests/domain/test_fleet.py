"""What is due: at once, at its slot, again after a failure, and never while a point is being taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.fleet import (
    BETWEEN_ATTEMPTS,
    EXCLUDED,
    MOST_ATTEMPTS,
    NOT_CHOSEN,
    NOT_LISTED,
    NOT_LOOKED_FOR,
    OVERDUE,
    chosen_policy,
    due_backup,
    is_overdue,
    next_due,
    survey,
)
from domain.names import slot_of
from domain.policy import Policies, Scope, Selector
from domain.protection import ProtectedVm
from domain.restore_points import PointState
from domain.vms import EXCLUDE_TAG
from tests.domain.samples import (
    DAILY,
    NOW,
    SLOT,
    SUBSCRIPTION,
    WEST,
    available_point,
    begun_point,
    disk,
    machine,
)

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
WHOLE = Scope(SUBSCRIPTION)
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


def test_a_slot_in_which_the_vm_was_refused_is_not_tried_again_and_the_next_one_is():
    excluded = machine(disk("os", tags={EXCLUDE_TAG: "true"}))
    vm = ProtectedVm.of(excluded, "daily").with_point(begun_point(excluded))
    assert (vm.newest_state, vm.newest_is_refused) == (PointState.FAILED, True)
    assert due_backup(vm, DAILY, SLOT + DAY - MINUTE) is None
    due = due_backup(vm, DAILY, SLOT + DAY)
    assert due is not None
    assert (due.slot, due.attempt) == (SLOT + DAY, 1)


def test_a_slot_that_fails_otherwise_after_a_refusal_is_tried_again():
    refused = replace(FAILED, newest_is_refused=True)
    next_point = begun_point(slot=SLOT + DAY)
    for failed in (
        refused.with_failure(next_point.id, "gone", NOW + DAY),
        refused.with_point(next_point.failed("gone", NOW + DAY)),
        refused.beginning(next_point.id).with_point(next_point.failed("gone", NOW + DAY)),
    ):
        due = due_backup(failed, DAILY, NOW + DAY + BETWEEN_ATTEMPTS)
        assert due is not None
        assert (due.slot, due.attempt) == (SLOT + DAY, 2)


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


@pytest.mark.parametrize(
    ("tags", "selector", "chosen"),
    [
        ({"tidemark-policy": "weekly"}, Selector(), "weekly"),  # the tag comes before every selector
        ({}, Selector(resource_groups=("PRODUCTION",)), "daily"),  # Azure does not tell cases apart
        ({}, Selector(resource_groups=("test",)), None),
        ({"env": "prod"}, Selector(tags={"ENV": "prod"}), "daily"),
        ({"env": "test"}, Selector(tags={"env": "prod"}), None),
        ({}, Selector(subscriptions=(SUBSCRIPTION,)), "daily"),
        # A VM that a restore has made stands beside the one that it was made of.
        ({"tidemark-operation": "1"}, Selector(), None),
        ({"tidemark-operation": "1", "tidemark-policy": "daily"}, None, "daily"),
        ({}, None, None),
    ],
)
def test_a_vm_is_protected_by_its_tag_else_by_a_selector(tags, selector, chosen):
    policy = replace(DAILY, selector=selector)
    policies = Policies((WHOLE,), {"west": WEST}, {"daily": policy})
    assert chosen_policy(machine(tags=tags), policies) == chosen


def look(listed, known=(), now=NOW):
    policies = Policies((WHOLE,), {"west": WEST}, {"daily": DAILY})
    return survey(WHOLE, listed, {vm.key: vm for vm in known}, policies, now)


def test_looking_again_finds_nothing_new_and_the_same_due():
    vm = machine(tags={"tidemark-policy": "daily"})
    first = look([vm])
    [sighting] = first.sightings
    known = sighting.recorded_in(sighting.vm)
    again = look([vm], [known], NOW + 5 * MINUTE)
    assert again.sightings == ()
    assert again.due == first.due


@pytest.mark.parametrize(
    ("listed", "problem"),
    [
        ([], NOT_LISTED),
        ([machine()], NOT_CHOSEN),
        ([machine(tags={"tidemark-policy": "daily", "tidemark-exclude": "true"})], EXCLUDED),
        ([machine(tags={"tidemark-policy": "dayly"})], "its tag tidemark-policy names 'dayly'"),
        (
            [machine(tags={"tidemark-policy": "daily"}, has_ephemeral_os_disk=True)],
            "VM 'web' has an ephemeral OS disk",
        ),
        (
            [machine(tags={"tidemark-policy": "daily"}, region="francecentral")],
            "VM 'web' is in region francecentral",
        ),
    ],
)
def test_a_vm_that_drops_out_is_told_once_with_the_reason(listed, problem):
    found = look(listed, [TAKEN], SLOT + DAY)
    assert found.due == ()
    [sighting] = found.sightings
    told = sighting.recorded_in(TAKEN)
    assert told.problem.startswith(problem)
    assert look(listed, [told], SLOT + DAY + MINUTE).sightings == ()
    assert (told.newest_point, told.coverage) == (TAKEN.newest_point, "not")


def test_a_vm_of_another_subscription_is_none_of_this_looks_business():
    another = "22222222-2222-2222-2222-222222222222"
    other = replace(TAKEN, id=TAKEN.id.replace(SUBSCRIPTION, another))
    policies = Policies((WHOLE, Scope(another)), {"west": WEST}, {"daily": DAILY})
    assert survey(WHOLE, [], {other.key: other}, policies, NOW).sightings == ()


def test_a_vm_whose_subscription_is_not_looked_at_any_more_is_told_by_any_look():
    other = replace(TAKEN, id=TAKEN.id.replace(SUBSCRIPTION, "22222222-2222-2222-2222-222222222222"))
    [sighting] = look([], [other]).sightings
    assert sighting.problem == NOT_LOOKED_FOR
    assert look([], [sighting.recorded_in(other)]).sightings == ()


@pytest.mark.parametrize(
    ("groups", "looked_at", "problem"),
    [
        (["Production"], "Production", NOT_LISTED),  # Azure does not tell cases apart
        (["production", "web"], "web", None),  # another look's business
        (["web"], "web", NOT_LOOKED_FOR),  # not deleted: nobody knows
        (["production-2"], "production-2", NOT_LOOKED_FOR),
    ],
)
def test_a_vm_that_is_not_seen_in_a_resource_group_is_gone_only_if_it_belongs_there(
    groups, looked_at, problem
):
    scopes = tuple(Scope(SUBSCRIPTION, group) for group in groups)
    policies = Policies(scopes, {"west": WEST}, {"daily": DAILY})
    found = survey(Scope(SUBSCRIPTION, looked_at), [], {TAKEN.key: TAKEN}, policies, NOW)
    assert [sighting.problem for sighting in found.sightings] == ([problem] if problem else [])


def test_what_a_vm_waits_for_is_told_and_overdue_after_a_while():
    assert next_due(TAKEN, DAILY, NOW) == SLOT + DAY
    late = SLOT + DAY + OVERDUE
    assert next_due(TAKEN, DAILY, late) == SLOT + DAY
    assert not is_overdue(TAKEN, DAILY, late)
    assert is_overdue(TAKEN, DAILY, late + MINUTE)
    assert next_due(replace(TAKEN, problem=NOT_LISTED), DAILY, late) is None
