"""What all changes of blobs have in common: may it be, and what is noted. The caller holds the lock."""

from __future__ import annotations

from simulator.data_plane.conditions import check_write
from simulator.data_plane.errors import StorageError
from simulator.page_blobs.blobs import BlobState, PageBlob
from simulator.page_blobs.calls import BlobCall
from simulator.page_blobs.pace import Pace

LONGEST_NAME = 1024


def writable(call: BlobCall) -> PageBlob | None:
    """Return the blob that a request is to write over, if there is one; raises StorageError if it may not."""
    call.require_base()
    if len(call.address.blob) > LONGEST_NAME:
        raise StorageError("InvalidResourceName")
    there = call.container.blobs.get(call.address.blob)
    check_write(call.request.headers, there.base.stamp if there else None)
    if there is not None:
        if not call.may_overwrite:
            is_sas = "authorization" not in call.request.headers
            raise StorageError("UnauthorizedBlobOverwrite" if is_sas else "AuthorizationPermissionMismatch")
        require_no_copy(there.base)
    return there


def put_state(call: BlobCall, there: PageBlob | None, state: BlobState) -> None:
    """Let a blob be in a new state; its snapshots stay."""
    if there is None:
        blob = PageBlob(call.address.blob, state, Pace(call.estate.tempo))
        call.container.blobs[call.address.blob] = blob
    else:
        there.base.image.release()
        there.base = state


def require_no_copy(state: BlobState) -> None:
    """Refuse a change while a copy into the blob is under way; raises StorageError 409."""
    if state.is_pending:
        raise StorageError("PendingCopyOperation")


def touch(call: BlobCall, state: BlobState) -> None:
    """Note that a blob has changed."""
    state.etag = call.account.next_etag(call.now)
    state.modified = call.now


def forget_copy(state: BlobState) -> None:
    """Let nothing be told any more of the copy that a blob was made by: every change but that of pages does
    so ("Get Blob")."""
    state.copy = None
