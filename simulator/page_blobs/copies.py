"""Copy Blob: a blob, or a snapshot of one, copied by the service in the background; Abort Copy Blob.

Sources: those articles of the Azure Storage REST documentation. A copy from a snapshot over its own blob
promotes the snapshot; a copy that is aborted leaves an empty blob with its metadata.
Known differences and own choices:
- The bytes are those of the moment at which the copy is asked for; Azure fails a copy whose source changes
  meanwhile. The blob has its length at once, and reads as zeros until the copy has ended.
- Every copy is pending at first, also within an account, and takes `Tempo.copying_blob`.
- While it is pending, every change of the blob gets 409 PendingCopyOperation, also its deletion. Incremental
  copies, and copies from the disks' own hosts, are refused as not simulated.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from simulator.data_plane.conditions import as_source, as_target, check_lease, check_read, source_conditions
from simulator.data_plane.errors import StorageError, not_simulated
from simulator.images import Image
from simulator.page_blobs.blobs import BlobState, CopyRecord, PageBlob
from simulator.page_blobs.calls import BlobCall
from simulator.page_blobs.telling import changed
from simulator.page_blobs.writing import put_state, touch, writable
from simulator.wire import Headers, Response


def start_copy(call: BlobCall) -> Response:
    """Accept a copy; it ends by itself."""
    if call.request.headers.get("x-ms-requires-sync", "").lower() == "true":
        raise not_simulated("Copy Blob From URL")
    source, url = call.sources.open_for_copy(call)
    _hold_source(call.request.headers, source)
    takes = call.estate.tempo.copying_blob(source.length)
    with call.estate.lock:
        there = _target(call)
        record = CopyRecord(
            id=call.estate.unique_ids.new(),
            source=url,
            total=source.length,
            began=call.now,
            takes_seconds=takes.total_seconds(),
        )
        state = _begun(call, source, record)
        bytes_copied = source.image.freeze_copy()
        put_state(call, there, state)
        blob = call.blob
        call.estate.timeline.at(
            call.now + takes, call.account.location, lambda moment: _finish(blob, state, bytes_copied, moment)
        )
    return changed(call, 202, state, x_ms_copy_id=record.id, x_ms_copy_status="pending")


def abort_copy(call: BlobCall) -> Response:
    """Abort a copy that is pending."""
    action, asked = call.request.headers.get("x-ms-copy-action"), call.request.query.get("copyid")
    if not asked:
        raise StorageError("MissingRequiredQueryParameter", name="copyid")
    if action is None or action.lower() != "abort":
        raise StorageError("InvalidHeaderValue", name="x-ms-copy-action", value=action or "")
    check_lease(call.request.headers)
    with call.estate.lock:
        state = call.blob.base
        if state.copy is None or not state.is_pending:
            raise StorageError("NoPendingCopyOperation")
        if state.copy.id != asked:
            raise StorageError("CopyIdMismatch")
        state.copy = replace(state.copy, completed=call.now, aborted_at=state.copy.done(call.now))
        state.image.cut(0)
        touch(call, state)
    return Response(204, call.headers)


def _hold_source(headers: Headers, source: BlobState) -> None:
    try:
        check_read(Headers(source_conditions(headers)), source.stamp)
    except StorageError as error:
        raise as_source(error) from None


def _target(call: BlobCall) -> PageBlob | None:
    try:
        return writable(call)
    except StorageError as error:
        raise as_target(error) from None


def _begun(call: BlobCall, source: BlobState, record: CopyRecord) -> BlobState:
    return BlobState(
        image=call.estate.images.create(source.length),
        created=call.now,
        modified=call.now,
        etag=call.account.next_etag(call.now),
        generation=call.account.next_tick(call.now),
        metadata=call.asked_metadata() or dict(source.metadata),
        content=dict(source.content),
        sequence_number=source.sequence_number,
        copy=record,
    )


def _finish(blob: PageBlob, state: BlobState, copied: Image, moment: datetime) -> None:
    if blob.base is state and state.copy is not None and state.is_pending:
        state.image.release()
        state.image = copied.thaw_copy()
        state.copy = replace(state.copy, completed=moment)
    copied.release()
