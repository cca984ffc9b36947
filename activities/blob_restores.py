"""Steps that bring a disk back out of a page blob: by a copy that is imported, or by an upload.

Each may be repeated, also by a later run of the same restore and beside it: the same bytes come to the same
places, and whoever finds a disk uploaded leaves it as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import azure.durable_functions as df

from activities.batches import Batch
from activities.opening import LASTS, turn
from domain.blob_sources import BlobSource, ImportBlob
from domain.errors import CloudError, Refused, Transient
from domain.page_ranges import PageRange
from domain.page_writes import plan_writes
from domain.restores import DiskPlan, RestoredDisk
from domain.vhd import FOOTER_BYTES
from durable import activity
from gateways.connection import cloud
from gateways.page_transfers import Done, PageTransfer

blueprint = df.Blueprint()


@dataclass(frozen=True)
class BlobWork:
    """A disk that a restore brings back out of a page blob; what is before `reached` is uploaded already."""

    operation: str
    plan: DiskPlan
    reached: int = 0

    @property
    def blob(self) -> BlobSource:
        """What the disk is made of; raises Refused if that is no blob."""
        if self.plan.blob is None:
            raise Refused("NoBlob", f"disk {self.plan.id} is planned from a snapshot, not from a page blob")
        return self.plan.blob

    @property
    def is_uploaded(self) -> bool:
        """Whether everything is written."""
        return self.reached == self.blob.length


@activity(blueprint)
def begin_import_blob(work: BlobWork) -> ImportBlob:
    """Begin to copy a replica for an import, or take up the copy."""
    _see_that_it_is_not_over(work)
    return cloud().restore_blobs.begin_import(work.blob, work.operation)


@activity(blueprint)
def look_at_import_blob(work: BlobWork) -> ImportBlob:
    """Read how far the copy of a replica is."""
    found = cloud().restore_blobs.find_import(work.blob)
    if found is None:
        raise Refused(
            "BlobMissing", f"{work.blob.import_url} was begun and is not there any more; restore again"
        )
    return found


@activity(blueprint)
def upload_pages(work: BlobWork) -> BlobWork:
    """Write more of a replica into a disk; return how far that came, the same where there was no room for it.

    What was written before a failure need not be written again: a failure is raised only if nothing was.
    """
    _see_that_it_is_not_over(work)
    disk = _found(work)
    if not disk.awaits_upload:
        return replace(work, reached=work.blob.length)  # another run of this restore has ended the upload
    with turn(f"upload {disk.name}", disk.name) as is_ours:
        return _further(work) if is_ours else work


@activity(blueprint)
def end_upload(work: BlobWork) -> RestoredDisk:
    """Make a disk of what was uploaded, and let nobody write it any more."""
    cloud().disk_uploads.end(work.plan.id)
    return _found(work).of(work.plan)


def _see_that_it_is_not_over(work: BlobWork) -> None:
    """Raise Refused for a restore that is over: pruning has looked for what it left behind already.

    A run that was cut off may go on beside the one that has followed it, and for longer.
    """
    operation = cloud().catalogue.operations.find(work.operation)
    if operation and operation.state.is_over:
        raise Refused("OperationOver", f"restore {work.operation} is over; ask for another one")


def _found(work: BlobWork) -> RestoredDisk:
    disk = cloud().disks.find(work.plan.id)
    if disk is None:
        raise Refused("DiskMissing", f"disk {work.plan.id} was begun and is not there; restore again")
    return disk


def _further(work: BlobWork) -> BlobWork:
    """Write pages, ascending, as far as a batch goes, and the footer when all the others are there."""
    blob, reached = work.blob, work.reached
    footer = blob.length - FOOTER_BYTES
    batch = Batch()

    def tell(done: Done) -> None:
        nonlocal reached
        reached = done.end

    try:
        transfer = PageTransfer(
            cloud().restore_blobs.opened(blob), cloud().disk_uploads.open(work.plan.id, LASTS), is_fresh=True
        )
        for start, end in batch.windows(reached, footer):
            pages = cloud().restore_blobs.page_ranges(blob, start, end)
            came = transfer.run(plan_writes(pages, cloud().settings.costs), batch.is_over, told=tell)
            reached = end if came.is_complete else reached
        if reached == footer:  # last of all: without it Azure takes no upload for a whole one
            transfer.run(plan_writes([PageRange(footer, blob.length)]), lambda: False)
            reached = blob.length
    except CloudError as failure:
        if not _found(work).awaits_upload:  # another run of this restore was faster
            return replace(work, reached=blob.length)
        if reached == work.reached:
            raise _passing(failure) from failure
    return replace(work, reached=reached)


def _passing(failure: CloudError) -> CloudError:
    """Return a failure as one that passes, if it says that what was granted has ended: it is granted anew."""
    is_ended = isinstance(failure, Refused) and failure.code == "AuthenticationFailed"
    return Transient("AccessEnded", str(failure)) if is_ended else failure
