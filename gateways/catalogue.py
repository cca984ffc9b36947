"""The catalogue: what is protected, what was taken, where it is, and what was asked for.

Every row is a domain object as JSON; keys follow from ids (domain/names.py), so that none must be searched
for. Nothing is ever overwritten blindly: new rows are inserted, known ones changed under their ETag.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from azure.data.tables import TableServiceClient

from domain.copies import Copy
from domain.copy_queues import CopyQueue, Permit
from domain.names import copy_partition, copy_row_key, operation_day, point_parts, point_row_key
from domain.operations import Operation
from domain.protection import ProtectedVm
from domain.restore_points import RestorePoint
from gateways.documents import Documents
from gateways.permits import Permits
from gateways.tables import Row, Table

_ALL = "all"
_HOLD = "hold"


class RestorePoints(Documents[RestorePoint]):
    """Table `restorepoints`: the points of a VM side by side, newest first.

    A point's hold stands in a column of its own, `hold`, and nowhere else: an operator may write it there by
    hand, for instance with Azure Storage Explorer, and take it out again. Its text is the reason.
    """

    def read(self, row: Row) -> RestorePoint:
        """Return the point that a row holds, with the hold of the row's column."""
        return replace(super().read(row), hold=_hold(row.columns.get(_HOLD)))

    def row(self, partition: str, key: str, document: RestorePoint) -> Row:
        """Return a point as a row."""
        plain = super().row(partition, key, replace(document, hold=None))
        return replace(plain, columns={_HOLD: document.hold} if document.hold else {})

    def begin(self, point: RestorePoint) -> RestorePoint:
        """Insert a point that was begun; return the one that stands in the catalogue."""
        partition, key = _point_keys(point.id)
        if self.table.insert(self.row(partition, key, point)):
            return point
        return self.find(point.id) or point

    def find(self, point: str) -> RestorePoint | None:
        """Return a point by its id, or None."""
        return self.get(*_point_keys(point))

    def alter(
        self, point: str, changed: Callable[[RestorePoint], RestorePoint | None]
    ) -> RestorePoint | None:
        """Change a point under its ETag. Its hold stays as it is: whoever decided may not have seen it."""

        def change(known: RestorePoint) -> RestorePoint | None:
            wanted = changed(known)
            return None if wanted is None else replace(wanted, hold=known.hold)

        return self.change(*_point_keys(point), change)

    def change_hold(
        self, point: str, changed: Callable[[RestorePoint], RestorePoint | None]
    ) -> RestorePoint | None:
        """Change a point with its hold under its ETag."""
        return self.change(*_point_keys(point), changed)

    def forget(self, point: str, may_go: Callable[[RestorePoint], bool]) -> bool:
        """Delete the row of a point of which nothing is left; return False if it must stay or was changed."""
        row = self.table.get(*_point_keys(point))
        return row is None or (may_go(self.read(row)) and self.table.delete(row))

    def newest(self, vm: str, *, after: str | None = None, most: int = 50) -> list[RestorePoint]:
        """Return points of a VM, newest first: those older than the point `after`."""
        return self.query(vm, after=_point_keys(after)[1] if after else "", most=most)


class Copies(Documents[Copy]):
    """Table `copies`: one partition is the queue of one disk and location, oldest first."""

    def plan(self, copy: Copy) -> None:
        """Insert a copy that waits; one that is known already stays as it is."""
        self.table.insert(self.row(_queue_of(copy), copy.row_key, copy))

    def of_queue(self, queue: CopyQueue) -> list[Copy]:
        """Return the copies of a queue, oldest first."""
        return self.query(queue.partition)

    def find(self, point: RestorePoint, location: str) -> list[Copy]:
        """Return the copies of a point's disks to a location, in the order of the disks."""
        planned = [part for part in point.disks if part.snapshot and part.snapshot.created]
        found = [
            self.get(copy_partition(part.disk.key, location), copy_row_key(part.snapshot.created, point.id))
            for part in planned
            if part.snapshot and part.snapshot.created
        ]
        return [copy for copy in found if copy]

    def of_disk(self, disk: str, location: str) -> list[Copy]:
        """Return the copies of a disk to a location, oldest first."""
        return self.query(copy_partition(disk, location))

    def forget(self, copy: Copy) -> bool:
        """Delete the row of a copy that is over; return False if it is not, or was changed."""
        row = self.table.get(_queue_of(copy), copy.row_key)
        return row is None or (not self.read(row).state.is_open and self.table.delete(row))

    def known(self, copy: Copy) -> Copy:
        """Return a copy as it stands in the catalogue now; as it was where its row is gone."""
        return self.get(_queue_of(copy), copy.row_key) or copy

    def alter(self, copy: Copy, changed: Callable[[Copy], Copy | None]) -> Copy | None:
        """Change a copy under its ETag."""
        return self.change(_queue_of(copy), copy.row_key, changed)


class CopyQueues(Documents[CopyQueue]):
    """Table `copyqueues`: the queues that may have something to do.

    A queue is written after its copies were, and deleted only under the ETag that was read before they were
    found to be done. So a copy is never left without a worker: whoever adds one changes the ETag.
    """

    def open(self, queue: CopyQueue) -> None:
        """Note that a queue has something to do."""
        self.table.put(self.row(_ALL, queue.partition, queue))

    def all_open(self) -> list[CopyQueue]:
        """Return the queues that may have something to do."""
        return self.query(_ALL)

    def of_disk(self, disk: str) -> list[CopyQueue]:
        """Return the queues of a disk that may have something to do, however many others there are."""
        return self.query(_ALL, after=copy_partition(disk, ""), before=copy_partition(disk, "~"))

    def seen(self, queue: CopyQueue) -> Row | None:
        """Return the row of a queue, to close it by."""
        return self.table.get(_ALL, queue.partition)

    def close(self, seen: Row) -> bool:
        """Note that a queue is done; return False if something was added since the row was read."""
        return self.table.delete(seen)


class Operations(Documents[Operation]):
    """Table `operations`: one partition is a day."""

    def accept(self, operation: Operation) -> Operation:
        """Insert an operation; return the one that stands under its id."""
        if self.table.insert(self.row(operation_day(operation.id), operation.id, operation)):
            return operation
        return self.find(operation.id) or operation

    def find(self, operation: str) -> Operation | None:
        """Return an operation by its id, or None."""
        return self.get(operation_day(operation), operation)

    def of_day(self, day: str, *, after: str = "", most: int | None = None) -> list[Operation]:
        """Return the operations of a day, in no particular order."""
        return self.query(day, after=after, most=most)

    def alter(self, operation: str, changed: Callable[[Operation], Operation | None]) -> Operation | None:
        """Change an operation under its ETag."""
        return self.change(operation_day(operation), operation, changed)


class ProtectedVms(Documents[ProtectedVm]):
    """Table `vms`: one row per protected VM, all in one partition, for the overview."""

    def find(self, vm: str) -> ProtectedVm | None:
        """Return a protected VM by its key, or None."""
        return self.get(_ALL, vm)

    def all(self) -> list[ProtectedVm]:
        """Return all protected VMs: one request for each thousand."""
        return self.query(_ALL)

    def page(self, *, after: str = "", most: int = 100) -> list[ProtectedVm]:
        """Return protected VMs in the order of their keys."""
        return self.query(_ALL, after=after, most=most)

    def update(self, vm: ProtectedVm, changed: Callable[[ProtectedVm], ProtectedVm]) -> ProtectedVm:
        """Change the row of a VM, which is `vm` where there is none yet."""
        self.table.insert(self.row(_ALL, vm.key, vm))
        return self.change(_ALL, vm.key, changed) or vm


@dataclass(frozen=True)
class Catalogue:
    """All tables of the catalogue."""

    service: TableServiceClient

    @cached_property
    def restore_points(self) -> RestorePoints:
        """Table `restorepoints`."""
        return RestorePoints(Table(self.service, "restorepoints"), RestorePoint)

    @cached_property
    def copies(self) -> Copies:
        """Table `copies`."""
        return Copies(Table(self.service, "copies"), Copy)

    @cached_property
    def copy_queues(self) -> CopyQueues:
        """Table `copyqueues`."""
        return CopyQueues(Table(self.service, "copyqueues"), CopyQueue)

    @cached_property
    def permits(self) -> Permits:
        """Table `permits`."""
        return Permits(Table(self.service, "permits"), Permit)

    @cached_property
    def operations(self) -> Operations:
        """Table `operations`."""
        return Operations(Table(self.service, "operations"), Operation)

    @cached_property
    def vms(self) -> ProtectedVms:
        """Table `vms`."""
        return ProtectedVms(Table(self.service, "vms"), ProtectedVm)


def _point_keys(point: str) -> tuple[str, str]:
    vm, slot, attempt = point_parts(point)
    return vm, point_row_key(slot, attempt)


def _queue_of(copy: Copy) -> str:
    return copy_partition(copy.disk, copy.location)


def _hold(column: Any) -> str | None:
    """Read what stands in the column: any value but an empty one holds, for whoever wrote it meant to."""
    if isinstance(column, bool):
        return "held by hand" if column else None
    return str(column).strip() or None if column is not None else None
