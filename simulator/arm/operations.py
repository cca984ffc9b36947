"""Long-running operations: accepted at once, finished later, looked at in between.

What goes over the wire is what recorded traffic shows (azure-semantics §1.3): `Azure-AsyncOperation` and
`Location` (the same URL with `monitor=true`), disks and snapshots under `DiskOperations`, the rest under
`operations`, no `Retry-After` for disks and snapshots, and signed parameters that make the URL several
thousand characters long. A failed operation is told with HTTP 200.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator.arm.errors import ArmError
from simulator.arm.resources import Resource, timestamp
from simulator.wire import Headers, Response

Document = dict[str, Any]
DISK_OPERATIONS = "DiskOperations"
OPERATIONS = "operations"


@dataclass(frozen=True)
class Failure:
    """How an operation fails: an error code and a message."""

    code: str
    message: str

    @property
    def status(self) -> str:
        """The status of the operation: one that another has overtaken is canceled (azure-semantics §8)."""
        return "Canceled" if self.code == "OperationPreempted" else "Failed"


@dataclass(eq=False)
class Operation:
    """One long-running operation; `subject` is the key of the resource that it changes."""

    id: str
    group: str
    path: str
    location: str
    subject: str
    started: datetime
    ended: datetime | None = None
    failure: Failure | None = None
    output: Document | None = None

    def document(self) -> Document:
        """Return what a GET of the Azure-AsyncOperation URL answers."""
        told: Document = {"startTime": timestamp(self.started)}
        if self.ended is None:
            return told | {"status": "InProgress", "name": self.id}
        told["endTime"] = timestamp(self.ended)
        if self.failure:
            error = {"code": self.failure.code, "message": self.failure.message}
            return told | {"status": self.failure.status, "error": error, "name": self.id}
        told["status"] = "Succeeded"
        if self.output is not None:
            told["properties"] = {"output": self.output}
        return told | {"name": self.id}

    def monitored(self, location: str) -> Response:
        """Return what a GET of the Location URL answers: 202 while it runs, then the result itself."""
        if self.ended is None:
            return Response(202, Headers({"location": location}))
        if self.failure:
            return ArmError(409, self.failure.code, self.failure.message).response()
        return Response.of_json(200, self.output) if self.output is not None else Response(200)


@dataclass(frozen=True)
class States:
    """What `provisioningState` is while an operation runs, when it has succeeded, when it has failed."""

    meanwhile: str
    then: str = "Succeeded"
    if_failed: str = "Failed"


CREATING, UPDATING, DELETING = States("Creating"), States("Updating"), States("Deleting", "Deleting")


@dataclass(frozen=True)
class Work:
    """What an operation does: how long it takes, and what happens when it ends well or badly.

    `finish` gets the moment at which it ends and returns the operation's output, if it has one. It may raise
    `ArmError`: then the operation fails with that code. `undo` runs when the operation fails. Without
    `states`, the operation leaves the provisioning state of its resource alone.
    """

    takes: timedelta
    finish: Callable[[datetime], Document | None]
    undo: Callable[[], None] = lambda: None
    states: States | None = UPDATING


class Operations:
    """Every operation that was ever accepted. They are never forgotten (Azure forgets them; when is
    unknown)."""

    def __init__(self) -> None:
        self._operations: dict[str, Operation] = {}

    def add(self, operation: Operation) -> None:
        self._operations[operation.id] = operation

    def find(self, operation_id: str) -> Operation | None:
        return self._operations.get(operation_id.lower())


def urls(base_url: str, operation: Operation, api_version: str) -> tuple[str, str]:
    """Return the Azure-AsyncOperation URL and the Location URL of an operation."""
    start = f"{base_url}{operation.path}?p={operation.group}"
    version = f"&api-version={api_version}"
    signature = _signature(operation)
    return f"{start}{version}{signature}", f"{start}&monitor=true{version}{signature}"


def end(operation: Operation, resource: Resource, work: Work, moment: datetime) -> None:
    """Finish an operation: run its work, or fail it where that was planted or the work refuses."""
    resource.is_changing = False
    operation.ended = moment
    try:
        if operation.failure is None:
            if work.states is not None:
                resource.provisioning_state = work.states.then
            operation.output = work.finish(moment)
            return
    except ArmError as error:
        operation.failure = Failure(error.code, error.message)
    if work.states is not None:
        resource.provisioning_state = work.states.if_failed
    work.undo()


def _signature(operation: Operation) -> str:
    """Return parameters as long as those by which Azure signs its operation URLs."""
    digest = hashlib.sha512(operation.id.encode()).hexdigest()
    return f"&t={int(operation.started.timestamp() * 1000)}&c={digest * 12}&s={digest * 3}&h={digest[:43]}"
