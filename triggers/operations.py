"""GET operations: what was asked for, by whom, how far it is, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import azure.durable_functions as df
from pydantic import Field

from domain.errors import NotFound
from domain.names import operation_day, point_parts
from domain.operations import Operation, OperationState
from domain.requests import BackupRequest, RestoreRequest
from domain.restore_points import ProtectedDisk, RestorePoint
from domain.restores import restored_disk_id
from durable import from_wire
from gateways.connection import cloud
from triggers.documents import document, form
from triggers.fields import Day, OperationId, PageSize
from triggers.identity import Role
from triggers.pages import cut
from triggers.release import path_of
from triggers.restore_points import PointDocument, described
from triggers.routing import Accepted, endpoint

blueprint = df.Blueprint()


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
class OperationDetail(OperationDocument):
    """Something that was asked for, and how far it is.

    `restorePoint` is what a backup takes, disk by disk, null before it is begun; `disks` is what a restore
    brings back.
    """

    restore_point: PointDocument | None
    disks: tuple[RestoredDiskDocument, ...]


@document
class OperationPage:
    """Operations of one day (UTC), in the order of their ids."""

    items: tuple[OperationDocument, ...]
    next: str | None


@form
class OperationPath:
    """Which operation."""

    id: OperationId


@form
class OperationsQuery:
    """Which day, and which page of it."""

    day: Annotated[Day | None, Field(description="Left out: today, UTC.")] = None
    limit: PageSize = 50
    after: Annotated[OperationId | None, Field(description="The last operation of the page before.")] = None


@endpoint(blueprint, "GET", "operations", role=Role.READER, summary="List the operations of a day")
def list_operations(query: OperationsQuery) -> OperationPage:
    day = query.day or cloud().now().date()
    found = cloud().catalogue.operations.of_day(
        f"{day:%Y%m%d}", after=query.after or "", most=query.limit + 1
    )
    page, following = cut(
        found, query.limit, path_of("operations"), lambda operation: operation.id, day=day.isoformat()
    )
    return OperationPage(tuple(OperationDocument(**summarised(operation)) for operation in page), following)


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
        raise NotFound(
            f"there is no operation '{path.id}' of {operation_day(path.id)}; look at GET operations"
        )
    point = cloud().catalogue.restore_points.find(_point_of(operation))
    taken = described(point) if point and operation.kind == "backup" else None
    brought = _brought_back(operation, point) if point and operation.kind == "restore" else ()
    return OperationDetail(**summarised(operation), restore_point=taken, disks=brought)


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
            "vm": path_of("vms", point_parts(point)[0]),
        },
    }


def _point_of(operation: Operation) -> str:
    """The id of the restore point that an operation takes or brings back."""
    kinds: dict[str, type[BackupRequest | RestoreRequest]] = {
        "backup": BackupRequest,
        "restore": RestoreRequest,
    }
    return from_wire(kinds[operation.kind], operation.request).point


def _brought_back(operation: Operation, point: RestorePoint) -> tuple[RestoredDiskDocument, ...]:
    """Return the disks of a restore. Which of them are ready is recorded when all are settled."""
    location = from_wire(RestoreRequest, operation.request).location
    ready = {disk["id"].lower() for disk in operation.outcome.get("disks", [])}

    def brought(part: ProtectedDisk) -> RestoredDiskDocument:
        disk_id = restored_disk_id(operation.id, part.disk, location)
        state: Literal["planned", "ready", "failed"] = "failed" if operation.state.is_over else "planned"
        if disk_id.lower() in ready:
            state = "ready"
        return RestoredDiskDocument(part.disk.name, disk_id, part.disk.lun, part.disk.size_bytes, state)

    return tuple(brought(part) for part in point.disks)
