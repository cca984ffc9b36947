"""The step that carries a copy by pages: one batch, which lasts less than a minute and may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

import azure.durable_functions as df

from activities.announcing import announce
from activities.batches import Batch
from activities.opening import found_source, opened, turn
from activities.settling import as_it_is_now, circumstances, settle
from domain.copies import Copy, CopyState
from domain.copy_queues import CopyLook, CopyQueue
from domain.damage import made_whole
from domain.errors import Refused, Transient
from domain.events import Event, EventName
from domain.page_copies import PageProgress
from domain.page_plans import plan_pages
from domain.page_ranges import PageRange, clipped, overlaid
from domain.page_writes import Write, plan_writes
from domain.snapshots import Snapshot
from domain.tags import DISK_METADATA, POINT_METADATA
from domain.vhd import FOOTER_BYTES, footer_fault
from durable import activity
from gateways.blob_access import Opened
from gateways.connection import cloud
from gateways.page_blobs import OVERTAKEN, PageBlob
from gateways.page_lists import NO_DIFFERENCE
from gateways.page_transfers import Done, How, PageTransfer
from gateways.window_tallies import begun, extended

blueprint = df.Blueprint()


def begin_pages(copy: Copy, queue: CopyQueue, now: datetime) -> Copy:
    """Plan a copy by pages, and see that there is a blob to write into.

    A blob that is gone since the copy was planned is not made again: what was written into it would be
    missing. Raises Refused where there is nothing to copy, or the storage account takes no such blob.
    """
    source = found_source(copy)
    if not source.is_usable:
        raise Refused("CopySourceNotUsable", f"snapshot {copy.source_id}, which is copied, cannot be read")
    if copy.pages:
        return copy
    pages = _planned(copy, queue, source)
    blob = cloud().page_blobs.at(copy.container, pages.blob)
    if pages.base is None:
        blob.create(pages.length, {DISK_METADATA: copy.disk})
    elif pages.base.length != pages.length:
        blob.resize(pages.length)
    return copy.planned(pages, now)


def _planned(copy: Copy, queue: CopyQueue, source: Snapshot) -> PageProgress:
    """Plan a copy on its base, if what that was sealed as is still there; else a whole one."""
    connected = cloud()
    earlier = connected.catalogue.copies.of_queue(queue)
    pages = plan_pages(copy, source, earlier, connected.snapshots.find)
    if pages.base is None:
        return pages
    if connected.page_blobs.at(copy.container, pages.blob).length(pages.base.sealed) is not None:
        return pages
    alone = replace(copy, whole_because=f"the replica of {pages.base.point} is gone in {copy.location}")
    return plan_pages(alone, source, earlier, connected.snapshots.find)


@activity(blueprint)
def carry_pages(look: CopyLook) -> Copy:
    """Write more of a copy into its blob, and seal the blob when all is written.

    Safe to repeat: the same bytes are written again, a blob that is sealed for this point is not sealed
    again, and a copy that is over, or that another worker has taken over, stays as it is.
    """
    copy = cloud().catalogue.copies.known(look.copy)
    if copy.state is CopyState.COPYING and (copy.owner, copy.attempt) != (look.copy.owner, look.copy.attempt):
        return copy
    if copy.state is CopyState.COPYING:
        with turn(copy.holder, copy.disk) as is_ours:
            copy = _carried(copy) if is_ours else _recorded(copy, copy.kept_waiting(cloud().now()))
    return copy if copy.state.is_open else settle(copy, as_it_is_now(look.location))


def _carried(copy: Copy) -> Copy:
    """Do one batch, and record what came of it."""
    try:
        with opened(copy) as (source, previous):
            found_source(copy)  # not before: what is opened by its name must be what was taken
            blob = _fenced(copy)
            if not _pages(copy).is_written:
                copy = _written(copy, source, previous, blob)
            if copy.state is CopyState.COPYING and _pages(copy).is_written:
                copy = _sealed(copy, blob)
        return copy
    except Refused as refused:
        copy = _as_recorded(copy)
        if refused.code == "AuthenticationFailed":  # what was granted has ended: the next batch has its own
            return _waiting(copy, Transient("AccessEnded", str(refused)))
        if refused.code == OVERTAKEN:  # this batch outlived its turn
            return _waiting(copy, Transient("BatchOvertaken", str(refused)))
        return _recorded(copy, _refused(copy, refused))
    except Transient as transient:
        return _waiting(_as_recorded(copy), transient)


def _fenced(copy: Copy) -> PageBlob:
    """Return the blob of a copy for a batch of writes.

    Raises Refused if it was made again, or has gone back: a failover leaves out what was written last.
    """
    pages = _pages(copy)
    blob = cloud().page_blobs.at(copy.container, pages.blob).fenced()
    if blob.fence is not None and blob.fence <= pages.sequence:
        told = f"page blob {pages.blob} in {copy.location} has gone back behind what was written into it"
        raise Refused("BlobGoneBack", f"{told}: its sequence number was {pages.sequence} already")
    return blob


def _waiting(copy: Copy, transient: Transient) -> Copy:
    """Record that a copy waits for something to pass, and raise that; return one that is given up."""
    waiting = _recorded(copy, copy.kept_waiting(cloud().now()))
    if waiting.state is CopyState.COPYING:
        raise transient
    return waiting


def _refused(copy: Copy, refused: Refused) -> Copy:
    """Return what becomes of a copy that something was refused for."""
    if copy.state is not CopyState.COPYING:
        return copy  # it is over, whatever came after that
    now = cloud().now()
    if refused.code in NO_DIFFERENCE:
        return copy.without_difference(str(refused), now)
    return copy.lost(str(refused), now)


def _written(copy: Copy, source: Opened, previous: Opened | None, blob: PageBlob) -> Copy:
    """Write what is to be written from where the copy has come to, as far as a batch goes, and record it."""
    batch, writing = Batch(), _Writing(_pages(copy), blob.fence or 0)
    transfer = PageTransfer(source, blob, is_fresh=writing.pages.base is None)
    try:
        for _, end in batch.windows(writing.pages.reached, writing.pages.length):
            ranges = _wanted(writing.pages, source, previous, blob, end)
            writing.window(end, transfer, plan_writes(ranges, cloud().settings.costs), batch.is_over)
        writing.end(blob.fenced())
    finally:  # also what was written before a failure need not be written again
        if writing.pages != copy.pages:
            copy = _recorded(copy, copy.carried(writing.pages, cloud().now()))
    return copy


class _Writing:
    """How far a batch has come: `pages` has all that is known to be written, also when it fails."""

    def __init__(self, pages: PageProgress, sequence: int) -> None:
        self.pages = pages
        self._sequence = sequence

    def end(self, blob: PageBlob) -> None:
        """Take note of the blob as it is once everything of the batch is written."""
        self.pages = replace(self.pages, sequence=blob.fence or 0)

    def window(
        self, end: int, transfer: PageTransfer, writes: Iterable[Write], is_over: Callable[[], bool]
    ) -> None:
        """Do the writes of the window that ends there, or of its beginning if the batch is over before."""
        start = self.pages.reached
        record, reached, streamed_bytes = begun(start, end), start, 0

        def tell(done: Done) -> None:
            nonlocal record, reached, streamed_bytes
            record, reached = extended(record, done), done.end
            streamed_bytes += done.end - done.start if done.how in (How.STREAMED, How.ZEROS) else 0

        try:
            came = transfer.run(writes, is_over, told=tell)
            reached = end if came.is_complete else max(came.reached, start)
        finally:
            if reached > start:
                further = self.pages.further(replace(record, end=reached), streamed_bytes)
                self.pages = replace(further, sequence=self._sequence)


def _wanted(
    pages: PageProgress, source: Opened, previous: Opened | None, blob: PageBlob, end: int
) -> Iterator[PageRange]:
    """Yield what is to be written: what has changed, and what else stands in the blob since its last seal.

    That is of a copy that was given up, maybe of another snapshot. Nobody documents what a difference says of
    the footer of a disk that has grown, which lies where there is disk now: so both places are written.
    """
    start = pages.reached
    changes = cloud().disk_data.page_ranges(source, previous, start, end)
    if pages.base is None:
        return changes
    dirty = blob.ranges(pages.base.sealed, start, end)
    wanted = overlaid(changes, dirty)
    if pages.base.length == pages.length:
        return wanted
    footers = (PageRange(length - FOOTER_BYTES, length) for length in (pages.base.length, pages.length))
    return overlaid(wanted, clipped(footers, start, end))


def _sealed(copy: Copy, blob: PageBlob) -> Copy:
    """Seal a blob in which everything is written, unless it is sealed for this point already."""
    pages, owner = _pages(copy), {POINT_METADATA: copy.point}
    if spoiled := _put_back(copy):
        return _recorded(copy, spoiled)
    sealed = blob.sealed(owner)
    if sealed is None:
        footer = bytearray(FOOTER_BYTES)
        cloud().disk_data.read_into(blob.opened(), pages.length - FOOTER_BYTES, memoryview(footer))
        fault = footer_fault(bytes(footer), pages.length - FOOTER_BYTES)
        if fault:
            raise Refused("NotAVhd", f"page blob {pages.blob} in {copy.location}: {fault}")
        sealed = blob.seal(owner)
    return _recorded(copy, copy.carried(replace(pages, sealed=sealed), cloud().now()))


def _put_back(copy: Copy) -> Copy | None:
    """Return a copy to be made whole if another one in its blob is damaged; None if none is.

    Whoever finds damage puts back what is planned; this one may have been just about to be.
    """
    copies, now = cloud().catalogue.copies, cloud().now()
    damaged = (other for other in copies.of_disk(copy.disk, copy.location) if other.is_damaged)
    return next((back for other in damaged if (back := made_whole(copy, other, now))), None)


def _pages(copy: Copy) -> PageProgress:
    if copy.pages is None:
        raise Refused("NotPlanned", f"the copy of {copy.disk_name} of {copy.point} has no plan of its pages")
    return copy.pages


def _recorded(copy: Copy, changed: Copy) -> Copy:
    """Write what became of a copy, unless somebody else has it by now; return it as it stands."""
    if changed.is_stalled and not copy.is_stalled:
        since = f"nothing was written since {changed.progressed}, at {changed.percent:.1f} %"
        announce(Event(EventName.COPY_STALLED, copy.point, since, circumstances(copy)))

    def ours(known: Copy) -> Copy | None:
        return changed if _is_same_claim(known, copy) else None

    return cloud().catalogue.copies.alter(copy, ours) or changed


def _as_recorded(copy: Copy) -> Copy:
    """Return a copy with all that was recorded of it, as long as it is the same worker's."""
    known = cloud().catalogue.copies.known(copy)
    return known if _is_same_claim(known, copy) else copy


def _is_same_claim(known: Copy, copy: Copy) -> bool:
    return (known.state, known.owner, known.attempt) == (copy.state, copy.owner, copy.attempt)
