"""Steps that find what a crash has left lying, so that it goes on or is ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import azure.durable_functions as df

from activities.announcing import announce
from activities.restore_points import LostPoint
from activities.starting import is_at_work
from domain.copies import CopyQueue
from domain.events import Event, EventName
from domain.operations import Operation, OperationState
from domain.requests import BackupRequest, Start
from durable import Client, activity, client_activity, from_wire
from gateways.connection import cloud

blueprint = df.Blueprint()

STUCK = timedelta(hours=24)


@dataclass(frozen=True)
class Sweep:
    """One sweep over what is under way."""


@activity(blueprint)
def find_open_queues(sweep: Sweep) -> list[CopyQueue]:
    """List the copy queues that may have something to do."""
    return cloud().catalogue.copy_queues.all_open()


@client_activity(blueprint)
async def find_lost_points(sweep: Sweep, client: Client) -> list[LostPoint]:
    """List the points that are being taken by nobody: the orchestration of each has ended without a word.

    A point is written into the overview by its own orchestration, so one that stands there and has none at
    work is lost, unless it was decided in between, which whoever records it sees.
    """
    running = [vm for vm in cloud().catalogue.vms.all() if vm.running]
    return [
        LostPoint(vm.key, vm.running)
        for vm in running
        if vm.running and not await is_at_work(f"backup:{vm.running}", client)
    ]


@dataclass(frozen=True)
class Days:
    """The days whose operations to look at."""

    days: tuple[str, ...]


@activity(blueprint)
def settle_accepted_operations(days: Days) -> list[Start]:
    """End the accepted operations that another request has overtaken; list those to be started.

    A crash between accepting and starting leaves one to be started, one between losing a race and recording
    that an overtaken one. A restore that is under way is listed too: it is started only if nobody is at work
    on it, and then finishes what was begun. Safe to repeat: what is over stays as it was, and what is started
    twice is started once.
    """
    operations = cloud().catalogue.operations
    open_ones = [
        operation for day in days.days for operation in operations.of_day(day) if not operation.state.is_over
    ]
    for operation in open_ones:
        _tell_if_stuck(operation)
    return [
        Start(operation.orchestrator, operation.instance, operation.request, may_follow=True)
        for operation in open_ones
        if _is_to_start(operation)
    ]


def _is_to_start(operation: Operation) -> bool:
    if operation.kind != "backup":
        return True  # nobody else has its instance
    return operation.state is OperationState.ACCEPTED and not _is_overtaken(operation)


def _tell_if_stuck(operation: Operation) -> None:
    age = cloud().now() - operation.asked
    if age > STUCK:
        message = f"{operation.kind} of {operation.subject} is {operation.state} since {operation.asked}"
        announce(Event(EventName.OPERATION_STUCK, operation.id, message))


def _is_overtaken(operation: Operation) -> bool:
    connected, request = cloud(), from_wire(BackupRequest, operation.request)
    point = connected.catalogue.restore_points.find(request.point)
    if point is None or point.operation == operation.id:
        return False
    reason = f"restore point {point.id} was taken for another request, which came first"
    connected.catalogue.operations.alter(operation.id, lambda known: known.failed(reason, connected.now()))
    return True
