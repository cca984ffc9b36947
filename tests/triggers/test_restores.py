"""POST restores brings back the disks of the restore point that was meant, from where it is available."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.requests import RestoreRequest
from domain.restore_points import ReplicaState
from durable import from_wire
from tests.triggers.harness import HOME, START

SLOT = START.replace(hour=2, minute=0, second=0)


def started(api):
    """Return what every started restore was started with."""
    assert {orchestrator for orchestrator, _ in api.client.started.values()} <= {"restore"}
    return [from_wire(RestoreRequest, request) for _, request in api.client.started.values()]


@pytest.mark.parametrize("location", ["west", "north"])
def test_a_restore_is_written_down_and_started_in_either_location(api, location):
    point = api.add_point(api.add_vm(), SLOT)
    answer = api.ask("POST", "restores", {"restorePoint": point.id, "location": location})
    assert answer.status == 202
    assert answer.headers["Location"] == f"/api/v1/operations/{answer.body['id']}"
    (request,) = started(api)
    assert (request.operation, request.point) == (answer.body["id"], point.id)
    assert request.location == api.connected.policies.locations[location]
    (operation,) = api.operations()
    assert api.client.started == {operation.instance: ("restore", operation.request)}


def test_a_restore_asks_nothing_of_a_home_region_that_is_lost(api):
    point = api.add_point(api.add_vm(), SLOT)
    api.cloud.lose_region(HOME)
    answer = api.ask("POST", "restores", {"restorePoint": point.id, "location": "north"})
    assert answer.status == 202


def test_a_home_replica_that_is_gone_does_not_keep_from_restoring_elsewhere(api):
    point = api.add_point(api.add_vm(), SLOT)
    api.connected.catalogue.restore_points.alter(
        point.id, lambda known: known.with_replica("west", ReplicaState.DELETED)
    )
    assert api.ask("POST", "restores", {"restorePoint": point.id, "location": "west"}).status == 400
    assert api.ask("POST", "restores", {"restorePoint": point.id, "location": "north"}).status == 202


def test_of_a_vm_the_newest_point_that_is_available_in_the_location_is_meant(api):
    vm = api.add_vm()
    api.add_point(vm, SLOT - timedelta(days=2))
    meant = api.add_point(vm, SLOT - timedelta(days=1))
    copying = api.add_point(vm, SLOT, north=ReplicaState.COPYING)
    api.add_point(vm, SLOT + timedelta(hours=1), state="failed")
    api.ask("POST", "restores", {"vm": meant.vm.key, "location": "north"})
    api.ask("POST", "restores", {"vm": vm, "location": "west"})
    assert [request.point for request in started(api)] == [meant.id, copying.id]


@pytest.mark.parametrize(
    ("after_slot", "is_meant"),
    [
        (timedelta(seconds=7), False),  # the moment of the last disk: what it wrote then may be in it
        (timedelta(seconds=8), True),
        (timedelta(seconds=6), False),  # older than one disk, and not than the other
        (timedelta(0), False),
        (timedelta(days=400), True),
    ],
)
def test_before_means_that_every_disk_is_older(api, after_slot, is_meant):
    vm = api.add_vm()
    older = api.add_point(vm, SLOT - timedelta(days=1))
    newer = api.add_point(vm, SLOT)
    before = (SLOT + after_slot).isoformat()
    answer = api.ask("POST", "restores", {"vm": vm, "location": "north", "before": before})
    assert answer.status == 202
    assert [request.point for request in started(api)] == [newer.id if is_meant else older.id]


def test_before_may_be_told_in_any_time_zone(api):
    vm = api.add_vm()
    older = api.add_point(vm, SLOT - timedelta(days=1))
    api.add_point(vm, SLOT)
    api.ask("POST", "restores", {"vm": vm, "location": "north", "before": "2026-11-22T03:00:00+01:00"})
    assert [request.point for request in started(api)] == [older.id]


def test_before_the_first_point_there_is_nothing_to_restore(api):
    vm = api.add_vm()
    api.add_point(vm, SLOT)
    answer = api.ask("POST", "restores", {"vm": vm, "location": "north", "before": "2026-11-22T01:00:00Z"})
    assert answer.status == 404
    assert "from before 2026-11-22T01:00:00" in answer.body["detail"]
    assert (api.operations(), api.client.started) == ([], {})


def test_a_point_far_down_the_list_is_found(api):
    vm = api.add_vm()
    meant = api.add_point(vm, SLOT - timedelta(days=1))
    for minutes in range(60):  # more than the pages that are read at once
        api.add_point(vm, SLOT + timedelta(minutes=minutes), state="failed")
    api.ask("POST", "restores", {"vm": vm, "location": "west"})
    assert [request.point for request in started(api)] == [meant.id]


def test_the_same_restore_twice_in_a_minute_is_one(api):
    point = api.add_point(api.add_vm(), SLOT)
    order = {"restorePoint": point.id, "location": "north"}
    first = api.ask("POST", "restores", order)
    assert api.ask("POST", "restores", order).body == first.body
    assert len(api.operations()) == len(api.client.started) == 1


def test_two_restores_of_one_point_do_not_hinder_each_other(api):
    point = api.add_point(api.add_vm(), SLOT)
    order = {"restorePoint": point.id, "location": "north"}
    for key in ("one", "two"):
        assert api.ask("POST", "restores", order, headers={"Idempotency-Key": key}).status == 202
    assert len(api.operations()) == len(api.client.started) == 2
