"""Fields that several documents share: ids, keys, names and pages, each checked before anything is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from domain.names import checked_vm_key, operation_day, point_parts
from domain.vms import vm_address
from gateways.connection import cloud
from triggers.documents import Known

Time = TypeVar("Time", date, datetime)

MOST_PER_PAGE = 100
# Wide enough for every backup, narrow enough that no time zone and no step to a day beside leads out of it.
FIRST_DAY = date(2000, 1, 1)
_FIRST, _END = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _checked_point(point: str) -> str:
    point_parts(point)
    return point


def _checked_operation(operation: str) -> str:
    operation_day(operation)
    return operation


def _checked_vm(reference: str) -> str:
    if not reference.startswith("/"):
        return checked_vm_key(reference)
    address, known = vm_address(reference), cloud().policies.scopes
    if not any(scope.holds(reference) for scope in known):
        named = ", ".join(scope.words for scope in known)
        raise ValueError(
            f"VMs of resource group {address.resource_group} in subscription {address.subscription} are not "
            f"looked for; the policy file names {named}"
        )
    return reference


def _in_the_calendar(found: Time, first: Time, end: Time) -> Time:
    if not first <= found < end:
        raise ValueError(
            f"{found.isoformat()} is outside {first.isoformat()} to {end.isoformat()}; correct it"
        )
    return found


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
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    AfterValidator(lambda moment: _in_the_calendar(moment, _FIRST, _END)),
]
Day = Annotated[
    date,
    BeforeValidator(_day),
    AfterValidator(lambda day: _in_the_calendar(day, FIRST_DAY, _END.date())),
]
