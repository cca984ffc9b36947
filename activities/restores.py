"""Steps that make disks, a network interface and a VM of a restore point, and record what came back.

Each may be repeated, also by a later run of the same restore: what is made has a name or a tag that follows
from the operation, and what is found under it is taken up.
"""

from __future__ import annotations

from dataclasses import dataclass

import azure.durable_functions as df

from domain.errors import Refused
from domain.networks import RestoredInterface
from domain.operations import Operation
from domain.requests import RestoreRequest
from domain.restore_outcomes import RestoreOutcome, elsewhere
from domain.restored_machines import MachinePlan, RestoredMachine
from domain.restores import DiskPlan, RestoredDisk
from durable import activity
from gateways.connection import cloud

blueprint = df.Blueprint()


@activity(blueprint)
def begin_disk(plan: DiskPlan) -> RestoredDisk:
    """Begin one disk, or take it up."""
    return cloud().disks.begin(plan).of(plan)


@activity(blueprint)
def look_at_disk(plan: DiskPlan) -> RestoredDisk:
    """Read how far one disk is."""
    disk = cloud().disks.find(plan.id)
    if disk is None:
        raise Refused("DiskMissing", f"disk {plan.id} was begun and is not there any more; restore again")
    return disk.of(plan)


@dataclass(frozen=True)
class MachineOrder:
    """Which VM to make, for which operation."""

    operation: str
    plan: MachinePlan


@activity(blueprint)
def begin_interface(order: MachineOrder) -> RestoredInterface:
    """Begin the network interface of a VM, or take it up. All its disks are ready then, and that is told."""
    disks = tuple(disk.disk_id for disk in order.plan.disks)
    cloud().catalogue.operations.alter(order.operation, lambda known: known.having_made(disks))
    return cloud().networks.begin_interface(order.plan.interface, order.operation)


@activity(blueprint)
def look_at_interface(order: MachineOrder) -> RestoredInterface:
    """Read how far the network interface of a VM is."""
    wanted = order.plan.interface.id
    interface = cloud().networks.find_interface(wanted)
    if interface is None:
        raise Refused(
            "InterfaceMissing",
            f"network interface {wanted} was begun and is not there any more; restore again",
        )
    return interface


@activity(blueprint)
def begin_machine(order: MachineOrder) -> RestoredMachine:
    """Begin a VM, or take it up. Its disks and its interface must be ready."""
    return cloud().restored_machines.begin(order.plan, order.operation)


@activity(blueprint)
def look_at_machine(order: MachineOrder) -> RestoredMachine:
    """Read how far a VM is, and which disks it has."""
    machine = cloud().restored_machines.find(order.plan.id)
    if machine is None:
        raise Refused(
            "MachineMissing", f"VM {order.plan.id} was begun and is not there any more; restore again"
        )
    return machine


@dataclass(frozen=True)
class RestoreRecord:
    """What became of a restore."""

    request: RestoreRequest
    outcome: RestoreOutcome


@activity(blueprint)
def record_restore(record: RestoreRecord) -> RestoreOutcome:
    """Write what became of a restore into its operation, and that it reads its point no longer.

    An operation that is over stays as it was. It ends before the point is released: who dies in between is
    followed by pruning, which releases it, and not by a restore whose point may be deleted by then.
    """
    connected, request, outcome = cloud(), record.request, record.outcome
    now, points = connected.now(), connected.catalogue.restore_points
    failure = outcome.failure
    if failure and outcome.may_work_elsewhere:
        point = points.find(request.point)
        failure = f"{failure}; {elsewhere(point, request.location.name)}"

    def ended(operation: Operation) -> Operation:
        if failure:
            return operation.failed(failure, now, outcome.told())
        return operation.succeeded(outcome.told(), now)

    connected.catalogue.operations.alter(request.operation, ended)
    points.alter(request.point, lambda known: known.released(request.operation))
    return outcome
