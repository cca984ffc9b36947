"""Brings one disk back out of a page blob, as a part of a restore.

Where Azure can import from the account: copy the replica within it, then make the disk of the copy; pruning
deletes the copy afterwards. Elsewhere:

1. Make an empty disk that awaits its upload.
2. Upload the replica in batches, each from where the last one stopped; begin anew after some of them.
3. End the upload: only now it is a disk.
"""

from __future__ import annotations

from datetime import timedelta

import azure.durable_functions as df

from activities.blob_restores import (
    BlobWork,
    begin_import_blob,
    end_upload,
    look_at_import_blob,
    upload_pages,
)
from activities.restores import begin_disk, look_at_disk
from domain.errors import Refused, StepFailed, Transient
from domain.restores import DiskPlan, RestoredDisk
from durable import Context, Pace, Steps, call, orchestration, restart, wait
from orchestrators.making import make_one

blueprint = df.Blueprint()

COPYING = Pace(first=timedelta(seconds=5), longest=timedelta(minutes=5), within=timedelta(hours=12))
PAUSE = timedelta(seconds=15)  # until there may be room for a batch
MOST_BATCHES = 50  # then history begins anew


@orchestration(blueprint)
def restore_from_blob(context: Context, work: BlobWork) -> Steps[RestoredDisk]:
    """Bring one disk back out of a page blob."""
    try:
        if work.blob.is_imported:
            yield from make_one(
                context, begin_import_blob, look_at_import_blob, work, "copy for the import", COPYING
            )
            return (yield from make_disk(context, work.plan))
        disk = yield from make_disk(context, work.plan)
        work = yield from upload(context, work)
        if work.is_uploaded:
            return (yield from call(context, end_upload, work))
    except StepFailed as failure:
        if failure.is_transient:  # so the restore says that it may work elsewhere
            raise Transient(failure.code, str(failure)) from failure
        raise Refused(failure.code, str(failure)) from failure
    restart(context, work)
    return disk


def make_disk(context: Context, plan: DiskPlan) -> Steps[RestoredDisk]:
    """Make a disk, with its content or for an upload; one that is there already is taken up."""
    return (yield from make_one(context, begin_disk, look_at_disk, plan, "disk"))


def upload(context: Context, work: BlobWork) -> Steps[BlobWork]:
    """Upload some batches, at most until all is written; where there was no room, let some time pass."""
    for _ in range(MOST_BATCHES):
        further = yield from call(context, upload_pages, work)
        if further == work:
            yield from wait(context, PAUSE)
        work = further
        if work.is_uploaded:
            break
    return work
