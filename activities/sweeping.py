"""Steps that find what a crash has left lying, so that it goes on or is ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import azure.durable_functions as df

from activities.announcing import announce
from activities.copies import CopyOrder
from activities.restore_points import LostPoint
from activities.starting import copy_worker, is_at_work
from domain.events import Event, EventName
from domain.operations import Operation, OperationState
from domain.policy import Backlog
from domain.requests import BackupRequest, Start
from domain.restore_points import PointState
from durable import Client, client_activity, from_wire, to_wire
from gateways.connection import cloud

blueprint = df.Blueprint()

STUCK = timedelta(hours=24)
FARTHEST_BACK = 30  # days
MINUTES_BETWEEN_LOOKS = 5  # as the timer of the watch has it


@dataclass(frozen=True)
class Sweep:
    """One sweep over what is under way; operations are looked for on `days` (YYYYMMDD)."""

    days: tuple[str, ...]


@dataclass(frozen=True)
class Unattended:
    """What nobody is at work on: points that are lost or not sent, and orchestrations to be started."""

    lost: tuple[LostPoint, ...]
    unsent: tuple[CopyOrder, ...]
    starts: tuple[Start, ...]


@client_activity(blueprint)
async def find_unattended(sweep: Sweep, client: Client) -> Unattended:
    """List what should be under way and has no orchestration at work.

    A point is written into the overview by its own orchestration, so one that stands there as running and
    has none at work is lost, unless it was decided in between, which whoever records it sees.
    Safe to repeat: it ends the operations that another request has overtaken and the backups that nobody has
    taken for a day, and else only looks.
    """
    vms = await asyncio.to_thread(cloud().catalogue.vms.all)
    lost = [LostPoint(vm.key, vm.running) for vm in vms if vm.running]
    unsent = [point for vm in vms for point in vm.unsent if not await is_at_work(f"backup:{point}", client)]
    starts = await asyncio.to_thread(_expected, sweep)
    return Unattended(
        tuple([point for point in lost if not await is_at_work(f"backup:{point.point}", client)]),
        tuple(await asyncio.to_thread(list, _orders(unsent))),
        tuple([start for start in starts if not await is_at_work(start.instance, client)]),
    )


def _orders(points: Sequence[str]) -> Iterator[CopyOrder]:
    """Yield the copies to queue of points whose own orchestration has ended before it came to that."""
    connected = cloud()
    locations = connected.policies.locations
    for name in points:
        point = connected.catalogue.restore_points.find(name)
        if point and all(location in locations for location in point.recovery):
            policy = connected.policies.policies.get(point.policy)
            backlog = policy.backlog if policy else Backlog.EVERY
            yield CopyOrder(point, tuple(locations[location] for location in point.recovery), backlog)


def _expected(sweep: Sweep) -> list[Start]:
    """List the orchestrations that ought to be at work.

    A crash between accepting an operation and starting it leaves one to be started, one between losing a race
    and recording that an overtaken one. A restore that was begun is finished by whoever is started next.
    """
    catalogue = cloud().catalogue
    operations = [operation for day in _days(sweep) for operation in catalogue.operations.of_day(day)]
    open_ones = [operation for operation in operations if not operation.state.is_over]
    for operation in open_ones:
        _tell_if_stuck(operation)
        _end_if_lost(operation)
    asked = [start for operation in open_ones if (start := _start(operation))]
    return asked + [copy_worker(queue) for queue in catalogue.copy_queues.all_open()]


def _days(sweep: Sweep) -> list[str]:
    """Return the days whose operations are looked at; with the first look of a day those of a month.

    An app that was away for longer than the days of the sweep has left a restore that nobody finishes, and
    whose point would be kept for ever.
    """
    now = cloud().now()
    is_first = now.hour == 0 and now.minute < MINUTES_BETWEEN_LOOKS
    month = (f"{now - timedelta(days=age):%Y%m%d}" for age in range(FARTHEST_BACK)) if is_first else ()
    return list(dict.fromkeys((*sweep.days, *month)))


def _start(operation: Operation) -> Start | None:
    """Return what an open operation needs to be at work; None where the sweep leaves it to others."""
    if operation.kind == "backup" and operation.state is OperationState.RUNNING:
        return _retake(operation)
    if operation.kind == "backup" and _is_overtaken(operation):
        return None
    return Start(operation.orchestrator, operation.instance, operation.request, may_follow=True)


def _retake(operation: Operation) -> Start | None:
    """Return the second attempt of a backup whose disks were taken too far apart.

    The first one starts it, unless it was ended in between. Only such a first attempt has failed without an
    operation; where the second one has been taken already, whoever is started tells the operation of it.
    """
    request = _request(operation)
    point = cloud().catalogue.restore_points.find(request.point) if request else None
    if request is None or point is None or point.state is not PointState.FAILED or point.operation:
        return None
    again = request.retake
    return Start("backup_vm", again.instance, to_wire(again), may_follow=True)


def _tell_if_stuck(operation: Operation) -> None:
    age = cloud().now() - operation.asked
    if age > STUCK:
        message = f"{operation.kind} of {operation.subject} is {operation.state} since {operation.asked}"
        announce(Event(EventName.OPERATION_STUCK, operation.id, message))


def _end_if_lost(operation: Operation) -> None:
    """End a backup that runs for longer than any can: what it began was ended from outside."""
    connected = cloud()
    now = connected.now()
    is_running_backup = operation.kind == "backup" and operation.state is OperationState.RUNNING
    if is_running_backup and now - operation.asked > STUCK:
        reason = "nobody has been taking its restore point for a day; ask again"
        connected.catalogue.operations.alter(operation.id, lambda known: known.failed(reason, now))


def _is_overtaken(operation: Operation) -> bool:
    connected, request = cloud(), _request(operation)
    point = connected.catalogue.restore_points.find(request.point) if request else None
    if point is None or point.operation == operation.id:
        return False
    reason = f"restore point {point.id} was taken for another request, which came first"
    connected.catalogue.operations.alter(operation.id, lambda known: known.failed(reason, connected.now()))
    return True


def _request(operation: Operation) -> BackupRequest | None:
    """Return what a backup was asked for with; None where another version wrote it, in a form of its own.

    That must not hold up the others; when a day has passed it is told as stuck.
    """
    try:
        return from_wire(BackupRequest, operation.request)
    except ValueError:
        return None
