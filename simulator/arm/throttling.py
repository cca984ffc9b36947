"""Token buckets: how many calls Azure takes before it answers 429.

Numbers of virtual machines are documented (refill and capacity per minute, azure-semantics §5). Those of
disks and snapshots are not: the ones here are what the remaining-calls headers of recorded traffic (2023)
show, and deletes are assumed to cost as disk writes do. Resource Manager's own limits are the last published
ones; the wording of its refusal is the simulator's.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.arm.errors import ArmError
from simulator.arm.resources import timestamp
from simulator.wire import Response

MINUTE = timedelta(minutes=1)
THREE_MINUTES, HALF_HOUR, HOUR = 3 * MINUTE, 30 * MINUTE, 60 * MINUTE


@dataclass(frozen=True)
class Policy:
    """One limit: `capacity` calls at once, refilled by `refill` calls per `period`; for one resource, or for
    everything in a subscription and region."""

    name: str
    capacity: int
    refill: int
    period: timedelta = MINUTE
    per_resource: bool = False

    @property
    def group(self) -> str:
        """The name of the operation group, as the refusal tells it."""
        return self.name.removesuffix("SubscriptionMaximum").removesuffix("Resource")


def _machine(group: str, resource: tuple[int, int], region: tuple[int, int]) -> tuple[Policy, ...]:
    return (
        Policy(f"{group}SubscriptionMaximum", region[1], region[0]),
        Policy(f"{group}Resource", resource[1], resource[0], per_resource=True),
    )


def _windows(group: str, three_minutes: int, half_hour: int) -> tuple[Policy, ...]:
    return (
        Policy(f"{group}3Min", three_minutes, three_minutes, THREE_MINUTES),
        Policy(f"{group}30Min", half_hour, half_hour, HALF_HOUR),
    )


PUT_MACHINE = _machine("PutVM", (4, 12), (500, 1500))
UPDATE_MACHINE = _machine("UpdateVM", (4, 12), (500, 1500))
DELETE_MACHINE = _machine("DeleteVM", (4, 12), (500, 1500))
GET_MACHINE = _machine("LowCostGet", (12, 36), (8000, 24000))
GET_MACHINE_OPERATION = _machine("GetOperation", (15, 45), (5000, 15000))
LIST = (Policy("HighCostGetSubscriptionMaximum", 900, 300),)
PUT_DISK = _windows("CreateUpdateDisks", 3000, 25000)
DELETE_DISK = _windows("DeleteDisks", 3000, 25000)
PUT_SNAPSHOT = _windows("HighCostSnapshotCreateHydrate", 1000, 8000)
GET_DISK = _windows("LowCostGet", 15000, 120000)
GET_DISK_OPERATION = _windows("GetOperation", 50000, 400000)
UNLIMITED: tuple[Policy, ...] = ()

ARM_READS = Policy("reads", 12000, 12000, HOUR)
ARM_WRITES = Policy("writes", 1200, 1200, HOUR)
ARM_DELETES = Policy("deletes", 15000, 15000, HOUR)
_ARM_POLICY = {"GET": ARM_READS, "HEAD": ARM_READS, "DELETE": ARM_DELETES}


@dataclass
class _Bucket:
    tokens: float
    filled: datetime


class Throttles:
    """The buckets of one simulated cloud."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def spend_arm(self, method: str, principal: str, now: datetime) -> dict[str, str]:
        """Take one of a principal's calls to Resource Manager; return the header that tells what remains.

        Raises ArmError 429.
        """
        policy = _ARM_POLICY.get(method, ARM_WRITES)
        bucket = self._filled(policy, principal, now)
        if bucket.tokens < 1:
            raise ArmError(
                429,
                "SubscriptionRequestsThrottled",
                f"Number of '{policy.name}' requests for the subscription and principal exceeded the limit "
                f"of {policy.capacity} per hour. Please try again later.",
                headers={"retry-after": str(_wait(policy, bucket))},
            )
        bucket.tokens -= 1
        return {f"x-ms-ratelimit-remaining-subscription-{policy.name}": str(int(bucket.tokens))}

    def spend(
        self, policies: tuple[Policy, ...], region: str, resource: str, now: datetime
    ) -> tuple[dict[str, str], Response | None]:
        """Take one call from every bucket that the call costs.

        Return the header that tells what remains, or the documented refusal; a refused call costs nothing.
        """
        buckets = [
            self._filled(policy, resource if policy.per_resource else region, now) for policy in policies
        ]
        for policy, bucket in zip(policies, buckets, strict=True):
            if bucket.tokens < 1:
                return {}, too_many_requests(policy.group, _wait(policy, bucket), policy.capacity, now)
        for bucket in buckets:
            bucket.tokens -= 1
        remaining = ",".join(
            f"Microsoft.Compute/{policy.name};{int(bucket.tokens)}"
            for policy, bucket in zip(policies, buckets, strict=True)
        )
        return ({"x-ms-ratelimit-remaining-resource": remaining} if remaining else {}), None

    def _filled(self, policy: Policy, scope: str, now: datetime) -> _Bucket:
        bucket = self._buckets.setdefault((policy.name, scope), _Bucket(policy.capacity, now))
        fresh = (now - bucket.filled) / policy.period * policy.refill
        bucket.tokens = min(policy.capacity, bucket.tokens + fresh)
        bucket.filled = now
        return bucket


def too_many_requests(group: str, retry_after: int, allowed: int, now: datetime) -> Response:
    """Return Compute's refusal as documented: not wrapped in "error", the reason as JSON in a string."""
    reason = {
        "operationGroup": group,
        "startTime": timestamp(now),
        "endTime": timestamp(now + timedelta(seconds=retry_after)),
        "allowedRequestCount": allowed,
        "measuredRequestCount": allowed + 1,
    }
    body = {
        "code": "OperationNotAllowed",
        "message": "The server rejected the request because too many requests have been received for this "
        "subscription.",
        "details": [{"code": "TooManyRequests", "target": group, "message": json.dumps(reason)}],
    }
    return Response.of_json(429, body, {"retry-after": str(retry_after)})


def _wait(policy: Policy, bucket: _Bucket) -> int:
    seconds = (1 - bucket.tokens) / policy.refill * policy.period.total_seconds()
    return max(1, math.ceil(seconds))
