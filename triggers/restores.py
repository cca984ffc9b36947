"""POST restores: bring a restore point back, disks or a whole VM, in a location of the caller's choice."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import azure.durable_functions as df
from pydantic import AfterValidator, Field

from domain.errors import Fault, InvalidInput, KeyReused, NotFound
from domain.names import point_id, slot_of, vm_key
from domain.networks import SubnetAddress, subnet_faults
from domain.requests import RestoreRequest, Wanted
from domain.restore_points import ReplicaState, RestorePoint
from domain.restored_machines import machine_faults
from domain.restores import disk_faults
from durable import Client
from gateways.connection import cloud
from triggers.acceptance import Asked, Plan, StartHeaders, begun
from triggers.documents import form
from triggers.fields import LocationName, Moment, PointId, VmReference
from triggers.identity import Caller, Role
from triggers.operations import OperationDocument, accepted_answer
from triggers.restore_points import found_point
from triggers.routing import Accepted, endpoint
from triggers.vms import found_vm

blueprint = df.Blueprint()

_PAGE = 50
_VM_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_])?")


def _checked_name(name: str) -> str:
    if not _VM_NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name for a VM: 1 to 64 letters, digits, dots, underscores and hyphens, "
            "beginning with a letter or a digit, not ending in a dot or a hyphen"
        )
    return name


def _checked_subnet(subnet: str) -> str:
    return SubnetAddress.parse(subnet).id


@form
class RestoreOrder:
    """What to bring back, and where: a restore point, or the newest of a VM, if need be before a moment.

    `what` is its disks, all or those that `disks` names, or the whole VM as it was recorded.
    """

    location: Annotated[LocationName, Field(description="Where the data is, and where all is made.")]
    restore_point: PointId | None = None
    vm: VmReference | None = None
    before: Annotated[
        Moment | None, Field(description="With `vm`: all disks of the restore point are older than this.")
    ] = None
    what: Literal["disks", "vm"] = "disks"
    disks: Annotated[
        tuple[str, ...] | None, Field(min_length=1, description="Left out: all disks of the restore point.")
    ] = None
    name: Annotated[
        Annotated[str, AfterValidator(_checked_name)] | None,
        Field(description="What the VM will be called. Left out: as it was.", examples=["web-restored"]),
    ] = None
    subnet: Annotated[
        Annotated[str, AfterValidator(_checked_subnet)] | None,
        Field(description="The ARM id of the subnet that the VM will be in. Left out: the location's."),
    ] = None

    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Find fields that do not go together."""
        if ("restorePoint" in given) == ("vm" in given):
            yield Fault("restorePoint", "give either restorePoint or vm, one of the two")
        if "before" in given and "vm" not in given:
            yield Fault("before", "this goes with vm: a restorePoint has its moment already")
        is_for_vm = given.get("what") == "vm"
        for field in ("name", "subnet"):
            if field in given and not is_for_vm:
                yield Fault(field, "this goes with what: vm alone; disks alone are in no VM")
        if "disks" in given and is_for_vm:
            yield Fault("disks", "this goes with what: disks alone; a VM comes back with all its disks")


@endpoint(
    blueprint,
    "POST",
    "restores",
    role=Role.RESTORER,
    summary="Bring back the disks of a restore point, or the whole VM",
    problems=(NotFound, KeyReused),
)
async def start_restore(
    headers: StartHeaders, body: RestoreOrder, caller: Caller, client: Client
) -> Accepted[OperationDocument]:
    asked = Asked("restore", body, caller, headers.idempotency_key, cloud().now())
    return accepted_answer(await begun(asked, functools.partial(plan_restore, body), client))


def plan_restore(order: RestoreOrder, asked: Asked) -> Plan:
    """Say what is to be brought back. Asks the catalogue alone: the home region may be gone.

    Raises NotFound if there is no such point, InvalidInput if it cannot be restored from the location, as far
    as that can be told without asking Azure.
    """
    point = found_point(order.restore_point) if order.restore_point else _newest(order)
    location = cloud().policies.locations[order.location]
    request = RestoreRequest(
        operation=asked.id,
        point=point.id,
        location=replace(location, subnet_id=order.subnet or location.subnet_id),
        what=Wanted(order.what),
        disks=order.disks or (),
        vm_name=(order.name or point.vm.name) if order.what == "vm" else "",
    )
    faults = [*_replica_faults(point, order.location), *_request_faults(point, request)]
    if faults:
        raise InvalidInput(f"Restore point {point.id}", faults)
    return Plan("restore", point.id, request)


def _replica_faults(point: RestorePoint, location: str) -> Iterator[Fault]:
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


def _request_faults(point: RestorePoint, request: RestoreRequest) -> Iterator[Fault]:
    disks = [part.disk for part in point.disks]
    yield from disk_faults(disks, request.location, request.disks)
    if request.is_for_vm:
        yield from machine_faults(point.vm, disks)
        yield from subnet_faults(request.location)


def _newest(order: RestoreOrder) -> RestorePoint:
    """Return the newest point of a VM that is available in the location and old enough.

    Raises NotFound that says whether it is the VM that is not known, or only such a point.
    """
    assert order.vm is not None  # see contradictions
    key = vm_key(order.vm) if order.vm.startswith("/") else order.vm
    for point in _points_of(key, order.before):
        is_available = point.replicas.get(order.location) is ReplicaState.AVAILABLE
        if is_available and _is_older(point, order.before):
            return point
    found_vm(key)
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
