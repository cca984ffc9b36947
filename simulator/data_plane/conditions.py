"""Conditions on a blob: If-Match and its like, and those on the sequence number.

Sources: "Specifying conditional headers for Blob service operations" (Azure Storage REST);
azure-semantics.md §4.7. An ETag counts with or without quotes. Reading takes any conditions together, and
lists of ETags; writing takes one condition with one ETag, or one of the two pairs in which the condition on
the ETag alone counts. What is not met is refused for a copy by other codes: `as_target`, `as_source`. Leases
are not simulated: no blob has one, so a lease that a request names is not there.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from simulator.data_plane.errors import StorageError
from simulator.wire import Headers

CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")

_PAIRS = ({"if-match", "if-unmodified-since"}, {"if-none-match", "if-modified-since"})
_SEQUENCE = {"le": operator.le, "lt": operator.lt, "eq": operator.eq}


@dataclass(frozen=True)
class Stamp:
    """What a blob is held against."""

    etag: str
    modified: datetime


def check_read(headers: Headers, stamp: Stamp) -> None:
    """Hold the conditions of a request that reads against the blob; raises StorageError: 412 or 304
    ConditionNotMet, 400 UnsatisfiableCondition for If-None-Match with an asterisk."""
    if not check_lease(headers):
        return
    if headers.get("if-none-match") == "*":
        raise StorageError("UnsatisfiableCondition")
    needed, unwanted = _etags(headers, "if-match"), _etags(headers, "if-none-match")
    if (needed and not _names(needed, stamp)) or not _was_left(headers, stamp):
        raise StorageError("ConditionNotMet")
    is_known, was_modified = _names(unwanted, stamp), _was_modified(headers, stamp)
    if unwanted and "if-modified-since" in headers:
        is_unmet = is_known and not was_modified
    else:
        is_unmet = is_known or not was_modified
    if is_unmet:
        raise StorageError("ConditionNotMet", status=304)


def check_write(headers: Headers, stamp: Stamp | None) -> None:
    """Hold the conditions of a request that writes against the blob (None: it is not there).

    Raises StorageError: 412 ConditionNotMet, 409 BlobAlreadyExists where nothing was to be written over, 400
    MultipleConditionHeadersNotSupported.
    """
    if not check_lease(headers):
        return
    _require_single(headers)
    needed, unwanted = _etags(headers, "if-match"), _etags(headers, "if-none-match")
    if stamp is None:
        if needed:
            raise StorageError("ConditionNotMet")
        return
    if unwanted == ["*"]:
        raise StorageError("BlobAlreadyExists")
    if needed or unwanted:
        is_met = _names(needed, stamp) if needed else not _names(unwanted, stamp)
    else:
        is_met = _was_left(headers, stamp) and _was_modified(headers, stamp)
    if not is_met:
        raise StorageError("ConditionNotMet")


def check_sequence_number(headers: Headers, number: int) -> None:
    """Hold the conditions on the sequence number against a blob's; raises StorageError 412."""
    for name, compare in _SEQUENCE.items():
        value = headers.get(f"x-ms-if-sequence-number-{name}")
        if value is None:
            continue
        if not (value.isascii() and value.isdigit()):
            raise StorageError("InvalidHeaderValue", name=f"x-ms-if-sequence-number-{name}", value=value)
        if not compare(number, int(value)):
            raise StorageError("SequenceNumberConditionNotMet")


def check_lease(headers: Headers) -> bool:
    """Refuse a lease that a request names; tell whether there are conditions beside it."""
    if "x-ms-lease-id" in headers:
        raise StorageError("LeaseNotPresentWithBlobOperation")
    return any(name in headers for name in CONDITIONS)


def as_target(error: StorageError) -> StorageError:
    """Return how Copy Blob says what `check_write` has found."""
    return StorageError("TargetConditionNotMet") if error.code == "ConditionNotMet" else error


def as_source(error: StorageError) -> StorageError:
    """Return how Copy Blob says what `check_read` has found of its source."""
    return StorageError("SourceConditionNotMet") if error.code == "ConditionNotMet" else error


def source_conditions(headers: Headers) -> dict[str, str]:
    """Return the conditions on the source of a copy, named as those on a blob are."""
    found = {name: headers.get(f"x-ms-source-{name}") for name in CONDITIONS}
    return {name: value for name, value in found.items() if value is not None}


def _require_single(headers: Headers) -> None:
    given = {name for name in CONDITIONS if name in headers}
    several = len(given) > 1 and given not in _PAIRS
    if several or any(len(_etags(headers, name)) > 1 for name in ("if-match", "if-none-match")):
        raise StorageError("MultipleConditionHeadersNotSupported")


def _etags(headers: Headers, name: str) -> list[str]:
    return [each.strip().strip('"') for each in headers.get(name, "").split(",") if each.strip()]


def _names(etags: list[str], stamp: Stamp) -> bool:
    return "*" in etags or stamp.etag.strip('"') in etags


def _was_modified(headers: Headers, stamp: Stamp) -> bool:
    since = _moment(headers, "if-modified-since")
    return since is None or stamp.modified >= since + timedelta(seconds=1)


def _was_left(headers: Headers, stamp: Stamp) -> bool:
    since = _moment(headers, "if-unmodified-since")
    return since is None or stamp.modified < since + timedelta(seconds=1)


def _moment(headers: Headers, name: str) -> datetime | None:
    value = headers.get(name)
    if value is None:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        raise StorageError("InvalidHeaderValue", name=name, value=value) from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
