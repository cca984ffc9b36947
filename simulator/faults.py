"""Faults planted in the simulated cloud, each of which has to be met.

    cloud.faults.fail("PUT", "/snapshots/", status=429, retry_after=20)
    cloud.faults.fail("PUT", r"/snapshots/web-.*", status=500, after_executing=True, times=2)
    cloud.faults.drop("GET", "comp=pagelist")
    cloud.faults.cut("GET", "/disks/web.vhd", after_bytes=1000)
    cloud.faults.delay("POST", "/beginGetAccess", by=timedelta(minutes=2))
    cloud.faults.fail_operation("PUT", "/disks/", code="InternalExecutionError")
    ...
    cloud.faults.verify_all_met()

A fault meets the calls whose method is the same and in whose path, or whole URL without the scheme, its
pattern (a regular expression, letters of either case) is found: after leaving out the first `skip` of them,
the next `times`. If several match, the one planted first is met, and only that one. A storage host fails with
the codes and the XML of the storage service, everything else as Resource Manager does.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from simulator.arm.errors import ArmError
from simulator.arm.operations import Failure
from simulator.arm.throttling import too_many_requests
from simulator.data_plane.errors import StorageError
from simulator.wire import Headers, Request, Response

CODES = {
    400: "BadRequest",
    403: "AuthorizationFailed",
    404: "NotFound",
    409: "Conflict",
    412: "PreconditionFailed",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}
STORAGE_CODES = {
    400: "InvalidHeaderValue",
    403: "AuthorizationPermissionMismatch",
    404: "BlobNotFound",
    409: "PendingCopyOperation",
    412: "ConditionNotMet",
    429: "TooManyRequests",
    501: "NotImplemented",
    503: "ServerBusy",
}
MESSAGES = {409: "The request failed due to conflict with a concurrent request."}


@dataclass
class Fault:
    """One planted fault: which calls it meets, and what it does to them."""

    effect: Literal["fail", "drop", "cut", "delay", "fail operation"]
    method: str
    pattern: re.Pattern[str]
    times: int
    skip: int
    after_executing: bool = False
    status: int = 0
    failure: Failure | None = None
    retry_after: int | None = None
    by: timedelta = timedelta()
    after_bytes: int | None = None
    body: Any = field(default=None, repr=False)

    @property
    def interrupts(self) -> bool:
        """Whether the call gets another answer than its own, or none."""
        return self.effect in ("fail", "drop", "cut")

    def takes(self, request: Request) -> bool:
        """Tell whether the fault meets this call, and count it."""
        if self.times == 0 or request.method != self.method or not self._is_found_in(request):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True

    def _is_found_in(self, request: Request) -> bool:
        query = "&".join(f"{name}={value}" for name, value in request.query.items())
        url = f"{request.host}{request.path}?{query}"
        return bool(self.pattern.search(request.path) or self.pattern.search(url))

    def storage_response(self, headers: Headers, now: datetime) -> Response:
        """Return what a storage host answers instead of its own; `headers` are those of all its answers."""
        code = self.failure.code if self.failure else STORAGE_CODES.get(self.status, "InternalError")
        message = self.failure.message if self.failure else None
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        return StorageError(code, status=self.status, message=message).response(headers, now)

    def response(self, now: datetime) -> Response:
        """Return the answer that the call gets instead of its own."""
        headers = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
        if self.body is not None:
            return Response.of_json(self.status, self.body, headers)
        if self.status == 429 and self.failure is None:
            return too_many_requests("HighCostGet", self.retry_after or 1200, 300, now)
        failure = self.failure or Failure(
            CODES.get(self.status, "InternalServerError"), MESSAGES.get(self.status, "A planted fault.")
        )
        return ArmError(self.status, failure.code, failure.message, headers=headers).response()


class Faults:
    """All faults planted in one cloud."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def fail(
        self,
        method: str,
        path: str,
        *,
        status: int,
        code: str | None = None,
        message: str = "A planted fault.",
        body: Any = None,
        retry_after: int | None = None,
        times: int = 1,
        skip: int = 0,
        after_executing: bool = False,
    ) -> None:
        """Answer with an error; `after_executing`: after the call has had its effect.

        Without `code`, a 429 has the documented body, and any other status the code that usually goes with
        it. `body` is a whole JSON body of one's own.
        """
        failure = Failure(code, message) if code else None
        self._plant(
            Fault(
                "fail",
                method,
                _pattern(path),
                times,
                skip,
                after_executing,
                status,
                failure,
                retry_after,
                body=body,
            )
        )

    def drop(
        self, method: str, path: str, *, times: int = 1, skip: int = 0, after_executing: bool = False
    ) -> None:
        """End the connection without an answer, before or after the call has had its effect."""
        self._plant(Fault("drop", method, _pattern(path), times, skip, after_executing))

    def cut(
        self, method: str, path: str, *, after_bytes: int | None = None, times: int = 1, skip: int = 0
    ) -> None:
        """End the connection within the body of the answer: after so many bytes of it, or after half."""
        fault = Fault("cut", method, _pattern(path), times, skip, after_executing=True)
        fault.after_bytes = after_bytes
        self._plant(fault)

    def delay(self, method: str, path: str, *, by: timedelta, times: int = 1, skip: int = 0) -> None:
        """Let the call take that much virtual time before it has its effect."""
        self._plant(Fault("delay", method, _pattern(path), times, skip, by=by))

    def fail_operation(
        self,
        method: str,
        path: str,
        *,
        code: str = "InternalExecutionError",
        message: str = "An internal execution error occurred. Please retry later.",
        times: int = 1,
        skip: int = 0,
    ) -> None:
        """Accept the call, and let its operation end as Failed (or Canceled, with code OperationPreempted).
        Calls that are refused, or begin no operation, do not count."""
        failure = Failure(code, message)
        self._plant(Fault("fail operation", method, _pattern(path), times, skip, failure=failure))

    def meet(self, request: Request) -> Fault | None:
        """Return the fault that this call meets."""
        if not self._faults:
            return None
        with self._lock:
            return next((fault for fault in self._faults if fault.takes(request)), None)

    def give_back(self, fault: Fault) -> None:
        """Count a fault as not met after all: the call began no operation that could fail."""
        with self._lock:
            fault.times += 1

    def verify_all_met(self) -> None:
        """Raise AssertionError naming every fault that was not met as often as it was planted for."""
        if self.unmet:
            raise AssertionError(f"Planted faults that no call has met: {'; '.join(self.unmet)}")

    @property
    def unmet(self) -> list[str]:
        """Every fault that was not met as often as it was planted for, in words."""
        return [
            f"{fault.effect} {fault.method} {fault.pattern.pattern!r} ({fault.times} more)"
            for fault in self._faults
            if fault.times
        ]

    def _plant(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(path, re.IGNORECASE)
