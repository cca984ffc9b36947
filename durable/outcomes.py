"""What a step came to, and the replies in which that crosses the boundary.

A reply has one of three shapes: `{"done": result}`, `{"failed": {code, message}}` or
`{"transient": {code, message, delay_seconds}}`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from domain.errors import TidemarkError, Transient
from durable.wire import from_wire, to_wire

Result = TypeVar("Result")

_STILL = " (still so after many tries)"
_log = logging.getLogger("tidemark.durable")


@dataclass(frozen=True)
class Done(Generic[Result]):
    """A step did what it was asked for."""

    value: Result


@dataclass(frozen=True)
class Failed:
    """A step failed for good, or was still failing after all repetitions (`is_transient`)."""

    code: str
    message: str
    is_transient: bool = False


Outcome: TypeAlias = "Done[Result] | Failed"


def done(kind: Any, result: Any) -> dict[str, Any]:
    """Return the reply of a step that did what it was asked for."""
    return {"done": to_wire(result, kind)}


def failure(step: str, raised: Exception) -> dict[str, Any]:
    """Return the reply of a step that raised something."""
    if isinstance(raised, Transient):
        seconds = raised.retry_after.total_seconds() if raised.retry_after else None
        return {"transient": {"code": raised.code, "message": str(raised), "delay_seconds": seconds}}
    if isinstance(raised, TidemarkError):
        return {"failed": {"code": raised.code, "message": str(raised)}}
    _log.error("%s failed unexpectedly", step, exc_info=raised)
    return {"failed": {"code": "UnexpectedError", "message": f"{type(raised).__name__}: {raised}"}}


def ended_from_outside(told: Exception) -> dict[str, Any]:
    """Return what stands for the reply of a step that gave none: somebody, or the host, ended it."""
    return {"failed": {"code": "EndedFromOutside", "message": f"it was ended from outside: {told}"}}


def outcome(kind: Any, reply: dict[str, Any]) -> Outcome[Any]:
    """Return what the last reply of a step means."""
    if "done" in reply:
        return Done(from_wire(kind, reply["done"]))
    if "failed" in reply:
        return Failed(reply["failed"]["code"], reply["failed"]["message"])
    told = reply["transient"]
    is_said = _STILL in told["message"]  # by a step of the orchestration that passes it on
    message = told["message"] if is_said else told["message"] + _STILL
    return Failed(told["code"], message, is_transient=True)
