"""The catalogue on Azurite: rows are inserted once, changed under their ETag and found without a search."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import TableServiceClient, UpdateMode

from domain.copies import Copy, CopyState, copies_of
from domain.copy_queues import CopyQueue
from domain.names import operation_id
from domain.operations import Operation, OperationState
from domain.protection import ProtectedVm
from domain.restore_points import PointState, ReplicaState
from gateways.catalogue import Catalogue
from tests.conftest import Accounts
from tests.domain.samples import NORTH, NOW, SLOT, available_point, begun_point, disk, machine, snapshot


@pytest.fixture
def catalogue(accounts: Accounts) -> Catalogue:
    account = accounts.fresh()
    credential = AzureNamedKeyCredential(account.name, account.key)
    return Catalogue(TableServiceClient(account.table_endpoint, credential=credential, retry_total=0))


def test_an_empty_catalogue_answers_every_question(catalogue):
    point = available_point()
    assert catalogue.restore_points.find(point.id) is None
    assert catalogue.restore_points.newest(point.vm.key) == []
    assert catalogue.restore_points.alter(point.id, lambda known: known) is None
    assert catalogue.copies.find(point, "north") == []
    assert catalogue.copy_queues.all_open() == []
    assert catalogue.operations.find("20261122-" + "0" * 20) is None
    assert catalogue.vms.page() == []


def test_a_point_comes_back_as_it_was_written(catalogue):
    vm = machine(
        disk("os", traits={"osType": "Linux", "hyperVGeneration": "V2"}, zones=("1",)),
        disk("data", lun=0, tags={"owner": "Zoë \N{FIRE}"}),
        model={"properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v5"}, "priority": None}},
    )
    for point in (begun_point(vm), available_point(vm, attempt=2)):
        assert catalogue.restore_points.begin(point) == point
        assert catalogue.restore_points.find(point.id) == point


def test_a_point_of_a_vm_with_64_disks_and_a_long_description_fits(catalogue):
    disks = [disk(f"a-disk-with-a-long-name-{number}", tags={"note": "x" * 256}) for number in range(64)]
    point = available_point(machine(*disks, model={"properties": {"extension": "y" * 50_000}}))
    catalogue.restore_points.begin(point)
    assert catalogue.restore_points.find(point.id) == point


def test_a_point_that_was_begun_before_is_returned_as_it_stands(catalogue):
    point = begun_point()
    catalogue.restore_points.begin(point)
    catalogue.restore_points.alter(point.id, lambda known: known.failed("the disk is gone", NOW))

    again = catalogue.restore_points.begin(point)
    assert again.state is PointState.FAILED
    assert again.failure == "the disk is gone"


def test_points_of_a_vm_are_listed_newest_first_in_pages(catalogue):
    points = [
        begun_point(slot=SLOT + timedelta(days=day), attempt=attempt)
        for day in range(3)
        for attempt in (1, 2)
    ]
    for point in (points[3], points[0], points[5], points[1], points[4], points[2]):
        catalogue.restore_points.begin(point)
    catalogue.restore_points.begin(begun_point(machine(name="another")))

    newest_first = [point.id for point in reversed(points)]
    vm = points[0].vm.key
    assert [point.id for point in catalogue.restore_points.newest(vm)] == newest_first
    first = catalogue.restore_points.newest(vm, most=4)
    rest = catalogue.restore_points.newest(vm, after=first[-1].id, most=4)
    assert [point.id for point in (*first, *rest)] == newest_first


def test_two_replicas_that_end_at_once_are_both_recorded(catalogue):
    point = replace(available_point(), recovery=tuple(f"place{number}" for number in range(6)))
    catalogue.restore_points.begin(point)

    def record(location: str) -> None:
        catalogue.restore_points.alter(
            point.id, lambda known: known.with_replica(location, ReplicaState.AVAILABLE)
        )

    threads = [threading.Thread(target=record, args=(location,)) for location in point.recovery]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorded = catalogue.restore_points.find(point.id)
    assert all(recorded.replicas[location] is ReplicaState.AVAILABLE for location in point.recovery)


def test_a_queue_holds_the_copies_of_one_disk_to_one_location_oldest_first(catalogue):
    points = [available_point(slot=SLOT + timedelta(hours=hour)) for hour in range(3)]
    for hour in (1, 2, 0):
        part = points[hour].disks[0]
        later = replace(part, snapshot=snapshot(part, seconds=3600 * hour))
        for location in ("north", "south"):
            catalogue.copies.plan(Copy.of(points[hour], later, location))

    queue = CopyQueue(points[0].disks[0].disk.key, NORTH)
    assert [copy.point for copy in catalogue.copies.of_queue(queue)] == [point.id for point in points]


def test_a_copy_that_is_planned_again_stays_as_it_is(catalogue):
    copy = copies_of(available_point())[0]
    catalogue.copies.plan(copy)
    catalogue.copies.alter(copy, lambda known: known.claimed("worker", NOW))
    catalogue.copies.plan(copy)
    (known,) = catalogue.copies.of_queue(CopyQueue(copy.disk, NORTH))
    assert (known.state, known.owner) == (CopyState.COPYING, "worker")


def test_the_copies_of_a_point_are_found_in_the_order_of_its_disks(catalogue):
    point = available_point()
    copies = copies_of(point)
    catalogue.copies.plan(copies[1])
    assert catalogue.copies.find(point, "north") == [copies[1]]
    catalogue.copies.plan(copies[0])
    assert catalogue.copies.find(point, "north") == copies
    assert catalogue.copies.find(point, "south") == []


def test_a_queue_is_not_closed_over_a_copy_that_was_added_meanwhile(catalogue):
    queue = CopyQueue("data-0123456789ab", NORTH)
    catalogue.copy_queues.open(queue)
    seen = catalogue.copy_queues.seen(queue)
    catalogue.copy_queues.open(queue)  # somebody adds a copy
    assert not catalogue.copy_queues.close(seen)
    assert catalogue.copy_queues.all_open() == [queue]

    assert catalogue.copy_queues.close(catalogue.copy_queues.seen(queue))
    assert catalogue.copy_queues.all_open() == []
    assert catalogue.copy_queues.seen(queue) is None


def test_the_queues_of_a_disk_are_found_among_those_of_disks_with_similar_names(catalogue):
    south = replace(NORTH, name="south")
    for disk_key in (
        "data-0123456789ab",
        "data-0123456789ab-0123456789ab",
        "dat-0123456789ab",
        "os-0123456789ab",
    ):
        catalogue.copy_queues.open(CopyQueue(disk_key, NORTH))
    catalogue.copy_queues.open(CopyQueue("data-0123456789ab", south))

    found = catalogue.copy_queues.of_disk("data-0123456789ab")
    assert [(queue.disk, queue.location.name) for queue in found] == [
        ("data-0123456789ab", "north"),
        ("data-0123456789ab", "south"),
    ]


def _operation(*identity: str, days: int = 0) -> Operation:
    asked = NOW + timedelta(days=days)
    return Operation(
        id=operation_id(asked, *identity),
        kind="backup",
        who="somebody",
        asked=asked,
        subject="web",
        orchestrator="backup_vm",
        instance="backup:web",
        request={"vm_id": "web", "nested": {"number": 1.5, "list": [1, None, True]}},
    )


def test_the_same_request_is_the_same_operation_whatever_became_of_it(catalogue):
    operation = _operation("one")
    assert catalogue.operations.accept(operation) == operation
    catalogue.operations.alter(operation.id, lambda known: known.succeeded({"restorePoint": "x"}, NOW))
    again = catalogue.operations.accept(replace(operation, who="somebody else"))
    assert (again.state, again.who) == (OperationState.SUCCEEDED, "somebody")


def test_all_operations_of_a_day_are_found_and_no_others(catalogue):
    today = [_operation("today", str(number)) for number in range(120)]
    for operation in (*today, _operation("tomorrow", days=1)):
        catalogue.operations.accept(operation)
    found = catalogue.operations.of_day("20261122")
    assert {operation.id for operation in found} == {operation.id for operation in today}
    page = catalogue.operations.of_day("20261122", after=found[9].id, most=5)
    assert [operation.id for operation in page] == [operation.id for operation in found[10:15]]


def test_the_summary_of_a_vm_is_made_when_it_is_first_changed(catalogue):
    point = available_point()
    summary = ProtectedVm.of(point.vm, "daily")
    catalogue.vms.update(summary, lambda vm: vm.with_point(point))
    catalogue.vms.update(ProtectedVm.of(point.vm, "weekly"), lambda vm: replace(vm, policy="hourly"))
    known = catalogue.vms.find(point.vm.key)
    assert known.newest_available == {"west": point.id}
    assert known.policy == "hourly"


def test_vms_are_listed_in_pages(catalogue):
    for name in ("web", "api", "database"):
        catalogue.vms.update(ProtectedVm.of(machine(name=name), "daily"), lambda vm: vm)
    first = catalogue.vms.page(most=2)
    rest = catalogue.vms.page(after=first[-1].key, most=2)
    assert [vm.name for vm in (*first, *rest)] == ["api", "database", "web"]


def test_a_hold_by_hand_is_a_column_that_survives_every_change_and_can_be_taken_out_again(catalogue):
    point = catalogue.restore_points.begin(available_point())
    table = catalogue.service.get_table_client("restorepoints")
    [entity] = table.list_entities()
    table.upsert_entity({**entity, "hold": " for the auditors "})

    assert catalogue.restore_points.find(point.id).hold == "for the auditors"
    catalogue.restore_points.alter(point.id, lambda known: known.used("a restore", NOW))
    catalogue.restore_points.alter(point.id, lambda known: point)  # decided without having seen it
    assert catalogue.restore_points.newest(point.vm.key)[0].hold == "for the auditors"

    [entity] = table.list_entities()
    assert entity["hold"] == "for the auditors"
    del entity["hold"]
    table.update_entity(entity, mode=UpdateMode.REPLACE)
    assert catalogue.restore_points.find(point.id) == point


@pytest.mark.parametrize(
    ("column", "hold"),
    [("", None), ("  ", None), (False, None), (True, "held by hand"), (7, "7"), ("until June", "until June")],
)
def test_any_value_in_the_column_holds_but_an_empty_one(catalogue, column, hold):
    point = catalogue.restore_points.begin(available_point())
    table = catalogue.service.get_table_client("restorepoints")
    [entity] = table.list_entities()
    table.upsert_entity({**entity, "hold": column})
    assert catalogue.restore_points.find(point.id).hold == hold


def test_a_hold_that_the_app_puts_is_the_same_column(catalogue):
    point = catalogue.restore_points.begin(available_point())
    catalogue.restore_points.change_hold(point.id, lambda known: replace(known, hold="a test"))
    [entity] = catalogue.service.get_table_client("restorepoints").list_entities()
    assert entity["hold"] == "a test"
    catalogue.restore_points.change_hold(point.id, lambda known: replace(known, hold=None))
    [entity] = catalogue.service.get_table_client("restorepoints").list_entities()
    assert "hold" not in entity


def test_a_point_is_forgotten_only_as_it_was_judged(catalogue):
    point = catalogue.restore_points.begin(available_point())
    assert not catalogue.restore_points.forget(point.id, lambda known: False)
    assert catalogue.restore_points.find(point.id) == point

    def judged(known):
        catalogue.restore_points.alter(point.id, lambda row: row.used("a restore", NOW))  # in between
        return True

    assert not catalogue.restore_points.forget(point.id, judged)
    assert catalogue.restore_points.find(point.id).uses
    assert catalogue.restore_points.forget(point.id, lambda known: True)
    assert catalogue.restore_points.find(point.id) is None
    assert catalogue.restore_points.forget(point.id, lambda known: False)


def test_a_copy_is_forgotten_when_it_is_over(catalogue):
    waiting, _ = copies_of(available_point())
    catalogue.copies.plan(waiting)
    assert not catalogue.copies.forget(waiting)
    over = replace(waiting, state=CopyState.FAILED)
    catalogue.copies.alter(waiting, lambda known: over)
    assert catalogue.copies.of_disk(waiting.disk, waiting.location) == [over]
    assert catalogue.copies.forget(over)
    assert catalogue.copies.forget(over)
    assert catalogue.copies.of_disk(waiting.disk, waiting.location) == []
