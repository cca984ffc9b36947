"""Operations on whole blobs: Put Blob, Get Blob (Properties), Delete Blob, Set Blob Properties and Metadata,
Snapshot Blob.

Sources: those articles of the Azure Storage REST documentation. Known differences and own choices:
- Page blobs alone; block and append blobs are refused as not simulated.
- A blob of more than 8 TiB is refused with 400 InvalidHeaderValue, as in recorded traffic; it may have no
  length at all.
- A change of the length is refused while a copy into the blob is pending, and so is every other change.
- Names of metadata come back in lower case. Tags, tiers, encryption scopes, versions and soft delete are not
  simulated, and neither are ranges of a snapshot that is deleted while it is read.
"""

from __future__ import annotations

from simulator.data_plane.checksums import range_hash
from simulator.data_plane.conditions import check_read, check_write
from simulator.data_plane.errors import StorageError, not_simulated
from simulator.data_plane.ranges import asked_range
from simulator.images.ranges import PAGE_BYTES
from simulator.page_blobs.blobs import BlobState, snapshot_time
from simulator.page_blobs.calls import BlobCall
from simulator.page_blobs.copies import start_copy
from simulator.page_blobs.telling import blob_headers, changed
from simulator.page_blobs.writing import forget_copy, put_state, require_no_copy, touch, writable
from simulator.wire import Headers, Response

LARGEST_BLOB = 8 * 1024**4
LARGEST_NUMBER = 2**63 - 1

_SEQUENCE_NUMBER = "x-ms-blob-sequence-number"

_CONTENT = {
    f"x-ms-blob-{name}": name
    for name in ("content-type", "content-encoding", "content-language", "content-md5", "cache-control")
} | {"x-ms-blob-content-disposition": "content-disposition"}


def put_blob(call: BlobCall) -> Response:
    """Make a page blob of zeros, or copy one: Put Blob and Copy Blob are one method on one path."""
    if "x-ms-copy-source" in call.request.headers:
        return start_copy(call)
    kind = call.header("x-ms-blob-type")
    if kind != "PageBlob":
        raise not_simulated(f"blobs of type {kind}")
    if call.request.body:
        raise StorageError("InvalidHeaderValue", name="Content-Length", value=str(len(call.request.body)))
    length = _asked_length(call)
    sequence_number = _asked_number(call, _SEQUENCE_NUMBER, 0)
    with call.estate.lock:
        there = writable(call)
        state = BlobState(
            image=call.estate.images.create(length),
            created=call.now,
            modified=call.now,
            etag=call.account.next_etag(call.now),
            generation=call.account.next_tick(call.now),
            metadata=call.asked_metadata(),
            content=_asked_content(call.request.headers),
            sequence_number=sequence_number,
        )
        put_state(call, there, state)
    return changed(call, 201, state, x_ms_request_server_encrypted="true")


def get_blob(call: BlobCall) -> Response:
    """Answer a blob's bytes, whole or a range, or to HEAD what is told of it."""
    is_head = call.request.method == "HEAD"
    with call.estate.lock:  # what is being sent stays, even if the blob is written over or deleted meanwhile
        state = call.state
        check_read(call.request.headers, state.stamp)
        headers = Headers(call.headers | blob_headers(state, call.now, call.snapshot))
        asked = None if is_head else asked_range(call.request.headers, state.length)
        start, end = asked or (0, state.length)
        response = Response(206 if asked else 200, headers, state.parts(start, end))
    if asked:
        response.headers["content-range"] = f"bytes {start}-{end - 1}/{state.length}"
        if "content-md5" in state.content:  # of the whole blob: it is told under another name
            response.headers["x-ms-blob-content-md5"] = response.headers.pop("content-md5")
    if not is_head:
        call.bytes_moved = end - start
        response.headers |= range_hash(call.request.headers, response, is_range=asked is not None)
    return response


def delete_blob(call: BlobCall) -> Response:
    """Delete a blob, its snapshots, both, or one snapshot."""
    which = call.request.headers.get("x-ms-delete-snapshots")
    if which and call.snapshot:
        raise StorageError("InvalidOperation")
    if which not in (None, "include", "only"):
        raise StorageError("InvalidHeaderValue", name="x-ms-delete-snapshots", value=which or "")
    with call.estate.lock:
        blob, state = call.blob, call.state
        check_write(call.request.headers, state.stamp)
        if call.snapshot:
            blob.snapshots.pop(call.snapshot).image.release()
            return _deleted(call)
        require_no_copy(blob.base)
        if which is None and blob.snapshots:
            raise StorageError("SnapshotsPresent")
        if which == "only":
            for each in blob.snapshots.values():
                each.image.release()
            blob.snapshots.clear()
        else:
            blob.release()
            del call.container.blobs[blob.name]
    return _deleted(call)


def _deleted(call: BlobCall) -> Response:
    """Answer that something is gone for good: there is no soft delete."""
    return Response(202, Headers(call.headers | {"x-ms-delete-type-permanent": "true"}))


def set_properties(call: BlobCall) -> Response:
    """Set what is told of the content, the length, the sequence number."""
    with call.estate.lock:
        state = _changeable(call)
        headers = call.request.headers
        if "x-ms-blob-content-length" in headers:
            _resize(state, _asked_length(call))
        content = _asked_content(headers)
        if content or not {"x-ms-blob-content-length", "x-ms-sequence-number-action"} & set(headers):
            state.content = content
        _set_sequence_number(call, state)
        touch(call, state)
        forget_copy(state)
    return changed(call, 200, state, x_ms_blob_sequence_number=str(state.sequence_number))


def _resize(state: BlobState, length: int) -> None:
    if length < state.length:
        state.image.cut(length)
    else:
        state.image.resize(length)


def _set_sequence_number(call: BlobCall, state: BlobState) -> None:
    headers = call.request.headers
    if not {"x-ms-sequence-number-action", _SEQUENCE_NUMBER} & set(headers):
        return
    action = call.header("x-ms-sequence-number-action").lower()
    if action not in ("max", "update", "increment"):
        raise StorageError("InvalidHeaderValue", name="x-ms-sequence-number-action", value=action)
    if action == "increment":
        if _SEQUENCE_NUMBER in headers:
            raise StorageError("InvalidHeaderValue", name=_SEQUENCE_NUMBER, value=headers[_SEQUENCE_NUMBER])
        if state.sequence_number == LARGEST_NUMBER:
            raise StorageError("SequenceNumberIncrementTooLarge")
        state.sequence_number += 1
        return
    asked = _asked_number(call, _SEQUENCE_NUMBER, None)
    state.sequence_number = max(asked, state.sequence_number) if action == "max" else asked


def set_metadata(call: BlobCall) -> Response:
    """Replace a blob's metadata."""
    with call.estate.lock:
        state = _changeable(call)
        state.metadata = call.asked_metadata()
        touch(call, state)
        forget_copy(state)
    return changed(call, 200, state, x_ms_request_server_encrypted="true")


def get_metadata(call: BlobCall) -> Response:
    """Answer a blob's metadata alone."""
    state = call.state
    check_read(call.request.headers, state.stamp)
    metadata = {f"x_ms_meta_{name}": value for name, value in state.metadata.items()}
    return changed(call, 200, state, **metadata)


def snapshot_blob(call: BlobCall) -> Response:
    """Take a snapshot of a blob."""
    call.require_base()
    metadata = call.asked_metadata() or None
    with call.estate.lock:
        blob = call.blob
        check_write(call.request.headers, blob.base.stamp)
        require_no_copy(blob.base)
        name = snapshot_time(call.account.next_tick(call.now))
        frozen = blob.freeze(name, metadata)
        if metadata:  # else it has the blob's own ETag and date
            touch(call, frozen)
    return changed(call, 201, frozen, x_ms_snapshot=name, x_ms_request_server_encrypted="true")


def _changeable(call: BlobCall) -> BlobState:
    call.require_base()
    state = call.state
    check_write(call.request.headers, state.stamp)
    require_no_copy(state)
    return state


def _asked_length(call: BlobCall) -> int:
    length = _asked_number(call, "x-ms-blob-content-length", None)
    if not 0 <= length <= LARGEST_BLOB or length % PAGE_BYTES:
        raise StorageError("InvalidHeaderValue", name="x-ms-blob-content-length", value=str(length))
    return length


def _asked_number(call: BlobCall, name: str, default: int | None) -> int:
    value = call.header(name) if default is None else call.request.headers.get(name, str(default))
    if not (value.isascii() and value.isdigit() and int(value[:20]) <= LARGEST_NUMBER):
        raise StorageError("InvalidHeaderValue", name=name, value=value)
    return int(value)


def _asked_content(headers: Headers) -> dict[str, str]:
    return {name: headers[asked] for asked, name in _CONTENT.items() if asked in headers}
