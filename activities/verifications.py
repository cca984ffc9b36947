"""Steps that hold replicas in page blobs against the snapshots at home that they were copied from."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import azure.durable_functions as df

from activities.announcing import announce
from activities.batches import Batch
from activities.opening import found_source, opened_snapshots, turn
from domain.copies import Copy, CopyState
from domain.errors import Absent, Refused, Transient
from domain.events import Event, EventName
from domain.page_ranges import PageRange, joined, overlaid
from domain.policy import Method
from domain.protection import ProtectedVm
from domain.restore_points import ReplicaState, RestorePoint
from domain.verifications import (
    UNVERIFIED_FOR,
    WINDOW_BYTES,
    Verification,
    VerificationOrder,
    VerificationState,
    plan_verification,
    unverified_since,
)
from domain.vhd import FOOTER_BYTES, footer_fault
from durable import activity
from gateways.blob_access import Opened
from gateways.connection import cloud
from gateways.page_blobs import PageBlob
from gateways.page_comparisons import PageComparison
from gateways.page_lists import NO_DIFFERENCE

blueprint = df.Blueprint()

PAGE = 25  # VMs that are looked at in one step
LISTED_BYTES = 4096 * WINDOW_BYTES  # of addresses in one list of changes: longer ones may time out
MOST_AT_ONCE = 1  # of the batches that there may be at a time: the others are left to copies
_log = logging.getLogger("tidemark.verification")


@dataclass(frozen=True)
class VerificationLook:
    """A look at the VMs after this one, in the order of their keys."""

    after: str = ""


@dataclass(frozen=True)
class VerificationPage:
    """What is to be verified of a page of VMs, and where the next page begins, if there is one."""

    orders: tuple[VerificationOrder, ...]
    following: str | None


@activity(blueprint)
def find_replicas_to_verify(look: VerificationLook) -> VerificationPage:
    """List the disks of the newest replicas of a page of VMs in the locations that keep page blobs.

    Also of VMs that are gone. Safe to repeat: it only looks.
    """
    page = cloud().catalogue.vms.page(after=look.after, most=PAGE)
    orders = tuple(order for vm in page for order in _orders(vm))
    return VerificationPage(orders, page[-1].key if len(page) == PAGE else None)


def _orders(vm: ProtectedVm) -> Iterator[VerificationOrder]:
    locations = cloud().policies.locations
    for name, newest in vm.newest_available.items():
        location = locations.get(name)
        if location is None or location.method is not Method.PAGES:
            continue
        point = cloud().catalogue.restore_points.find(newest)
        for part in point.disks if point else ():
            yield VerificationOrder(part.disk.key, name)


@activity(blueprint)
def begin_verification(order: VerificationOrder) -> Verification | None:
    """Plan the verification of the newest available replica of a disk; None if there is none.

    Safe to repeat: it only looks. A replica that was found damaged before, where that is not in all the books
    yet, comes back as damaged.
    """
    connected = cloud()
    queue = connected.catalogue.copies.of_disk(order.disk, order.location)
    for copy in reversed(queue):
        if copy.state is not CopyState.AVAILABLE or copy.pages is None:
            continue
        point = connected.catalogue.restore_points.find(copy.point)
        if point is None or not _is_open(copy, point):
            continue
        day = connected.now().toordinal()
        if copy.is_damaged:
            return Verification(point.vm.key, copy, day).damaged(copy.damaged_at, "it was found before")
        return plan_verification(point.vm.key, copy, queue, day, connected.snapshots.find)
    return None


def _is_open(copy: Copy, point: RestorePoint) -> bool:
    """Whether a replica is available, or its damage is not in the overview yet."""
    state = point.replicas.get(copy.location)
    if state is not ReplicaState.DAMAGED or not copy.is_damaged:
        return state is ReplicaState.AVAILABLE
    vm = cloud().catalogue.vms.find(point.vm.key)
    return vm is not None and vm.newest_available.get(copy.location) == point.id


@activity(blueprint)
def verify_windows(verification: Verification) -> Verification:
    """Compare more of a replica with its source, for less than a minute.

    Safe to repeat: nothing is written.
    """
    now = cloud().now()
    if verification.gives_way(now) and _is_copied(verification.copy.disk):
        return verification.waiting(now)
    also = {"verifications": MOST_AT_ONCE}
    with turn(verification.holder, verification.copy.disk, also) as is_ours:
        return _compared(verification) if is_ours else verification.waiting(now)


def _is_copied(disk: str) -> bool:
    """Whether a copy by pages of the disk is under way, wherever it goes to: it needs the turn, too."""
    catalogue = cloud().catalogue
    return any(
        copy.is_paged and copy.state is CopyState.COPYING
        for queue in catalogue.copy_queues.of_disk(disk)
        for copy in catalogue.copies.of_queue(queue)
    )


def _compared(verification: Verification) -> Verification:
    """Do one batch."""
    blob = cloud().page_blobs.at(verification.copy.container, verification.pages.blob)
    try:
        fault = _seal_fault(blob, verification)
        if fault and _is_being_deleted(verification.copy):
            return verification.unknown(f"it is being deleted: {fault}")
        if fault:
            return verification.damaged(None, fault)
        with opened_snapshots(verification.copy.source_id, verification.previous_id) as (source, previous):
            found_source(verification.copy)
            return _further(verification, source, previous, blob.opened(verification.pages.sealed), blob)
    except Refused as refused:
        return _refused(verification, refused)


def _is_being_deleted(copy: Copy) -> bool:
    """Whether pruning has begun with a replica, as it may with one that a newer one has followed since."""
    point = cloud().catalogue.restore_points.find(copy.point)
    return point is None or copy.location in point.deletions


def _seal_fault(blob: PageBlob, verification: Verification) -> str | None:
    """Return what is wrong with the blob snapshot itself, before a byte of it is read."""
    pages = verification.pages
    if blob.metadata(pages.sealed) is None:
        return f"its blob snapshot {pages.sealed} of {pages.blob} is gone"
    length = cloud().disk_data.length(blob.opened(pages.sealed))
    if length != pages.length:
        return f"its blob snapshot has {length} bytes instead of {pages.length}"
    return None


def _refused(verification: Verification, refused: Refused) -> Verification:
    """Return what becomes of a verification that something was refused for; raises Transient if it passes."""
    if refused.code == "AuthenticationFailed":  # what was granted has ended: the next batch has its own
        raise Transient("AccessEnded", str(refused)) from refused
    if refused.code in NO_DIFFERENCE and not verification.is_whole:
        return verification.without_difference()
    if cloud().snapshots.find(verification.copy.source_id) is None:
        gone = f"snapshot {verification.copy.source_id}, which it was copied from, is gone"
        return verification.unknown(gone)
    older = verification.previous_id
    if isinstance(refused, Absent) and older and cloud().snapshots.find(older) is None:
        return verification.without_difference()
    return verification.unknown(str(refused))


def _further(
    verification: Verification, source: Opened, previous: Opened | None, replica: Opened, blob: PageBlob
) -> Verification:
    """Compare what is to be compared from where the verification has come to, as far as a batch goes."""
    batch = Batch()
    chosen, comparison = verification.chosen_windows(), PageComparison(blob.wire, source, replica)
    body = verification.body_bytes
    while verification.reached < body:
        end = min((verification.reached // LISTED_BYTES + 1) * LISTED_BYTES, body)
        ranges = _wanted(verification, source, previous, replica, chosen, end)
        came = comparison.run(ranges, batch.is_over)
        reached = end if came.is_complete else max(came.reached, verification.reached)
        verification = verification.further(reached, came.read_bytes)
        if came.difference is not None:
            return verification.damaged(came.difference, f"it differs from {source.name}")
        if batch.is_over():
            return verification
    fault = _footer_fault(source, replica, body)
    return verification.damaged(body, fault) if fault else verification.equal()


def _wanted(
    verification: Verification,
    source: Opened,
    previous: Opened | None,
    replica: Opened,
    chosen: Sequence[tuple[int, int]],
    end: int,
) -> Iterator[PageRange]:
    """Yield what is to be compared before `end`: in each window all that holds bytes on either side."""
    data, reached = cloud().disk_data, verification.reached
    first = reached // WINDOW_BYTES * WINDOW_BYTES  # what changed in a window may lie before the rest of it
    changes = data.page_ranges(source, previous, first, end) if previous else ()
    windows = verification.windows(changes, chosen, first, end)
    for span in joined(PageRange(*window) for window in windows):
        start, stop = max(span.start, reached), min(span.end, end)
        held, kept = (data.page_ranges(side, None, start, stop) for side in (source, replica))
        yield from overlaid(_with_bytes(held), _with_bytes(kept))


def _with_bytes(ranges: Iterable[PageRange]) -> Iterator[PageRange]:
    return (each for each in ranges if not each.is_clear)


def _footer_fault(source: Opened, replica: Opened, body: int) -> str | None:
    """Return what is wrong with the footer of a replica.

    Nobody documents whether Azure gives a snapshot the same footer each time it is opened, its time stamp and
    id included. So one that differs is damaged only if it is no footer of this disk.
    """
    ours, theirs = bytearray(FOOTER_BYTES), bytearray(FOOTER_BYTES)
    for opened, footer in ((source, ours), (replica, theirs)):
        cloud().disk_data.read_into(opened, body, memoryview(footer))
    return None if ours == theirs else footer_fault(bytes(theirs), body)


@dataclass(frozen=True)
class VerificationEnd:
    """What a verification has come to; where it never began, only why not."""

    order: VerificationOrder
    reason: str = ""


@activity(blueprint)
def record_verification(end: VerificationEnd) -> None:
    """Write what a verification has come to that has found no damage.

    Safe to repeat. What could not be held against its source is told, and is not verified.
    """
    verification = end.order.begun
    if verification is None or verification.state is not VerificationState.EQUAL:
        _record_unverified(end)
        return
    copy, verified = verification.copy, verification.verified(cloud().now())
    cloud().catalogue.copies.alter(
        copy, lambda known: replace(known, verified=verified, unverified=None, unverified_since=None)
    )
    _log.info(
        "restore point %s: disk %s in %s is equal to its source", copy.point, copy.disk_name, copy.location
    )


def _record_unverified(end: VerificationEnd) -> None:
    """Write why a verification did not come to its end; where none has for days, tell it."""
    order, verification, now = end.order, end.order.begun, cloud().now()
    queue = cloud().catalogue.copies.of_disk(order.disk, order.location)
    newest = (each for each in reversed(queue) if each.state is CopyState.AVAILABLE and each.pages)
    copy = verification.copy if verification else next(newest, None)
    reason = (verification.reason if verification else "") or end.reason
    _log.warning("disk %s in %s could not be verified: %s", order.disk, order.location, reason)
    if copy is None:
        return
    since = unverified_since(queue, now)
    cloud().catalogue.copies.alter(
        copy, lambda known: replace(known, unverified=reason, unverified_since=since)
    )
    if now - since >= UNVERIFIED_FOR:
        message = (
            f"disk '{copy.disk_name}' in {copy.location} could not be held against its source since "
            f"{since:%Y-%m-%d %H:%M} UTC: {reason}"
        )
        details = {"disk": copy.disk_name, "location": copy.location}
        announce(Event(EventName.REPLICA_UNVERIFIED, copy.point, message, details))
