"""Fields that several documents share: ids, keys, names and pages, each checked before anything is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from domain.names import checked_vm_key, operation_day, point_parts
from domain.vms import vm_address
from gateways.connection import cloud
from triggers.documents import Known

MOST_PER_PAGE = 100


def _checked_point(point: str) -> str:
    point_parts(point)
    return point


def _checked_operation(operation: str) -> str:
    operation_day(operation)
    return operation


def _checked_vm(reference: str) -> str:
    if not reference.startswith("/"):
        return checked_vm_key(reference)
    subscription = vm_address(reference).subscription
    known = cloud().policies.subscriptions
    if subscription.lower() not in [name.lower() for name in known]:
        raise ValueError(
            f"subscription {subscription} is not one that the policy file names; it has {', '.join(known)}"
        )
    return reference


# pydantic would take digits alone for seconds since 1970; nobody who writes 20261122 means that.
def _day(text: Any) -> Any:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else text
    except ValueError as wrong:
        raise ValueError(f"{text!r} is not a day; one looks like 2026-11-22") from wrong


def _moment(text: Any) -> Any:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else text
    except ValueError as wrong:
        raise ValueError(f"{text!r} is not a moment; one looks like 2026-11-22T16:00:00Z") from wrong


VmKey = Annotated[str, AfterValidator(checked_vm_key), Field(examples=["web-0123456789ab"])]
VmReference = Annotated[
    str,
    AfterValidator(_checked_vm),
    Field(description="The VM's ARM id, or its key as the overview has it.", examples=["web-0123456789ab"]),
]
PointId = Annotated[
    str, AfterValidator(_checked_point), Field(examples=["web-0123456789ab~20261122T1600Z~1"])
]
OperationId = Annotated[
    str, AfterValidator(_checked_operation), Field(examples=["20261122-0123456789abcdef0123"])
]
PolicyName = Annotated[str, Known("policy", lambda: cloud().policies.policies)]
LocationName = Annotated[str, Known("location", lambda: cloud().policies.locations)]
PageSize = Annotated[int, Field(ge=1, le=MOST_PER_PAGE, description="How many at most.")]
# Wide enough for every backup, narrow enough that no time zone leads out of the calendar.
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC)),
]
Day = Annotated[date, BeforeValidator(_day)]
