"""Problem documents: every answer that is not what was asked for (RFC 9457), with all faults at once."""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import azure.functions as func

from domain.errors import (
    Busy,
    InvalidInput,
    KeyReused,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Refused,
    TidemarkError,
    Transient,
)
from triggers.documents import document, render
from triggers.release import path_of

_log = logging.getLogger("tidemark.triggers")

MEDIA_TYPE = "application/problem+json"
_ASK_AGAIN = timedelta(seconds=10)  # where Azure names no time


class Unexpected(Exception):
    """Something that nobody thought of; the log knows it under the incident's id."""


class WrongMethod(TidemarkError):
    """A path that exists was asked with a method that it does not take; `allowed` are those it takes."""

    code = "WrongMethod"

    def __init__(self, message: str, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.allowed = tuple(allowed)


@dataclass(frozen=True)
class Kind:
    """One kind of problem. Its name is the key of its description in the OpenAPI document."""

    name: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """The URI of the problem's type: where the OpenAPI document describes it."""
        return f"{path_of('openapi.json')}#/components/responses/{self.name}"


KINDS: dict[type[Exception], Kind] = {
    InvalidInput: Kind("InvalidInput", 400, "The request has faults; nothing was started"),
    NotSignedIn: Kind("NotSignedIn", 401, "Nobody knows who asks"),
    NotAllowed: Kind("NotAllowed", 403, "Who asks has not the role that is needed"),
    NotFound: Kind("NotFound", 404, "There is nothing of that name"),
    WrongMethod: Kind("WrongMethod", 405, "The path does not take that method"),
    Busy: Kind("Busy", 409, "Another operation is at work on the same thing; nothing was started"),
    KeyReused: Kind("KeyReused", 422, "The idempotency key stands for another request already"),
    Unexpected: Kind("Unexpected", 500, "Something unexpected went wrong"),
    Refused: Kind("Refused", 502, "Azure refused what was needed; asking again will not help"),
    Transient: Kind("Transient", 503, "Azure does not answer as it should; asking again may help"),
}


@document
class FaultDocument:
    """One thing wrong with a request: where, and what to do about it."""

    field: str
    message: str


@document
class ProblemDocument:
    """Why a request was not carried out. `errors` lists every fault; links are left out where none fits."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: tuple[FaultDocument, ...] | None = None
    operation: str | None = None
    restore_point: str | None = None
    incident: str | None = None


def problem(failure: Exception, instance: str) -> func.HttpResponse:
    """Answer with the problem that a failure is; `instance` is the path that was asked for."""
    if not isinstance(failure, tuple(KINDS)):
        return _unexpected(failure, instance)
    kind = next(KINDS[cause] for cause in type(failure).__mro__ if cause in KINDS)
    links = _links(failure) if isinstance(failure, Busy) else {}
    errors = None
    if isinstance(failure, InvalidInput):
        errors = tuple(FaultDocument(fault.field, fault.message) for fault in failure.faults)
    return _answer(
        ProblemDocument(kind.type, kind.title, kind.status, str(failure), instance, errors, **links),
        _headers(failure),
    )


def _unexpected(failure: Exception, instance: str) -> func.HttpResponse:
    """Answer without internals: they go to the log, under an id that the answer names."""
    incident = uuid.uuid4().hex
    _log.error("incident %s at %s", incident, instance, exc_info=failure)
    kind = KINDS[Unexpected]
    detail = (
        f"this should not happen, and asking again may help; if not, the function app's log has the reason "
        f"as incident {incident}"
    )
    return _answer(
        ProblemDocument(kind.type, kind.title, kind.status, detail, instance, incident=incident), {}
    )


def _links(busy: Busy) -> dict[str, str]:
    links = {}
    if busy.operation:
        links["operation"] = path_of("operations", busy.operation)
    if busy.point:
        links["restore_point"] = path_of("restore-points", busy.point)
    return links


def _headers(failure: Exception) -> dict[str, str]:
    if isinstance(failure, NotSignedIn):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(failure, WrongMethod):
        return {"Allow": ", ".join(failure.allowed)}
    if isinstance(failure, Transient):
        return {"Retry-After": str(math.ceil((failure.retry_after or _ASK_AGAIN).total_seconds()))}
    return {}


def _answer(told: ProblemDocument, headers: dict[str, str]) -> func.HttpResponse:
    return func.HttpResponse(
        render(told, omit_none=True),
        status_code=told.status,
        headers={"Cache-Control": "no-store", **headers},
        mimetype=MEDIA_TYPE,
    )
