"""What Azure's failures mean: whether asking again may help, and when.

Classified as collected from Azure's own error lists and public clients. HTTP status alone does not tell:
`OperationNotAllowed` is throttling, quota or state; a 409 may be a name clash or only a busy resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from email.utils import parsedate_to_datetime
from json import JSONDecodeError
from typing import TypeVar

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from domain.errors import Absent, CloudError, Conflicting, Refused, Transient

Model = TypeVar("Model")

_BUSY = {
    "AnotherOperationInProgress", "RetryableErrorDueToAnotherOperation", "OperationPreempted",
    "TableBeingDeleted", "ContainerBeingDeleted",
}  # fmt: skip
_BROKEN = {
    "InternalServerError", "InternalExecutionError", "InternalOperationError", "InternalError",
    "VMRestorePointInternalError", "ServerBusy", "OperationTimedOut", "ServiceUnavailable", "ServerTimeout",
}  # fmt: skip
_FULL = {  # the region or zone has no room for it at this moment
    "AllocationFailed", "ZonalAllocationFailed", "OverconstrainedAllocationRequest",
    "OverconstrainedZonalAllocationRequest",
}  # fmt: skip
_FINAL = {  # Azure sends these with 409 too, though nothing that passes is in the way
    "SnapshotsLimitReached", "ScopeLocked", "QuotaExceeded", "ResourceQuotaExceeded", "SkuNotAvailable",
    "RegionDoesNotAllowProvisioning", "MissingSubscriptionRegistration", "ResourceGroupBeingDeleted",
    "PropertyChangeNotAllowed", "RequestDisallowedByPolicy",
}  # fmt: skip
_ABSENT = {
    "ResourceNotFound", "NotFound", "ParentResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound",
    "CopySourceNotFound", "BlobNotFound", "ContainerNotFound", "TableNotFound", "EntityNotFound",
}  # fmt: skip
GROUP_MISSING = {"ResourceGroupNotFound", "SubscriptionNotFound"}  # what is looked for cannot be made there
# ARM says `Conflict` also of what is not allowed at all; these are its words for what passes.
_CONCURRENT = ("concurrent request", "Run command extension execution is in progress")
_TOLD_BY_AZURE = (400, 401, 403)  # what says no, and not that it is out of order


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise the domain's errors instead of the SDK's; `what` names the thing in the message."""
    try:
        yield
    except (AzureError, JSONDecodeError) as failure:  # the SDK lets some answers' JSON errors through
        raise _translate(what, failure) from failure


def found(what: str, read: Callable[[], Model]) -> Model | None:
    """Return what is read, or None if there is none; raises Absent if its group or subscription is missing.

    Then it could not be made there either, which is no answer to whether it is there.
    """
    try:
        with translated(what):
            return read()
    except Absent as absent:
        if absent.code in GROUP_MISSING:
            raise
        return None


def _translate(what: str, failure: Exception) -> CloudError:
    if isinstance(failure, (DecodeError, JSONDecodeError)):  # cut off on its way, or not from Azure at all
        return Transient("AnswerUnreadable", f"{what}: the answer cannot be read ({failure})")
    if isinstance(failure, ClientAuthenticationError) and failure.status_code not in _TOLD_BY_AZURE:
        # The SDK raises this too when the endpoint that gives tokens does not answer, or answers nonsense.
        return Transient("IdentityUnavailable", f"{what}: the app's identity got no token ({failure})")
    if isinstance(failure, HttpResponseError) and failure.response is not None:
        return _of_response(what, failure)
    if isinstance(failure, (ServiceRequestError, ServiceResponseError)):
        return Transient("ConnectionFailed", f"{what}: no answer from Azure ({failure})")
    return Refused(type(failure).__name__, f"{what}: {failure}")


def _of_response(what: str, failure: HttpResponseError) -> CloudError:
    status = failure.status_code or 0
    code = _code(failure)
    message = f"{what}: {code}: {_first_line(failure)}"
    headers: Mapping[str, str] = getattr(failure.response, "headers", {})
    if _is_throttled(failure):
        status = 429
    return classified(status, code, message, str(failure), headers)


def classified(status: int, code: str, message: str, told: str, headers: Mapping[str, str]) -> CloudError:
    """Return the domain's error for an answer that is none: `told` are Azure's own words, `message` ours."""
    if status == 429:
        return Transient(Transient.THROTTLED, message, _retry_after(headers))
    if _is_busy(code, told) or status in (408, 500, 502, 503, 504) or code in _BROKEN | _FULL:
        return Transient(code, message, _retry_after(headers))
    if code in _ABSENT or (status == 404 and code == "404"):
        return Absent(code, message)
    is_conflict = status == 409 and not _is_final(code, told)
    return Conflicting(code, message) if is_conflict else Refused(code, message)


def _is_throttled(failure: HttpResponseError) -> bool:
    details = getattr(failure.error, "details", None) or []
    codes = {getattr(told, "code", None) for told in (failure.error, *details)}
    return "TooManyRequests" in codes


def _is_busy(code: str, told: str) -> bool:
    return code in _BUSY or (code == "Conflict" and any(words in told for words in _CONCURRENT))


def _is_final(code: str, told: str) -> bool:
    return code in _FINAL or (code == "OperationNotAllowed" and "quota" in told.lower())


def _code(failure: HttpResponseError) -> str:
    told = getattr(failure.error, "code", None) or getattr(failure, "error_code", None)
    return str(getattr(told, "value", told) or failure.status_code)


def _first_line(failure: HttpResponseError) -> str:
    told = getattr(failure.error, "message", None) or failure.message or str(failure)
    return next(iter(str(told).splitlines()), "no reason given")


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return the time that Azure names, None if it names none that can be read.

    A date is measured against the answer's own `Date`, so that no clock but Azure's has a part in it.
    """
    if told := headers.get("retry-after") or headers.get("Retry-After"):
        span = _span(told, 1)
        return _until(told, headers.get("date") or headers.get("Date")) if span is None else span
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        if told := headers.get(name):
            return _span(told, 1000)
    return None


def _span(told: str, parts_of_a_second: int) -> timedelta | None:
    try:
        return max(timedelta(seconds=float(told) / parts_of_a_second), timedelta(0))
    except (ValueError, OverflowError):
        return None


def _until(told: str, sent: str | None) -> timedelta | None:
    try:
        return max(parsedate_to_datetime(told) - parsedate_to_datetime(sent or ""), timedelta(0))
    except (ValueError, TypeError):  # no date, or one of them without a time zone
        return None
