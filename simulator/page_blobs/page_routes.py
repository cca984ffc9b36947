"""Operations on pages: Put Page, Put Page From URL, Get Page Ranges with its differences.

Sources: those articles of the Azure Storage REST documentation; data_plane/page_writes.py and page_lists.py
for what the disks' own hosts have in common with this. Own choices:
- Clearing counts as a request and as no bytes.
- The difference to a snapshot from before the blob was written over as a whole is refused, as documented;
  to a snapshot from before its length changed it is told, as far as the blob reaches now.
"""

from __future__ import annotations

from functools import partial

from simulator.data_plane.conditions import check_read, check_sequence_number, check_write
from simulator.data_plane.differences import PREVIOUS_SNAPSHOT
from simulator.data_plane.errors import StorageError
from simulator.data_plane.page_lists import RangesWithin, page_list
from simulator.data_plane.page_writes import asked_write
from simulator.page_blobs.calls import BlobCall
from simulator.page_blobs.sources import SourcesOf
from simulator.page_blobs.telling import changed
from simulator.page_blobs.writing import require_no_copy, touch
from simulator.wire import Headers, Response


def put_page(call: BlobCall) -> Response:
    """Write or clear pages; the bytes come along or from a URL."""
    call.require_base()
    write = asked_write(
        call.request, call.blob.base.length, SourcesOf(call.sources, call.account), call.version
    )
    with call.estate.lock:
        state = call.blob.base
        check_write(call.request.headers, state.stamp)
        check_sequence_number(call.request.headers, state.sequence_number)
        require_no_copy(state)
        if write.end > state.length:
            raise StorageError("InvalidPageRange")
        if write.data is None:
            state.clear(write.start, write.end, is_noted=bool(call.blob.snapshots))
        else:
            state.image.write(write.start, write.data)
            call.bytes_moved = write.end - write.start
        touch(call, state)
        answer = changed(call, 201, state, x_ms_blob_sequence_number=str(state.sequence_number))
    answer.headers |= write.told
    return answer


def get_page_ranges(call: BlobCall) -> Response:
    """Answer which ranges hold bytes, or differ from an earlier snapshot of the same blob."""
    if PREVIOUS_SNAPSHOT in call.request.headers:
        value = call.request.headers[PREVIOUS_SNAPSHOT]
        raise StorageError("UnsupportedHeaderForNonManagedDisksAccount", name=PREVIOUS_SNAPSHOT, value=value)
    with call.estate.lock:
        state = call.state
        check_read(call.request.headers, state.stamp)
        document = page_list(call.request, call.version, state.length, _ranges(call))
    answer = changed(call, 200, state, x_ms_blob_content_length=str(state.length))
    return Response(200, Headers(answer.headers | {"content-type": "application/xml"}), document)


def _ranges(call: BlobCall) -> RangesWithin:
    name, state = call.previous_snapshot, call.state
    if name is None:
        return state.page_ranges
    previous = call.blob.snapshots.get(name)
    if previous is None:
        raise StorageError("PreviousSnapshotNotFound")
    if call.snapshot is not None and name > call.snapshot:
        raise StorageError("PreviousSnapshotCannotBeNewer")
    if previous.generation != state.generation:
        raise StorageError("BlobOverwritten")
    return partial(state.changes_since, previous)
