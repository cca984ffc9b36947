"""What a reader of a disk or snapshot has to fetch: all that holds bytes, or what differs from an older one.

Source: azure-semantics.md §4.2. Own choices, where the documentation is silent. The previous snapshot
    unknown, of another family, or its SAS revoked or expired    PreviousSnapshotNotFound
    newer than this one, or this one itself                      PreviousSnapshotCannotBeNewer
    a disk, an upload or a full snapshot on either side, or a
    resize across 4 TiB between the two                          PreviousSnapshotOperationNotSupported
    asked for in a version before 2019-07-07                     UnsupportedHeader
"""

from __future__ import annotations

from functools import partial

from simulator.data_plane.access import Access, AccessTable
from simulator.data_plane.errors import StorageError
from simulator.data_plane.page_lists import RangesWithin
from simulator.data_plane.vhd import Vhd
from simulator.wire import Request

PREVIOUS_SNAPSHOT = "x-ms-previous-snapshot-url"

_PREVIOUS_SINCE = "2019-07-07"
_RESIZE_BOUNDARY = 4 * 1024**4


def asked_ranges(accesses: AccessTable, access: Access, request: Request, version: str) -> RangesWithin:
    """Return what gives the ranges that a request with `comp=pagelist` asks for; raises StorageError."""
    if "prevsnapshot" in request.query:
        value = request.query["prevsnapshot"]
        raise StorageError("InvalidQueryParameterValue", name="prevsnapshot", value=value)
    url = request.headers.get(PREVIOUS_SNAPSHOT)
    if url is None:
        return access.blob.page_ranges
    if version < _PREVIOUS_SINCE:
        raise StorageError("UnsupportedHeader", name=PREVIOUS_SNAPSHOT, value=url)
    newer, older = _compared(accesses, access, url)
    return partial(newer.changes_since, older)


def _compared(accesses: AccessTable, access: Access, url: str) -> tuple[Vhd, Vhd]:
    try:
        previous = accesses.find_url(url)
    except ValueError:
        raise StorageError("InvalidHeaderValue", name=PREVIOUS_SNAPSHOT, value=url) from None
    if previous is None:
        raise StorageError("PreviousSnapshotNotFound")
    newer, older = access.blob, previous.blob
    if access.family_id is None or previous.family_id is None:
        raise StorageError("PreviousSnapshotOperationNotSupported")
    if previous.family_id != access.family_id:
        raise StorageError("PreviousSnapshotNotFound")
    if previous.resource_id == access.resource_id or previous.created > access.created:
        raise StorageError("PreviousSnapshotCannotBeNewer")
    if not isinstance(newer, Vhd) or not isinstance(older, Vhd):
        raise StorageError("PreviousSnapshotOperationNotSupported")
    if older.disk_bytes <= _RESIZE_BOUNDARY < newer.disk_bytes:
        raise StorageError("PreviousSnapshotOperationNotSupported")
    return newer, older
