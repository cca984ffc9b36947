"""Whether a large catalogue makes looking things up dearer: requests at 1,000 and at 100,000 points.

A VM is backed up for real; its point is written again for a thousand VMs and as many slots as it takes, into
the tables of Azurite. What counts is the number of requests: Azure serves one of them alike, however many
rows lie in other partitions. Azurite does not: it searches its tables row by row, so its times say nothing
about Azure, and stand here to be seen beside the counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import TableClient

from bench.observed_world import ObservedWorld, observed
from domain.names import point_id, point_row_key, vm_key
from domain.protection import ProtectedVm
from domain.restore_points import RestorePoint
from gateways.connection import cloud
from gateways.tables import Row
from simulator.azurite import Azurite, random_keys
from tests.conftest import Accounts
from tests.world import START
from triggers.acceptance import Asked
from triggers.fields import MOST_PER_PAGE
from triggers.identity import Caller, Role
from triggers.restores import RestoreOrder, plan_restore

VMS = 1000
SLOTS = (1, 100)  # of each VM: 1,000 and 100,000 points
PROBED = VMS // 2  # the VM that is looked up
BATCH = 100  # the most that one transaction takes, all in one partition
SIDE_BY_SIDE = 3  # transactions, so that Azurite need not wait for us
SOMEBODY = Caller("bench", "bench", Role.RESTORER)


def measure() -> list[dict[str, Any]]:
    """Count the requests of four questions to a small and to a large catalogue."""
    results: list[dict[str, Any]] = []
    with (
        Azurite(random_keys(f"account{number:02d}" for number in range(4))) as azurite,
        observed(Accounts(azurite), has_timers=False) as world,
    ):
        template, filled = _taken(world), 0
        for slots in SLOTS:
            _fill(world, template, range(filled, slots))
            filled = slots
            results += _answers(world, slots)
    return results


def _answers(world: ObservedWorld, slots: int) -> Iterator[dict[str, Any]]:
    """Ask each question: how many requests, and how long with the emulator."""
    key = vm_key(_vm_id(PROBED, world.subscription))
    before = _slot(slots // 2) + timedelta(hours=1)
    order = RestoreOrder(location="north", vm=key, before=before)
    newest, older = (point_id(key, _slot(slot), 1) for slot in (slots - 1, slots // 2))
    points = cloud().catalogue.restore_points

    questions: dict[str, tuple[Callable[[], Any], Any, int]] = {
        "the newest point of a VM": (lambda: [each.id for each in points.newest(key, most=1)], [newest], 1),
        "the newest point before a time, for a restore": (lambda: _planned(order), older, 1),
        f"the overview of {VMS:,} VMs": (lambda: len(cloud().catalogue.vms.all()), VMS, 1),
        f"… by pages of {MOST_PER_PAGE}, as the API gives it": (_paged, VMS, VMS // MOST_PER_PAGE),
    }
    for question, (ask, expected, aim) in questions.items():
        requests, began = world.reach.requests, time.perf_counter()
        answer = ask()
        seconds = time.perf_counter() - began
        if answer != expected:
            raise RuntimeError(f"{question}: {answer}, expected {expected}")
        name = f"{VMS * slots:,} points: {question}"
        yield _row(f"{name}: requests", world.reach.requests - requests, "requests", aim)
        yield _row(f"{name}: time with Azurite", seconds, "s", None)


def _planned(order: RestoreOrder) -> str:
    return plan_restore(order, Asked("restore", order, SOMEBODY, None, cloud().now())).subject


def _paged() -> int:
    """Read the overview as GET vms does: each page asks for one more, to know whether there is another."""
    count, after, has_more = 0, "", True
    while has_more:
        found = cloud().catalogue.vms.page(after=after, most=MOST_PER_PAGE + 1)
        page, has_more = found[:MOST_PER_PAGE], len(found) > MOST_PER_PAGE
        count, after = count + len(page), page[-1].key
    return count


def _taken(world: ObservedWorld) -> RestorePoint:
    """Back up a VM of one disk; return its point, and leave no trace of it in the tables."""
    vm_id = world.add_vm("vm", {"disk": b"0"}, tags={"tidemark-policy": "daily"})
    world.back_up("vm")
    (point,) = world.points_of(vm_id)
    catalogue = cloud().catalogue
    for table, partition in ((catalogue.restore_points.table, vm_key(vm_id)), (catalogue.vms.table, "all")):
        for row in table.query(partition):
            table.delete(row)
    return point


def _fill(world: ObservedWorld, template: RestorePoint, slots: range) -> None:
    """Add points of these slots to every VM, and write the overview accordingly."""
    with _client(world, "restorepoints") as table, ThreadPoolExecutor(SIDE_BY_SIDE) as threads:

        def fill(number: int) -> Row:
            vm = replace(template.vm, id=_vm_id(number, world.subscription), name=_name(number))
            points = [_point(replace(template, vm=vm), _slot(slot)) for slot in slots]
            _write(table, "create", [_point_row(point) for point in points])
            summary = ProtectedVm.of(vm, template.policy).with_point(points[-1])
            return cloud().catalogue.vms.row("all", vm.key, summary)

        overview = list(threads.map(fill, range(VMS)))
    with _client(world, "vms") as table:
        _write(table, "upsert", overview)


def _point_row(point: RestorePoint) -> Row:
    return cloud().catalogue.restore_points.row(point.vm.key, point_row_key(point.slot, 1), point)


def _point(template: RestorePoint, slot: datetime) -> RestorePoint:
    """Return the template as a point of another slot, its disks taken then."""
    moved = slot - template.slot
    disks = tuple(
        replace(part, snapshot=replace(part.snapshot, created=part.snapshot.created + moved))
        for part in template.disks
        if part.snapshot and part.snapshot.created
    )
    return replace(template, slot=slot, begun=template.begun + moved, disks=disks)


def _write(table: TableClient, how: str, rows: list[Row]) -> None:
    waiting = iter(rows)
    while some := list(islice(waiting, BATCH)):
        table.submit_transaction([(how, _entity(row)) for row in some])


def _entity(row: Row) -> dict[str, Any]:
    """Return a row as the gateway writes one whose document fits into one column."""
    return {"PartitionKey": row.partition, "RowKey": row.key, "document0": row.document}


def _client(world: ObservedWorld, table: str) -> TableClient:
    """Return a client of the emulator's own, beside the app's, so that its requests are not counted."""
    account = world.catalogue
    credential = AzureNamedKeyCredential(account.name, account.key)
    return TableClient(account.table_endpoint, table, credential=credential)


def _vm_id(number: int, subscription: str) -> str:
    group = f"/subscriptions/{subscription}/resourceGroups/production"
    return f"{group}/providers/Microsoft.Compute/virtualMachines/{_name(number)}"


def _name(number: int) -> str:
    return f"vm{number:04d}"


def _slot(number: int) -> datetime:
    return START.replace(hour=2) + timedelta(days=number)


def _row(name: str, value: float, unit: str, aim: float | None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "aim": aim, "better": "lower"}
