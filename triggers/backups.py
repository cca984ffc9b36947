"""POST backups: take a restore point of a VM now."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import azure.durable_functions as df
from pydantic import Field

from domain.errors import Absent, Busy, Fault, InvalidInput, KeyReused, NotFound
from domain.fleet import chosen_policy
from domain.names import slot_of
from domain.operations import OperationState
from domain.policy import Policy
from domain.requests import BackupRequest
from domain.restore_points import PointState, RestorePoint, next_attempt, taken_in
from domain.vms import EXCLUDE_TAG, POLICY_TAG, VirtualMachine
from durable import Client
from gateways.connection import cloud
from triggers.acceptance import Asked, Plan, StartHeaders, begun
from triggers.documents import form
from triggers.fields import PolicyName, VmReference
from triggers.identity import Caller, Role
from triggers.operations import OperationDocument, accepted_answer
from triggers.routing import Accepted, endpoint

blueprint = df.Blueprint()


@form
class BackupOrder:
    """Which VM to back up, and how."""

    vm: VmReference
    policy: Annotated[PolicyName | None, Field(description="Left out: the one that protects the VM.")] = None


@endpoint(
    blueprint,
    "POST",
    "backups",
    role=Role.OPERATOR,
    summary="Take a restore point of a VM now",
    problems=(NotFound, Busy, KeyReused),
)
async def start_backup(
    headers: StartHeaders, body: BackupOrder, caller: Caller, client: Client
) -> Accepted[OperationDocument]:
    asked = Asked("backup", body, caller, headers.idempotency_key, cloud().now())
    return accepted_answer(await begun(asked, functools.partial(plan_backup, body), client))


def plan_backup(order: BackupOrder, asked: Asked) -> Plan:
    """Look at the VM as it is now and say which restore point is to be taken of it.

    Raises NotFound if there is no such VM, InvalidInput if it cannot be backed up, Busy if it is being, or
    was in this very minute: a slot has one available point.
    """
    vm = _described(order.vm)
    policies = cloud().policies
    policy = policies.policies.get(order.policy or chosen_policy(vm, policies) or "")
    faults = [*_exclusion(vm), *_protection_faults(vm, policy)]
    if policy is None or faults:
        raise InvalidInput(f"VM '{vm.name}'", faults)
    slot = slot_of(asked.now)
    points = _points_of_idle(vm, asked.now)
    taken = taken_in(points, slot)
    if taken:
        message = (
            f"restore point {taken.id} of VM '{vm.name}' was taken in this minute; ask again in the next"
        )
        raise Busy(message, taken.operation, taken.id)
    attempt = next_attempt(points, slot)
    return Plan("backup_vm", vm.key, BackupRequest(vm.id, slot, attempt, policy, asked.id))


def _described(reference: str) -> VirtualMachine:
    connected = cloud()
    vm_id = reference
    if not reference.startswith("/"):
        known = connected.catalogue.vms.find(reference)
        if known is None:
            raise NotFound(f"no VM is known under the key '{reference}'; give its ARM id, or look at GET vms")
        vm_id = known.id
    try:
        return connected.virtual_machines.describe(vm_id)
    except Absent as absent:
        raise NotFound(str(absent)) from absent


def _exclusion(vm: VirtualMachine) -> Iterator[Fault]:
    if vm.is_excluded:
        yield Fault(
            "vm",
            f"the tag {EXCLUDE_TAG}=true of VM '{vm.name}' says that no restore points are taken of it, "
            "whatever policy is named; take the tag off the VM if one is wanted",
        )


def _protection_faults(vm: VirtualMachine, policy: Policy | None) -> list[Fault]:
    """Say all that keeps a VM from being backed up; `policy` is None where nothing chooses a known one."""
    if policy is not None:
        return vm.protection_faults(policy)
    missing = "is missing, and no selector chooses the VM, so name a policy"
    found = f"names {vm.policy!r}" if vm.policy else missing
    known = ", ".join(sorted(cloud().policies.policies))
    message = f"the tag {POLICY_TAG} of VM '{vm.name}' {found}; known are {known}"
    return [Fault("policy", message), *vm.protection_faults(None)]


def _points_of_idle(vm: VirtualMachine, now: datetime) -> Sequence[RestorePoint]:
    """Return the newest points of a VM; raises Busy if one is being taken, or is about to be.

    The operations come first: one that ceases to be merely accepted has its point in the catalogue by then.
    The overview is not asked, for it is a step behind the points.
    """
    catalogue = cloud().catalogue
    for day in (now, now - timedelta(days=1)):
        for operation in catalogue.operations.of_day(f"{day:%Y%m%d}"):
            if operation.subject == vm.key and operation.state is OperationState.ACCEPTED:
                message = f"a backup of VM '{vm.name}' is about to begin; ask again when it is done"
                raise Busy(message, operation.id)
    points = catalogue.restore_points.newest(vm.key)
    for point in points:
        if point.state is PointState.BEGUN:
            message = f"restore point {point.id} of VM '{vm.name}' is being taken; ask again when it is done"
            raise Busy(message, point.operation, point.id)
    return points
