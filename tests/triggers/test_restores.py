"""POST restores brings back what was meant of the point that was meant, from where it is available."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.requests import RestoreRequest
from domain.restore_points import ReplicaState
from durable import from_wire
from simulator.world_handles import DiskSpec
from tests.triggers.harness import ALIEN_SUBSCRIPTION, HOME, START

SUBNET_ELSEWHERE = (
    f"/subscriptions/{ALIEN_SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"
    "/subnets/default"
)
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


def faults(answer):
    """Return the faults of an answer that refuses, by field."""
    assert answer.status == 400, answer.body
    return {fault["field"]: fault["message"] for fault in answer.body["errors"]}


def test_a_whole_vm_is_asked_for_in_the_subnet_of_the_location_under_its_old_name(api):
    point = api.add_point(api.add_vm(), SLOT)
    answer = api.ask("POST", "restores", {"restorePoint": point.id, "location": "north", "what": "vm"})
    assert answer.status == 202
    (request,) = started(api)
    assert (request.what, request.vm_name, request.disks) == ("vm", "web", ())
    assert request.location == api.connected.policies.locations["north"]
    told = api.ask("GET", f"operations/{answer.body['id']}").body
    assert (told["vm"]["name"], told["vm"]["state"]) == ("web", "planned")
    group = api.connected.policies.locations["north"].restore_group_id
    assert told["vm"]["id"] == f"{group}/providers/Microsoft.Compute/virtualMachines/web"


def test_the_name_and_the_subnet_of_a_vm_may_be_chosen(api):
    point = api.add_point(api.add_vm(), SLOT)
    subnet = api.connected.policies.locations["north"].subnet_id.replace("/default", "/other")
    order = {"restorePoint": point.id, "location": "north", "what": "vm", "name": "web-2", "subnet": subnet}
    assert api.ask("POST", "restores", order).status == 202
    (request,) = started(api)
    assert (request.vm_name, request.location.subnet_id) == ("web-2", subnet)


def test_some_disks_are_asked_for_by_name(api):
    point = api.add_point(api.add_vm(), SLOT)
    order = {"restorePoint": point.id, "location": "west", "disks": ["web-data"]}
    operation = api.ask("POST", "restores", order).body["id"]
    (request,) = started(api)
    assert request.disks == ("web-data",)
    told = api.ask("GET", f"operations/{operation}").body
    assert ([disk["name"] for disk in told["disks"]], told["vm"]) == (["web-data"], None)


@pytest.mark.parametrize(
    ("order", "field", "said"),
    [
        ({"disks": ["web-data", "none"]}, "disks", "no disk 'none'; it has web-os, web-data"),
        ({"disks": []}, "disks", "at least 1 item"),
        ({"disks": ["web-data"], "what": "vm"}, "disks", "this goes with what: disks alone"),
        ({"name": "web-2"}, "name", "this goes with what: vm alone"),
        ({"name": "-web", "what": "vm"}, "name", "is no name for a VM"),
        ({"name": "w" * 65, "what": "vm"}, "name", "is no name for a VM"),
        ({"subnet": "default", "what": "vm"}, "subnet", "is not the id of a subnet"),
        ({"subnet": SUBNET_ELSEWHERE, "what": "vm"}, "subnet", "is in another subscription"),
        ({"what": "everything"}, "what", "'disks' or 'vm'"),
    ],
)
def test_what_cannot_be_restored_is_refused_before_anything_is_written(api, order, field, said):
    point = api.add_point(api.add_vm(), SLOT)
    answer = api.ask("POST", "restores", {"restorePoint": point.id, "location": "north", **order})
    assert said in faults(answer)[field]
    assert (api.operations(), api.client.started) == ([], {})


def test_faults_of_every_kind_are_told_at_once(api):
    at_home = api.cloud.add_disk_encryption_set("west", "westeurope", "production")
    key = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": at_home}
    vm = api.add_vm(disks={"os": 1 << 20, "data": DiskSpec(1 << 20, properties={"encryption": key})})
    point = api.add_point(vm, SLOT, north=ReplicaState.COPYING)
    order = {"restorePoint": point.id, "location": "north", "what": "vm", "subnet": SUBNET_ELSEWHERE}
    told = [fault["message"] for fault in api.ask("POST", "restores", order).body["errors"]]
    assert len(told) == 3
    assert "is copying in 'north'" in told[0]
    assert "give location 'north' an encryption_set" in told[1]
    assert "another subscription" in told[2]
