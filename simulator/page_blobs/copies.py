"""Copy Blob: a blob, or a snapshot of one, copied by the service in the background.

Source: "Copy Blob" (Azure Storage REST). A copy from a snapshot over its own blob promotes the snapshot.
Known differences and own choices:
- The bytes are those of the moment at which the copy is asked for; Azure fails a copy whose source changes
  meanwhile. The blob has its length at once, and reads as zeros until the copy has ended.
- Every copy is pending at first, also within an account, and takes `Tempo.copying_blob`.
- While it is pending, every change of the blob gets 409 PendingCopyOperation, also its deletion. Aborting is
  refused as not simulated; incremental copies, and copies from the disks' own hosts, are too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from simulator.data_plane.errors import not_simulated
from simulator.images import Image
from simulator.page_blobs.blobs import BlobState, CopyRecord, PageBlob
from simulator.page_blobs.calls import BlobCall
from simulator.page_blobs.telling import changed
from simulator.page_blobs.writing import put_state, writable
from simulator.wire import Response


def start_copy(call: BlobCall) -> Response:
    """Accept a copy; it ends by itself."""
    if call.request.headers.get("x-ms-requires-sync", "").lower() == "true":
        raise not_simulated("Copy Blob From URL")
    source, url = call.sources.open_for_copy(call)
    takes = call.estate.tempo.copying_blob(source.length)
    with call.estate.lock:
        there = writable(call)
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
    if blob.base is state and state.copy is not None:
        state.image.release()
        state.image = copied.thaw_copy()
        state.copy = replace(state.copy, completed=moment)
    copied.release()
