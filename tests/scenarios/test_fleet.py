"""The watch over the fleet: what is due is taken once, and what is not protected is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import Refused
from gateways.connection import cloud
from gateways.tables import Row
from tests.world import HOME, START, World

PROTECTED = {"tidemark-policy": "daily"}
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def seen(world, name):
    [vm] = [vm for vm in world.ask("GET", "vms").body["items"] if vm["name"] == name]
    return vm


def test_a_tag_that_names_no_policy_is_told_and_nothing_is_taken(world):
    vm_id = world.add_vm("web", {"os": b"system"}, tags={"tidemark-policy": "dayly"})
    world.pass_time(HOUR)

    assert world.points_of(vm_id) == []
    vm = seen(world, "web")
    assert "names 'dayly', which is not in the policy file; known: daily" in vm["problem"]
    assert vm["coverage"] == "not"


def test_a_vm_that_azure_does_not_list_any_more_is_told_and_keeps_its_points(world):
    vm_id = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    world.pass_time(HOUR)
    assert seen(world, "web")["problem"] is None

    world.lose_region(HOME)
    world.jump(START + 2 * DAY)
    world.pass_time(HOUR)
    vm = seen(world, "web")
    assert "Azure does not list it any more" in vm["problem"]
    assert vm["isOverdue"] is False  # it is not protected, which is worse
    assert [point.replicas["north"] for point in world.points_of(vm_id)] == ["available"]

    world.bring_back_region(HOME)
    world.pass_time(HOUR)
    vm = seen(world, "web")
    assert (vm["problem"], vm["missed"]) == (None, 1)
    assert vm["newestPoint"] == world.points_of(vm_id)[0].id
    assert len(world.points_of(vm_id)) == 2


def test_a_new_vm_that_cannot_be_described_for_hours_gets_one_point(world):
    vm_id = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    world.cloud.faults.fail("GET", "/virtualMachines/web", status=429, retry_after=1200, times=10)
    world.pass_time(6 * HOUR)

    world.cloud.faults.verify_all_met()
    [point] = world.points_of(vm_id)
    assert point.is_available
    assert point.slot == START + timedelta(minutes=5)


def test_a_subscription_that_cannot_be_listed_keeps_no_other_from_being_backed_up(tmp_path, accounts):
    unknown = "00000000-0000-4000-8000-000000000000"
    world = World(tmp_path, accounts, more_subscriptions=(unknown,))
    try:
        vm_id = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
        world.pass_time(HOUR)

        assert [point.is_available for point in world.points_of(vm_id)] == [True]
        assert unknown in world.ask("GET", "health").body["watch"]["failure"]
    finally:
        world.close()


def test_a_row_that_nobody_can_read_is_named_and_keeps_no_due_backup_from_being_begun(world, caplog):
    caplog.set_level("INFO", logger="tidemark.events")
    operations = cloud().catalogue.operations.table
    operations.put(Row("20261122", "20261122-spoiled", '{"kind": "backup"}'))
    vm_id = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    world.pass_time(timedelta(minutes=15))

    assert [point.is_available for point in world.points_of(vm_id)] == [True]
    told = world.ask("GET", "health").body["watch"]["failure"]
    assert "row 20261122-spoiled of partition 20261122" in told
    assert "holds no Operation: id: Field required" in told
    assert not [line for line in caplog.messages if '"heartbeat"' in line]

    assert operations.delete(operations.get("20261122", "20261122-spoiled"))
    world.pass_time(timedelta(minutes=5))
    assert [line for line in caplog.messages if '"heartbeat"' in line]


def test_a_backup_whose_orchestration_is_ended_from_outside_fails_and_is_taken_again(world):
    vm_id = world.add_vm("web", {"os": b"system", "data": b"first"}, tags=PROTECTED)
    operation = world.ask("POST", "backups", {"vm": vm_id}).body["id"]
    world.pass_time(timedelta(seconds=3))
    [instance] = [each["instanceId"] for each in world.host.statuses() if each["name"] == "backup_vm"]
    world.host.terminate(instance, "by hand")
    world.pass_time(HOUR)

    again, lost = world.points_of(vm_id)
    assert (lost.state, again.state) == ("failed", "available")
    assert "its orchestration ended" in lost.failure
    assert world.operation(operation)["state"] == "failed"
    assert cloud().catalogue.vms.find(again.vm.key).running is None


def test_slots_that_nobody_took_are_told_and_the_newest_is_taken(world, caplog):
    vm_id = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    world.pass_time(HOUR)
    with caplog.at_level("WARNING", logger="tidemark.events"):
        world.jump(START + 4 * DAY)
        world.pass_time(HOUR)

    newest, _ = world.points_of(vm_id)
    assert newest.slot == (START + 4 * DAY).replace(hour=2)
    assert [line for line in caplog.messages if '"slot_missed"' in line and '"missed": 3' in line]


@pytest.mark.parametrize("skewed", [1, 2])
def test_disks_taken_too_far_apart_are_taken_once_more(world, skewed):
    vm_id = world.add_vm("web", {"os": b"system", "data": b"first"}, tags=PROTECTED)
    world.cloud.faults.fail("PUT", "/snapshots/web-web-data", status=429, retry_after=1200, times=1)
    if skewed == 2:
        world.cloud.faults.fail(
            "PUT", "/snapshots/web-web-data", status=429, retry_after=1200, times=1, skip=1
        )
    operation = world.back_up("web", within=timedelta(minutes=50))

    world.cloud.faults.verify_all_met()
    again, first = world.points_of(vm_id)
    assert "were taken 12" in first.failure
    assert again.is_available
    assert (again.skew >= timedelta(minutes=20)) == (skewed == 2)  # once more, and not for ever
    assert operation["state"] == "succeeded"
    assert operation["restorePoint"]["id"] == again.id


def test_a_subscription_that_does_not_answer_holds_up_no_other(tmp_path, accounts, caplog):
    other = "00000000-0000-4000-8000-000000000000"
    world = World(tmp_path, accounts, more_subscriptions=(other,))
    try:
        listing = f"/subscriptions/{other}/providers/Microsoft.Compute/virtualMachines"
        world.cloud.faults.fail("GET", listing, status=429, retry_after=3600, times=3)
        vm_id = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
        world.pass_time(timedelta(minutes=10))

        assert [point.is_available for point in world.points_of(vm_id)] == [True]
        assert [line for line in caplog.messages if '"fleet_unseen"' in line and other in line]
    finally:
        world.close()


def test_copies_that_a_backup_did_not_come_to_queue_are_queued_by_the_watch(world, monkeypatch):
    vm_id = world.add_vm("web", {"os": b"system", "data": b"first"}, tags=PROTECTED)
    world.ask("POST", "backups", {"vm": vm_id})
    with monkeypatch.context() as refusal:
        refusal.setattr(cloud().catalogue.copies, "plan", refusing)
        world.pass_time(timedelta(minutes=2))
    [point] = world.points_of(vm_id)
    assert point.replicas == {"west": "available", "north": "waiting"}

    world.pass_time(HOUR)

    [point] = world.points_of(vm_id)
    assert point.replicas == {"west": "available", "north": "available"}
    assert cloud().catalogue.vms.find(point.vm.key).unsent == ()


def refusing(copy):
    raise Refused("AuthorizationFailed", "the table may not be written to")
