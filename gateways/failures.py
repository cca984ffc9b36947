"""What Azure's failures mean: whether asking again may help, and when.

Classified as collected from Azure's own error lists and public clients. HTTP status alone does not tell:
`OperationNotAllowed` is throttling, quota or state; a 409 may be a name clash or only a busy resource.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from json import JSONDecodeError

from azure.core.exceptions import (
    AzureError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from domain.errors import Absent, CloudError, Conflicting, Refused, Transient

_BUSY = {
    "AnotherOperationInProgress", "RetryableErrorDueToAnotherOperation", "OperationPreempted",
    "TableBeingDeleted", "ContainerBeingDeleted",
}  # fmt: skip
_BROKEN = {
    "InternalServerError", "InternalExecutionError", "InternalOperationError", "InternalError",
    "ServerBusy", "OperationTimedOut", "ServiceUnavailable", "ServerTimeout",
}  # fmt: skip
_ABSENT = {
    "ResourceNotFound", "NotFound", "ParentResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound",
    "CopySourceNotFound", "BlobNotFound", "ContainerNotFound", "TableNotFound", "EntityNotFound",
}  # fmt: skip
GROUP_MISSING = {"ResourceGroupNotFound", "SubscriptionNotFound"}  # what is looked for cannot be made there
_CONCURRENT = "concurrent request"  # ARM says `Conflict` also of what is not allowed at all


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise the domain's errors instead of the SDK's; `what` names the thing in the message."""
    try:
        yield
    except (AzureError, JSONDecodeError) as failure:  # the SDK lets some answers' JSON errors through
        raise _translate(what, failure) from failure


def _translate(what: str, failure: Exception) -> CloudError:
    if isinstance(failure, (DecodeError, JSONDecodeError)):  # cut off on its way, or not from Azure at all
        return Transient("AnswerUnreadable", f"{what}: the answer cannot be read ({failure})")
    if isinstance(failure, HttpResponseError) and failure.response is not None:
        return _of_response(what, failure)
    if isinstance(failure, (ServiceRequestError, ServiceResponseError)):
        return Transient("ConnectionFailed", f"{what}: no answer from Azure ({failure})")
    return Refused(type(failure).__name__, f"{what}: {failure}")


def _of_response(what: str, failure: HttpResponseError) -> CloudError:
    status = failure.status_code or 0
    code = _code(failure)
    message = f"{what}: {code}: {_first_line(failure)}"
    if status == 429 or _is_throttled(failure):
        return Transient("TooManyRequests", message, _retry_after(failure))
    if code in _BUSY or (code == "Conflict" and _CONCURRENT in str(failure)):
        return Transient(code, message, _retry_after(failure))
    if status in (408, 500, 502, 503, 504) or code in _BROKEN:
        return Transient(code, message, _retry_after(failure))
    if code in _ABSENT or (status == 404 and code == "404"):
        return Absent(code, message)
    return Conflicting(code, message) if status == 409 else Refused(code, message)


def _is_throttled(failure: HttpResponseError) -> bool:
    details = getattr(failure.error, "details", None) or []
    return any(getattr(detail, "code", None) == "TooManyRequests" for detail in details)


def _code(failure: HttpResponseError) -> str:
    told = getattr(failure.error, "code", None) or getattr(failure, "error_code", None)
    return str(getattr(told, "value", told) or failure.status_code)


def _first_line(failure: HttpResponseError) -> str:
    told = getattr(failure.error, "message", None) or failure.message or str(failure)
    return next(iter(str(told).splitlines()), "no reason given")


def _retry_after(failure: HttpResponseError) -> timedelta | None:
    headers = getattr(failure.response, "headers", {})
    told = headers.get("Retry-After")
    return timedelta(seconds=int(told)) if told and told.isdigit() else None
