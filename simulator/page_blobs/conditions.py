"""Conditions on blobs: If-Match and its like, and those on the sequence number.

Source: "Specifying conditional headers for Blob service operations" (Azure Storage REST). Leases are not
simulated: no blob has one, so a lease that a request names is not there.
"""

from __future__ import annotations

import operator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from simulator.data_plane.errors import StorageError
from simulator.page_blobs.blobs import BlobState
from simulator.wire import Headers, Request

_SEQUENCE = {"le": operator.le, "lt": operator.lt, "eq": operator.eq}


def check_conditions(request: Request, state: BlobState | None) -> bool:
    """Hold a request's conditions against the blob (None: it is not there); return whether the answer is 304.

    Raises StorageError 412, or 409 BlobAlreadyExists where nothing was to be written over.
    """
    headers, is_read = request.headers, request.method in ("GET", "HEAD")
    if "x-ms-lease-id" in headers:
        raise StorageError("LeaseNotPresentWithBlobOperation")
    needed, unwanted = headers.get("if-match"), headers.get("if-none-match")
    if needed is not None and (state is None or needed not in ("*", state.etag)):
        raise StorageError("ConditionNotMet")
    if state is None:
        return False
    if not _was_left(headers, state):
        raise StorageError("ConditionNotMet")
    if unwanted not in ("*", state.etag) and _was_modified(headers, state):
        return False
    if not is_read:
        raise StorageError("BlobAlreadyExists" if unwanted == "*" else "ConditionNotMet")
    return True


def check_sequence_number(headers: Headers, state: BlobState) -> None:
    """Hold the conditions on the sequence number against a blob; raises StorageError 412."""
    for name, compare in _SEQUENCE.items():
        value = headers.get(f"x-ms-if-sequence-number-{name}")
        if value is None:
            continue
        if not value.isdigit():
            raise StorageError("InvalidHeaderValue", name=f"x-ms-if-sequence-number-{name}", value=value)
        if not compare(state.sequence_number, int(value)):
            raise StorageError("SequenceNumberConditionNotMet")


def _was_modified(headers: Headers, state: BlobState) -> bool:
    since = _moment(headers, "if-modified-since")
    return since is None or state.modified >= since + timedelta(seconds=1)


def _was_left(headers: Headers, state: BlobState) -> bool:
    since = _moment(headers, "if-unmodified-since")
    return since is None or state.modified < since + timedelta(seconds=1)


def _moment(headers: Headers, name: str) -> datetime | None:
    value = headers.get(name)
    if value is None:
        return None
    try:
        return parsedate_to_datetime(value).astimezone(UTC)
    except ValueError:
        raise StorageError("InvalidHeaderValue", name=name, value=value) from None
