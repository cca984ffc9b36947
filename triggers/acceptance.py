"""Accepting what is asked for: once, however often it is asked, and written down before it is begun.

The same request is the same operation, whatever its state. The caller says what is the same by an
Idempotency-Key, which is remembered for this day and the next (UTC); without one it is the same caller asking
for the same thing in the same minute.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from activities.starting import start_orchestration
from domain.errors import Busy, KeyReused
from domain.names import operation_id, short_hash, slot_of, slot_text
from domain.operations import Operation, OperationState
from domain.requests import BackupRequest, RestoreRequest, Start
from domain.restore_points import PointState
from durable import Client, from_wire, to_wire
from gateways.connection import cloud
from triggers.documents import form, render
from triggers.identity import Caller

_log = logging.getLogger("tidemark.triggers")

KEY_HEADER = "Idempotency-Key"
_ENDED: dict[str, str] = {
    OperationState.SUCCEEDED: "has succeeded",
    PointState.AVAILABLE: "has succeeded",
    OperationState.FAILED: "has failed",  # a point's state is the same word
}


@form
class StartHeaders:
    """What a caller may say about a request that starts something."""

    idempotency_key: Annotated[
        str | None,
        Field(
            alias=KEY_HEADER,
            min_length=1,
            max_length=256,
            description="What makes a repeated request the same: kept until the end of the next day, UTC.",
        ),
    ] = None


@dataclass(frozen=True)
class Asked:
    """What somebody asks for, at one moment."""

    kind: str
    body: Any
    caller: Caller
    key: str | None
    now: datetime

    @property
    def fingerprint(self) -> str:
        """A hash of what is asked for."""
        return short_hash(self.kind, render(self.body).decode(), length=32)

    def id_on(self, day: datetime) -> str:
        """The id of the operation, if it was accepted on this day."""
        if self.key is not None:
            return operation_id(day, "key", self.caller.id, self.key)
        return operation_id(day, "asked", self.caller.id, self.fingerprint, slot_text(slot_of(self.now)))

    @property
    def id(self) -> str:
        """The id of the operation, if it is accepted now."""
        return self.id_on(self.now)


@dataclass(frozen=True)
class Plan:
    """What will be done: by which orchestration, to what, with which input."""

    orchestrator: str
    subject: str
    request: BackupRequest | RestoreRequest


async def begun(asked: Asked, plan: Callable[[Asked], Plan], client: Client) -> Operation:
    """Return the operation that a request stands for: an earlier one, or one that is accepted and begun now.

    `plan` runs only for a new one, and raises if it cannot be done; nothing is written then.
    """
    try:
        operation = await asyncio.to_thread(accepted, asked, plan)
    except Busy as busy:
        raise await _naming_the_holder(busy, client) from None
    if operation.state is OperationState.ACCEPTED:
        await _start(operation, client)
    return operation


def accepted(asked: Asked, plan: Callable[[Asked], Plan]) -> Operation:
    """Return the operation that stands for a request, written into the catalogue if it is new."""
    standing = _known(asked) or _new(asked, plan)
    if standing.fingerprint != asked.fingerprint:
        raise KeyReused(
            f"{KEY_HEADER} {asked.key!r} stands for {standing.kind} {standing.id}, which was asked for with "
            "another body; use a new key for a new request"
        )
    return standing


def _known(asked: Asked) -> Operation | None:
    days = (asked.now, asked.now - timedelta(days=1)) if asked.key is not None else (asked.now,)
    find = cloud().catalogue.operations.find
    return next(filter(None, (find(asked.id_on(day)) for day in days)), None)


def _new(asked: Asked, plan: Callable[[Asked], Plan]) -> Operation:
    try:
        planned = plan(asked)
    except Busy:
        # It may be busy with this very request, which somebody else has made at the same moment.
        if standing := _known(asked):
            return standing
        raise
    return cloud().catalogue.operations.accept(_operation(asked, planned))


def _operation(asked: Asked, plan: Plan) -> Operation:
    return Operation(
        id=asked.id,
        kind=asked.kind,
        who=asked.caller.who,
        asked=asked.now,
        subject=plan.subject,
        orchestrator=plan.orchestrator,
        instance=plan.request.instance,
        request=to_wire(plan.request),
        fingerprint=asked.fingerprint,
    )


async def _start(operation: Operation, client: Client) -> None:
    """Start what was accepted; raises Busy if another request holds the instance already.

    What cannot be started now is accepted all the same: the watch over the fleet starts it within minutes.
    """
    start = Start(operation.orchestrator, operation.instance, operation.request)
    try:
        is_started = await start_orchestration(start, client)
        holder = operation.id if is_started else await _operation_of(operation.instance, client)
    except Exception as failure:  # the SDK raises nothing more telling
        _log.warning("operation %s is accepted and not begun yet", operation.id, exc_info=failure)
        return
    if holder != operation.id:
        raise await asyncio.to_thread(_lost, operation, holder)


async def _naming_the_holder(busy: Busy, client: Client) -> Busy:
    """Return what to tell a caller: never an accepted operation that is itself about to lose to another."""
    find = cloud().catalogue.operations.find
    known = await asyncio.to_thread(find, busy.operation) if busy.operation else None
    if known is None or known.state is not OperationState.ACCEPTED:
        return busy
    try:
        holder = await _operation_of(known.instance, client)
    except Exception as failure:  # the SDK raises nothing more telling
        _log.info("who holds %s is not known", known.instance, exc_info=failure)
        return busy  # it is accepted, and nobody else is known to have begun
    return Busy(str(busy), holder, busy.point or from_wire(BackupRequest, known.request).point)


async def _operation_of(instance: str, client: Client) -> str | None:
    """Return the operation that an instance was started for; None where the schedule started it."""
    status = await client.get_status(instance, show_input=True)
    if status is None:
        raise LookupError(f"there is no instance {instance}")
    told = status.input_
    while isinstance(told, str):  # the client wraps the input in JSON twice, the host unwraps it once
        told = json.loads(told)
    return told.get("operation")


def _standing(point: str, holder: str | None) -> str:
    """Say how far who came first is with a restore point, and what to do."""
    catalogue = cloud().catalogue
    first = f"operation {holder}" if holder else "the schedule"
    found = catalogue.operations.find(holder) if holder else catalogue.restore_points.find(point)
    ended = _ENDED.get(found.state) if found else None
    if ended is None:
        return f"is being taken by {first}, which came first; ask again when it is over"
    # Under the same key this request stays the operation that has come too late.
    return f"was begun by {first}, which came first and {ended}; ask again with another {KEY_HEADER}"


def _lost(operation: Operation, holder: str | None) -> Busy:
    """Record that another request of the same minute was quicker; return what to tell the caller."""
    connected = cloud()
    point = from_wire(BackupRequest, operation.request).point
    message = f"restore point {point} {_standing(point, holder)}"
    connected.catalogue.operations.alter(operation.id, lambda known: known.failed(message, connected.now()))
    return Busy(message, holder, point)
