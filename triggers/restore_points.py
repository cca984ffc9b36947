"""GET restore points: one, or those of a VM; and how far each of its disks is, here and elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import azure.durable_functions as df
from pydantic import Field

from domain.errors import Fault, InvalidInput, NotFound
from domain.names import point_parts
from domain.restore_points import PointState, ProtectedDisk, ReplicaState, RestorePoint
from gateways.connection import cloud
from triggers.documents import document, form
from triggers.fields import PageSize, PointId, VmKey
from triggers.identity import Role
from triggers.pages import cut
from triggers.release import path_of
from triggers.replicas import Percent, ReplicaDocument, replicas_of
from triggers.routing import endpoint
from triggers.vms import found_vm

blueprint = df.Blueprint()


@document
class PointVm:
    """The VM of a restore point, as it was then."""

    key: str
    id: str
    name: str


@document
class ConsistencyDocument:
    """Which consistency was asked for, and which was reached; null while that is open, or if none was."""

    asked: str
    achieved: str | None


@document
class PointDisk:
    """One disk of a restore point, and its snapshot in the home location."""

    name: str
    key: str
    lun: Annotated[int | None, Field(description="Null for the OS disk.")]
    size_bytes: int
    sku: str
    state: Literal["planned", "taken", "usable", "failed"]
    percent: Percent
    taken: datetime | None
    snapshot: str
    failure: str | None


@document
class PointSummary:
    """A restore point in a list."""

    id: str
    slot: datetime
    attempt: int
    state: PointState
    policy: str
    failure: str | None
    replicas: Annotated[
        dict[str, ReplicaState],
        Field(description="As recorded when all copies are over; the restore point tells how far they are."),
    ]
    link: str


@document
class PointPage:
    """Restore points, newest first."""

    items: tuple[PointSummary, ...]
    next: str | None


@document
class PointDocument:
    """A restore point: all the protected disks of one VM at one slot."""

    id: str
    vm: PointVm
    slot: datetime
    attempt: int
    state: PointState
    policy: str
    begun: datetime
    decided: datetime | None
    failure: str | None
    consistency: ConsistencyDocument
    skew_seconds: Annotated[float | None, Field(description="Between the first and the last disk's moment.")]
    disks: tuple[PointDisk, ...]
    replicas: tuple[ReplicaDocument, ...]
    operation: Annotated[str | None, Field(description="What asked for it; null if it was the schedule.")]
    hold: Annotated[str | None, Field(description="Why it is kept, whatever its policy says; null if not.")]


@form
class PointPath:
    """Which restore point."""

    id: PointId


@form
class PointsPath:
    """Of which VM."""

    key: VmKey


@form
class PointsQuery:
    """Which page."""

    limit: PageSize = 50
    after: Annotated[PointId | None, Field(description="The last restore point of the page before.")] = None


@endpoint(
    blueprint,
    "GET",
    "restore-points/{id}",
    role=Role.READER,
    summary="Show a restore point",
    problems=(NotFound,),
)
def show_restore_point(path: PointPath) -> PointDocument:
    return described(found_point(path.id))


@endpoint(
    blueprint,
    "GET",
    "vms/{key}/restore-points",
    role=Role.READER,
    summary="List the restore points of a VM, newest first",
    problems=(NotFound,),
)
def list_restore_points(path: PointsPath, query: PointsQuery) -> PointPage:
    if query.after and point_parts(query.after)[0] != path.key:
        fault = f"restore point {query.after} is not one of this VM; leave it out to begin anew"
        raise InvalidInput("The request", [Fault("after", fault)])
    found = cloud().catalogue.restore_points.newest(path.key, after=query.after, most=query.limit + 1)
    if not found:
        found_vm(path.key)
    page, following = cut(
        found, query.limit, path_of("vms", path.key, "restore-points"), lambda point: point.id
    )
    return PointPage(tuple(summarised(point) for point in page), following)


def found_point(point: str) -> RestorePoint:
    """Return a restore point of the catalogue; raises NotFound."""
    found = cloud().catalogue.restore_points.find(point)
    if found is None:
        raise NotFound(_why_absent(point))
    return found


def _why_absent(point: str) -> str:
    """Say why a point is not in the catalogue: the overview knows of one that failed before it was begun."""
    vm = cloud().catalogue.vms.find(point_parts(point)[0])
    if vm is None:
        return f"there is no restore point '{point}', and its VM is not known; look at GET vms"
    if vm.newest_point != point:
        return f"VM '{vm.name}' has no restore point '{point}'; look at GET vms/{vm.key}/restore-points"
    if vm.newest_state is PointState.FAILED:
        reason = vm.last_failure or "no reason is known"
        return f"restore point '{point}' failed before it was begun, so nothing is there: {reason}"
    return f"restore point '{point}' is about to be begun; look again in a minute"


def summarised(point: RestorePoint) -> PointSummary:
    """Return a restore point as it stands in a list."""
    return PointSummary(
        id=point.id,
        slot=point.slot,
        attempt=point.attempt,
        state=point.state,
        policy=point.policy,
        failure=point.failure,
        replicas=dict(point.replicas),
        link=path_of("restore-points", point.id),
    )


def described(point: RestorePoint) -> PointDocument:
    """Return a restore point with everything that the books say of it."""
    skew = point.skew
    return PointDocument(
        id=point.id,
        vm=PointVm(point.vm.key, point.vm.id, point.vm.name),
        slot=point.slot,
        attempt=point.attempt,
        state=point.state,
        policy=point.policy,
        begun=point.begun,
        decided=point.decided,
        failure=point.failure,
        consistency=ConsistencyDocument(point.consistency, point.consistency if point.is_available else None),
        skew_seconds=skew.total_seconds() if skew is not None else None,
        disks=tuple(_disk(part) for part in point.disks),
        replicas=replicas_of(point),
        operation=path_of("operations", point.operation) if point.operation else None,
        hold=point.hold,
    )


def _disk(part: ProtectedDisk) -> PointDisk:
    disk, snapshot = part.disk, part.snapshot
    return PointDisk(
        name=disk.name,
        key=disk.key,
        lun=disk.lun,
        size_bytes=disk.size_bytes,
        sku=disk.sku,
        state=_disk_state(part),
        percent=snapshot.percent if snapshot else None,
        taken=snapshot.created if snapshot else None,
        snapshot=part.snapshot_id,
        failure=part.failure,
    )


def _disk_state(part: ProtectedDisk) -> Literal["planned", "taken", "usable", "failed"]:
    if part.failure:
        return "failed"
    if part.snapshot is None:
        return "planned"
    return "usable" if part.is_usable else "taken"
