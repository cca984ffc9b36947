"""What is told of a blob, in headers and in lists."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime

from simulator.page_blobs.blobs import BlobState, CopyRecord
from simulator.page_blobs.calls import BlobCall
from simulator.wire import Headers, Response

_NO_LEASE = {"x-ms-lease-status": "unlocked", "x-ms-lease-state": "available"}


def date(moment: datetime) -> str:
    """Return a moment as HTTP writes it."""
    return format_datetime(moment, usegmt=True)


def blob_headers(state: BlobState, now: datetime, snapshot: str | None) -> dict[str, str]:
    """Return the headers by which a blob or a snapshot is told; a snapshot has no lease."""
    told = {
        "accept-ranges": "bytes",
        "content-type": "application/octet-stream",
        **state.content,
        "etag": state.etag,
        "last-modified": date(state.modified),
        "x-ms-blob-type": "PageBlob",
        "x-ms-blob-sequence-number": str(state.sequence_number),
        "x-ms-creation-time": date(state.created),
        "x-ms-server-encrypted": "true",
        **(_NO_LEASE if snapshot is None else {"x-ms-snapshot": snapshot}),
    }
    told |= {f"x-ms-meta-{name}": value for name, value in state.metadata.items()}
    return told | (copy_headers(state.copy, now) if state.copy else {})


def copy_headers(copy: CopyRecord, now: datetime) -> dict[str, str]:
    """Return the headers by which a copy is told."""
    told = {
        "x-ms-copy-id": copy.id,
        "x-ms-copy-source": copy.source,
        "x-ms-copy-status": copy_status(copy),
        "x-ms-copy-progress": f"{copy.done(now)}/{copy.total}",
    }
    return told | ({"x-ms-copy-completion-time": date(copy.completed)} if copy.completed else {})


def copy_status(copy: CopyRecord) -> str:
    """Return how a copy is told to stand."""
    if copy.completed is None:
        return "pending"
    return "success" if copy.aborted_at is None else "aborted"


def changed(call: BlobCall, status: int, state: BlobState, **more: str) -> Response:
    """Answer a change: the blob's new ETag, and `more` headers, with hyphens for underscores."""
    headers = Headers(call.headers)
    headers |= {"etag": state.etag, "last-modified": date(state.modified)}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    return Response(status, headers)
