"""Steps that keep watch over the fleet."""

from __future__ import annotations

from dataclasses import dataclass

import azure.durable_functions as df

from domain.copies import CopyQueue
from domain.fleet import due_backup
from domain.operations import Operation, OperationState
from domain.protection import ProtectedVm
from domain.requests import BackupRequest, Start
from domain.vms import POLICY_TAG, VirtualMachine
from durable import activity, from_wire
from gateways.connection import cloud

blueprint = df.Blueprint()


@dataclass(frozen=True)
class Watch:
    """One look at the fleet."""


@activity(blueprint)
def find_due_backups(watch: Watch) -> list[BackupRequest]:
    """List the protected VMs and say which of them are due for a restore point."""
    connected = cloud()
    due = []
    for subscription in connected.policies.subscriptions:
        for vm in connected.virtual_machines.tagged(subscription, POLICY_TAG):
            request = _due(vm)
            if request:
                due.append(request)
    return due


@activity(blueprint)
def find_open_queues(watch: Watch) -> list[CopyQueue]:
    """List the copy queues that may have something to do."""
    return cloud().catalogue.copy_queues.all_open()


@dataclass(frozen=True)
class Days:
    """The days whose operations to look at."""

    days: tuple[str, ...]


@activity(blueprint)
def settle_accepted_operations(days: Days) -> list[Start]:
    """End the accepted operations that another request has overtaken; list the others, to be started.

    A crash between accepting and starting leaves the latter, one between losing a race and recording that the
    former. Safe to repeat: what is over stays as it was, and what is started twice is started once.
    """
    operations = cloud().catalogue.operations
    accepted = [
        operation
        for day in days.days
        for operation in operations.of_day(day)
        if operation.state is OperationState.ACCEPTED
    ]
    return [
        Start(operation.orchestrator, operation.instance, operation.request, may_follow=True)
        for operation in accepted
        if not _is_overtaken(operation)
    ]


def _is_overtaken(operation: Operation) -> bool:
    if operation.kind != "backup":
        return False  # nobody else has its instance
    connected, request = cloud(), from_wire(BackupRequest, operation.request)
    point = connected.catalogue.restore_points.find(request.point)
    if point is None or point.operation == operation.id:
        return False
    reason = f"restore point {point.id} was taken for another request, which came first"
    connected.catalogue.operations.alter(operation.id, lambda known: known.failed(reason, connected.now()))
    return True


def _due(vm: VirtualMachine) -> BackupRequest | None:
    connected = cloud()
    policy = connected.policies.policies.get(vm.policy or "")
    if policy is None:
        return None  # nothing is known of that policy; the overview does not tell it yet
    known = connected.catalogue.vms.find(vm.key) or ProtectedVm.of(vm, policy.name)
    return due_backup(known, policy, connected.now())
