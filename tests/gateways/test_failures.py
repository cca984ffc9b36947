"""What Azure's failures mean, told by the exceptions that the real SDK raises for documented answers."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import requests

from domain.errors import Absent, Conflicting, Refused, Transient
from gateways.compute import Compute
from gateways.snapshots import Snapshots
from settings import Identity
from simulator.transport import transport
from simulator.wire import ConnectionDropped, Headers, Response
from tests.gateways.scripted import COMPUTE, Script, Token, error
from tests.gateways.told_failures import failure_of

# The documented body of throttling: unwrapped, with the reason in the details (azure-semantics.md §5).
THROTTLED = {
    "code": "OperationNotAllowed",
    "message": "The server rejected the request because too many requests have been received for this "
    "subscription.",
    "details": [
        {
            "code": "TooManyRequests",
            "target": "HighCostGet",
            "message": json.dumps({"operationGroup": "HighCostGet", "allowedRequestCount": 300}),
        }
    ],
}
TWENTY_MINUTES = timedelta(minutes=20)
BUSY = "The request failed due to conflict with a concurrent request. To resolve it, try again later."


@pytest.mark.parametrize(
    ("answer", "code", "retry_after"),
    [
        pytest.param(
            Response.of_json(429, THROTTLED, {"Retry-After": "1200"}),
            "TooManyRequests",
            TWENTY_MINUTES,
            id="throttled, unwrapped, as documented",
        ),
        pytest.param(
            Response.of_json(429, {"error": THROTTLED}, {"Retry-After": "1200"}),
            "TooManyRequests",
            TWENTY_MINUTES,
            id="throttled, wrapped as other errors are",
        ),
        pytest.param(
            Response.of_json(409, {"error": THROTTLED}, {"Retry-After": "7"}),
            "TooManyRequests",
            timedelta(seconds=7),
            id="OperationNotAllowed is throttling where the details say so, whatever the status",
        ),
        pytest.param(Response(429), "TooManyRequests", None, id="throttled without a body or a time"),
        pytest.param(
            error(409, "TooManyRequests", "Slow down.", {"Retry-After": "7"}),
            "TooManyRequests",
            timedelta(seconds=7),
            id="throttled, told by the code alone",
        ),
        pytest.param(error(409, "Conflict", BUSY), "Conflict", None, id="another request is at work"),
        pytest.param(
            error(
                409,
                "Conflict",
                "Run command extension execution is in progress. Please wait for completion before invoking "
                "a run command.",
            ),
            "Conflict",
            None,
            id="another Run Command is at work on the VM",
        ),
        pytest.param(
            error(409, "AnotherOperationInProgress", "Another operation is in progress."),
            "AnotherOperationInProgress",
            None,
            id="another operation is at work",
        ),
        pytest.param(
            error(429, "RetryableErrorDueToAnotherOperation", "Retry later.", {"Retry-After": "4"}),
            "TooManyRequests",
            timedelta(seconds=4),
            id="another operation, told as throttling",
        ),
        pytest.param(
            error(409, "OperationPreempted", "The operation has been preempted by a more recent one."),
            "OperationPreempted",
            None,
            id="preempted",
        ),
        pytest.param(
            error(500, "InternalServerError", "Encountered internal server error."),
            "InternalServerError",
            None,
            id="Azure's own fault",
        ),
        pytest.param(
            error(409, "InternalExecutionError", "An internal execution error occurred."),
            "InternalExecutionError",
            None,
            id="Azure's own fault, whatever the status",
        ),
        pytest.param(
            error(409, "VMRestorePointInternalError", "An internal error occurred."),
            "VMRestorePointInternalError",
            None,
            id="Azure's own fault at a native restore point",
        ),
        pytest.param(
            error(409, "ZonalAllocationFailed", "We do not have sufficient capacity in this zone."),
            "ZonalAllocationFailed",
            None,
            id="no room at this moment",
        ),
        pytest.param(Response(503), "503", None, id="unavailable without a body"),
        pytest.param(
            Response(503, Headers({"Retry-After": "30", "Content-Type": "text/html"}), b"<html>Busy</html>"),
            "503",
            timedelta(seconds=30),
            id="unavailable, told by something in between",
        ),
        pytest.param(Response(502), "502", None, id="bad gateway"),
        pytest.param(Response(504), "504", None, id="gateway timeout"),
        pytest.param(ConnectionDropped(), "ConnectionFailed", None, id="dropped before an answer"),
        pytest.param(
            ConnectionDropped(Response.of_json(200, {"properties": {}}), cut_after_bytes=5),
            "AnswerUnreadable",
            None,
            id="dropped in the middle of the answer",
        ),
        pytest.param(requests.ConnectTimeout("slow"), "ConnectionFailed", None, id="no connection in time"),
        pytest.param(requests.ReadTimeout("slow"), "ConnectionFailed", None, id="no answer in time"),
        pytest.param(
            Response(200, Headers({"Content-Type": "application/json"}), b"<html>proxy</html>"),
            "AnswerUnreadable",
            None,
            id="an answer that is not Azure's",
        ),
    ],
)
def test_asking_again_may_help(
    answer: Response | Exception, code: str, retry_after: timedelta | None
) -> None:
    failure = failure_of(answer)
    assert isinstance(failure, Transient)
    assert failure.code == code
    assert failure.retry_after == retry_after


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(
            error(409, "Conflict", "The disk cannot be changed while it is attached."),
            "Conflict",
            id="what the state does not allow is told as a conflict too",
        ),
        pytest.param(
            error(409, "OperationNotAllowed", "Operation could not be completed as it exceeds the quota."),
            "OperationNotAllowed",
            id="a quota, not throttling",
        ),
        pytest.param(
            error(409, "OperationNotAllowed", "CopyStart creation is not supported for this subscription."),
            "OperationNotAllowed",
            id="not offered",
        ),
        pytest.param(
            error(409, "SnapshotsLimitReached", "The snapshot count was exceeded for a disk."),
            "SnapshotsLimitReached",
            id="only pruning helps",
        ),
        pytest.param(
            error(400, "InvalidParameter", "Entity not of expected type"), "InvalidParameter", id="our fault"
        ),
        pytest.param(
            error(403, "AuthorizationFailed", "The client does not have authorization."),
            "AuthorizationFailed",
            id="no right to it",
        ),
        pytest.param(error(409, "ScopeLocked", "The scope is locked."), "ScopeLocked", id="locked"),
        pytest.param(
            error(409, "MissingSubscriptionRegistration", "The subscription is not registered to use it."),
            "MissingSubscriptionRegistration",
            id="nobody registers it behind the user's back",
        ),
        pytest.param(Response(400), "400", id="no body"),
    ],
)
def test_asking_again_does_not_help(answer: Response, code: str) -> None:
    failure = failure_of(answer)
    assert isinstance(failure, Refused)
    assert not isinstance(failure, Absent)
    assert failure.code == code


@pytest.mark.parametrize(
    "code",
    [
        "ResourceNotFound", "NotFound", "ParentResourceNotFound", "ResourceGroupNotFound",
        "SubscriptionNotFound", "CopySourceNotFound",
    ],
)  # fmt: skip
def test_what_is_not_there_is_absent(code: str) -> None:
    failure = failure_of(error(404, code, "The Resource was not found."))
    assert isinstance(failure, Absent)
    assert failure.code == code


def test_nothing_there_without_a_body_is_absent() -> None:
    assert isinstance(failure_of(Response(404)), Absent)


def test_the_message_has_azures_words_in_one_line() -> None:
    told = failure_of(error(400, "InvalidParameter", "The size is too small.\r\nTarget: 'disk'"))
    assert str(told) == "snapshot web: InvalidParameter: The size is too small."


def test_an_error_without_words_is_told_all_the_same() -> None:
    assert "BadRequest" in str(failure_of(error(400, "BadRequest", "")))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("SnapshotsLimitReached", "The snapshot count was exceeded for a disk."),
        ("ScopeLocked", "The scope is locked."),
        (
            "OperationNotAllowed",
            "Operation could not be completed as it results in exceeding approved quota.",
        ),
        ("ResourceGroupBeingDeleted", "The resource group is in deprovisioning state."),
    ],
)
def test_a_409_that_names_nothing_in_the_way_is_no_conflict(code: str, message: str) -> None:
    failure = failure_of(error(409, code, message))
    assert isinstance(failure, Refused)
    assert not isinstance(failure, Conflicting)


def test_a_409_of_which_nobody_knows_more_is_a_conflict() -> None:
    assert isinstance(failure_of(error(409, "OperationNotAllowed", "A copy is under way.")), Conflicting)


def test_the_cause_is_kept_for_the_log() -> None:
    failure = failure_of(Response(503))
    assert failure.__cause__ is not None


def test_a_missing_group_is_not_taken_for_a_missing_snapshot() -> None:
    snapshot = f"{COMPUTE}/snapshots/web"
    for code in ("ResourceGroupNotFound", "SubscriptionNotFound"):
        script = Script(error(404, code, "It could not be found."))
        with pytest.raises(Absent, match=code):
            Snapshots(
                Compute(Token(), "https://management.azure.com", transport(script), identity=Identity.BACKUP)
            ).find(snapshot)
