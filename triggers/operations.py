"""GET operations: what was asked for, by whom, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import azure.durable_functions as df
from pydantic import Field

from domain.errors import Fault, InvalidInput, NotFound
from domain.names import operation_day, point_parts, vm_key
from domain.operations import Operation, OperationState
from domain.requests import BackupRequest, RestoreRequest
from domain.restore_points import ProtectedDisk, RestorePoint
from domain.restored_machines import machine_id
from domain.restores import is_wanted, restored_disk_id
from durable import from_wire
from gateways.connection import cloud
from triggers.documents import Known, document, form
from triggers.fields import FIRST_DAY, Day, OperationId, PageSize, VmReference
from triggers.identity import Role
from triggers.pages import cut
from triggers.release import path_of
from triggers.restore_points import PointDocument, described
from triggers.routing import Accepted, endpoint

blueprint = df.Blueprint()

# What an operation of each kind was asked for with.
_REQUESTS: dict[str, type[BackupRequest | RestoreRequest]] = {
    "backup": BackupRequest,
    "restore": RestoreRequest,
}


@document
class OperationDocument:
    """Something that was asked for."""

    id: str
    kind: str
    who: str
    asked: datetime
    state: OperationState
    ended: datetime | None
    outcome: dict[str, Any]
    failure: str | None
    links: Annotated[
        dict[str, str], Field(description="A backup's restore point answers once the backup has begun it.")
    ]


@document
class RestoredDiskDocument:
    """One disk that a restore brings back."""

    name: Annotated[str, Field(description="What the disk was called when it was backed up.")]
    id: Annotated[str, Field(description="The ARM id of the disk that the restore makes.")]
    lun: Annotated[int | None, Field(description="Null for the OS disk.")]
    size_bytes: int
    state: Literal["planned", "ready", "failed"]


@document
class RestoredVmDocument:
    """The VM that a restore brings back."""

    name: str
    id: Annotated[str, Field(description="The ARM id of the VM that the restore makes.")]
    state: Literal["planned", "ready", "failed"]


@document
class OperationDetail(OperationDocument):
    """Something that was asked for, and how far it is.

    `restorePoint` is what a backup takes, disk by disk, null before it is begun; `disks` and `vm` are what a
    restore brings back, `vm` is null where it is disks alone. The outcome of a restore lists in `notCarried`
    what of the VM was left behind, and in `faults` why nothing could be made.
    """

    restore_point: PointDocument | None
    disks: tuple[RestoredDiskDocument, ...]
    vm: RestoredVmDocument | None


@document
class OperationPage:
    """Operations that were asked for on one day (UTC), newest first."""

    day: date
    items: tuple[OperationDocument, ...]
    next: str | None
    links: Annotated[
        dict[str, str], Field(description="`previousDay` leads to the same question a day before.")
    ]


@form
class OperationPath:
    """Which operation."""

    id: OperationId


@form
class OperationsQuery:
    """Which day, which operations of it, and which page of those."""

    day: Annotated[Day | None, Field(description="Left out: today, UTC.")] = None
    state: OperationState | None = None
    kind: Annotated[str, Known("kind of operation", lambda: _REQUESTS)] | None = None
    vm: VmReference | None = None
    limit: PageSize = 50
    after: Annotated[OperationId | None, Field(description="The last operation of the page before.")] = None


@endpoint(blueprint, "GET", "operations", role=Role.READER, summary="List the operations of a day")
def list_operations(query: OperationsQuery) -> OperationPage:
    day = query.day or cloud().now().date()
    found = [known for known in _newest_first(day, query.after) if _is_wanted(known, query)]
    same = _filters(query)
    page, following = cut(
        found, query.limit, path_of("operations"), lambda known: known.id, day=day.isoformat(), **same
    )
    items = tuple(OperationDocument(**summarised(operation)) for operation in page)
    return OperationPage(day, items, following, _links_of(day, {**same, "limit": str(query.limit)}))


def _newest_first(day: date, after: str | None) -> list[Operation]:
    """Return the operations of a day that were asked for before the operation `after`, newest first.

    Row keys are hashes, so a day is read whole and sorted here: quick up to some thousands. A page's place is
    that of its last operation, which keeps it whatever is added: who asked when never changes.
    Raises InvalidInput if there is no such operation that day.
    """
    found = cloud().catalogue.operations.of_day(f"{day:%Y%m%d}")
    found.sort(key=lambda known: (known.asked, known.id), reverse=True)
    if after is None:
        return found
    for place, known in enumerate(found, 1):
        if known.id == after:
            return found[place:]
    raise InvalidInput(
        "The request", [Fault("after", f"operation {after} is not one of {day}; leave it out to begin anew")]
    )


def _is_wanted(operation: Operation, query: OperationsQuery) -> bool:
    return (
        query.state in (None, operation.state)
        and query.kind in (None, operation.kind)
        and (query.vm is None or _key_of(query.vm) == _vm_of(operation))
    )


def _key_of(reference: str) -> str:
    return vm_key(reference) if reference.startswith("/") else reference


def _filters(query: OperationsQuery) -> dict[str, str]:
    given = {"state": query.state, "kind": query.kind, "vm": query.vm}
    return {name: str(value) for name, value in given.items() if value is not None}


def _links_of(day: date, same: Mapping[str, str]) -> dict[str, str]:
    if day <= FIRST_DAY:
        return {}
    before = urlencode({"day": (day - timedelta(days=1)).isoformat(), **same})
    return {"previousDay": f"{path_of('operations')}?{before}"}


@endpoint(
    blueprint,
    "GET",
    "operations/{id}",
    role=Role.READER,
    summary="Show an operation and how far it is",
    problems=(NotFound,),
)
def show_operation(path: OperationPath) -> OperationDetail:
    operation = cloud().catalogue.operations.find(path.id)
    if operation is None:
        day = operation_day(path.id)
        raise NotFound(
            f"there is no operation '{path.id}'; look at GET operations?day={day[:4]}-{day[4:6]}-{day[6:]}"
        )
    point = cloud().catalogue.restore_points.find(_point_of(operation))
    taken = described(point) if point and operation.kind == "backup" else None
    brought = _brought_back(operation, point) if point and operation.kind == "restore" else ()
    machine = _brought_vm(operation) if operation.kind == "restore" else None
    return OperationDetail(**summarised(operation), restore_point=taken, disks=brought, vm=machine)


def accepted_answer(operation: Operation) -> Accepted[OperationDocument]:
    """Answer that an operation is accepted, and where to follow it."""
    return Accepted(OperationDocument(**summarised(operation)), path_of("operations", operation.id))


def summarised(operation: Operation) -> dict[str, Any]:
    """Return what every document about an operation says of it."""
    point = _point_of(operation)
    return {
        "id": operation.id,
        "kind": operation.kind,
        "who": operation.who,
        "asked": operation.asked,
        "state": operation.state,
        "ended": operation.ended,
        "outcome": dict(operation.outcome),
        "failure": operation.failure,
        "links": {
            "self": path_of("operations", operation.id),
            "restorePoint": path_of("restore-points", point),
            "vm": path_of("vms", _vm_of(operation)),
        },
    }


def _point_of(operation: Operation) -> str:
    """The id of the restore point that an operation takes or brings back.

    A backup may end with another one than it began: disks taken too far apart are all taken once more.
    """
    taken = operation.outcome.get("restorePoint") if operation.kind == "backup" else None
    return taken or from_wire(_REQUESTS[operation.kind], operation.request).point


def _vm_of(operation: Operation) -> str:
    """The key of the VM that an operation is about."""
    return point_parts(_point_of(operation))[0]


def _brought_back(operation: Operation, point: RestorePoint) -> tuple[RestoredDiskDocument, ...]:
    """Return the disks of a restore. Which of them are ready is recorded when all are settled.

    For a VM that is before its network interface and the VM itself are made.
    """
    request = from_wire(RestoreRequest, operation.request)
    ready = {disk["id"].lower() for disk in operation.outcome.get("disks", [])}
    ready |= {disk_id.lower() for disk_id in operation.made}

    def brought(part: ProtectedDisk) -> RestoredDiskDocument:
        disk_id = restored_disk_id(operation.id, part.disk, request.location)
        state: Literal["planned", "ready", "failed"] = "failed" if operation.state.is_over else "planned"
        if disk_id.lower() in ready:
            state = "ready"
        return RestoredDiskDocument(part.disk.name, disk_id, part.disk.lun, part.disk.size_bytes, state)

    return tuple(brought(part) for part in point.disks if is_wanted(part.disk, request.disks))


def _brought_vm(operation: Operation) -> RestoredVmDocument | None:
    """Return the VM of a restore that brings one back."""
    request = from_wire(RestoreRequest, operation.request)
    if not request.is_for_vm:
        return None
    state: Literal["planned", "ready", "failed"] = "failed" if operation.state.is_over else "planned"
    if operation.state is OperationState.SUCCEEDED:
        state = "ready"
    return RestoredVmDocument(request.vm_name, machine_id(request.location, request.vm_name), state)
