"""POST restores: bring the disks of a restore point back, in a location of the caller's choice."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated

import azure.durable_functions as df
from pydantic import Field

from domain.errors import Fault, InvalidInput, KeyReused, NotFound
from domain.names import point_id, slot_of, vm_key
from domain.requests import RestoreRequest
from domain.restore_points import ReplicaState, RestorePoint
from durable import Client
from gateways.connection import cloud
from triggers.acceptance import Asked, Plan, StartHeaders, begun
from triggers.documents import form
from triggers.fields import LocationName, Moment, PointId, VmReference
from triggers.identity import Caller, Role
from triggers.operations import OperationDocument, accepted_answer
from triggers.restore_points import found_point
from triggers.routing import Accepted, endpoint

blueprint = df.Blueprint()

_PAGE = 50


@form
class RestoreOrder:
    """What to bring back, and where: a restore point, or the newest of a VM, if need be before a moment."""

    location: Annotated[LocationName, Field(description="Where the data is, and where the disks are made.")]
    restore_point: PointId | None = None
    vm: VmReference | None = None
    before: Annotated[
        Moment | None, Field(description="With `vm`: all disks of the restore point are older than this.")
    ] = None

    @classmethod
    def contradictions(cls, given: set[str]) -> Iterator[Fault]:
        """Find fields that do not go together."""
        if ("restorePoint" in given) == ("vm" in given):
            yield Fault("restorePoint", "give either restorePoint or vm, one of the two")
        if "before" in given and "vm" not in given:
            yield Fault("before", "this goes with vm: a restorePoint has its moment already")


@endpoint(
    blueprint,
    "POST",
    "restores",
    role=Role.RESTORER,
    summary="Bring the disks of a restore point back",
    problems=(NotFound, KeyReused),
)
async def start_restore(
    headers: StartHeaders, body: RestoreOrder, caller: Caller, client: Client
) -> Accepted[OperationDocument]:
    asked = Asked("restore", body, caller, headers.idempotency_key, cloud().now())
    return accepted_answer(await begun(asked, functools.partial(plan_restore, body), client))


def plan_restore(order: RestoreOrder, asked: Asked) -> Plan:
    """Say what is to be brought back. Asks the catalogue alone: the home region may be gone.

    Raises NotFound if there is no such point, InvalidInput if it cannot be restored from the location.
    """
    point = found_point(order.restore_point) if order.restore_point else _newest(order)
    faults = list(_restore_faults(point, order.location))
    if faults:
        raise InvalidInput(f"Restore point {point.id}", faults)
    location = cloud().policies.locations[order.location]
    return Plan("restore_disks", point.id, RestoreRequest(asked.id, point.id, location))


def _restore_faults(point: RestorePoint, location: str) -> Iterator[Fault]:
    if not point.is_available:
        why = f"failed ({point.failure})" if point.is_decided else "is still being taken"
        yield Fault("restorePoint", f"restore point {point.id} {why}; choose another one")
    elif point.replicas.get(location) is not ReplicaState.AVAILABLE:
        state = point.replicas.get(location)
        found = f"is {state} in {location!r}" if state else f"was never sent to {location!r}"
        where = [name for name, known in point.replicas.items() if known is ReplicaState.AVAILABLE]
        yield Fault(
            "location",
            f"restore point {point.id} {found}; it is available in {', '.join(where) or 'no location'}",
        )


def _newest(order: RestoreOrder) -> RestorePoint:
    """Return the newest point of a VM that is available in the location and old enough."""
    assert order.vm is not None  # see contradictions
    key = vm_key(order.vm) if order.vm.startswith("/") else order.vm
    for point in _points_of(key, order.before):
        is_available = point.replicas.get(order.location) is ReplicaState.AVAILABLE
        if is_available and _is_older(point, order.before):
            return point
    moment = f" from before {order.before.isoformat()}" if order.before else ""
    raise NotFound(
        f"VM '{key}' has no restore point{moment} that is available in {order.location!r}; "
        f"look at GET vms/{key}/restore-points"
    )


def _points_of(key: str, before: datetime | None) -> Iterator[RestorePoint]:
    """Yield the points of a VM, newest first, from the slot of `before` on; page by page."""
    after = point_id(key, slot_of(before) + timedelta(minutes=1), 1) if before else None
    while page := cloud().catalogue.restore_points.newest(key, after=after, most=_PAGE):
        yield from page
        after = page[-1].id


def _is_older(point: RestorePoint, before: datetime | None) -> bool:
    return before is None or (point.taken is not None and point.taken < before)
