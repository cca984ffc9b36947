"""Steps that carry a restore point to its recovery locations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import azure.durable_functions as df

from activities.announcing import announce
from activities.page_copies import begin_pages
from activities.settling import as_it_is_now, circumstances, settle
from domain.copies import CLAIM_LASTS, Copy, CopyState, copies_of
from domain.copy_queues import PERMIT_LASTS, CopyLook, CopyQueue, Permit, queued_for, to_skip
from domain.errors import Conflicting, Refused, Transient
from domain.events import Event, EventName
from domain.policy import Backlog, Location
from domain.protection import ProtectedVm
from domain.restore_points import RestorePoint
from domain.tags import snapshot_tags
from durable import activity
from gateways.connection import cloud
from gateways.tables import Row

blueprint = df.Blueprint()

AFTER_CONFLICT = timedelta(hours=2)
BUSY = timedelta(minutes=2)  # until a copy that waits for another one looks again


@dataclass(frozen=True)
class CopyOrder:
    """An available point, the locations that it goes to, and what becomes of copies that wait."""

    point: RestorePoint
    recovery: tuple[Location, ...]
    backlog: Backlog = Backlog.EVERY


@activity(blueprint)
def queue_copies(order: CopyOrder) -> list[CopyQueue]:
    """Put a copy of every disk to every recovery location into its queue; return the queues.

    Safe to repeat: a copy that is in its queue stays as it is.
    """
    catalogue = cloud().catalogue
    locations = {location.name: location for location in order.recovery}
    queues = []
    for copy in copies_of(order.point):
        location = locations[copy.location]
        queue = CopyQueue(copy.disk, location, order.backlog)
        catalogue.copies.plan(queued_for(copy, location))
        catalogue.copy_queues.open(queue)
        queues.append(queue)
    vm = order.point.vm
    catalogue.vms.update(ProtectedVm.of(vm, order.point.policy), lambda known: known.sent(order.point.id))
    return queues


@dataclass(frozen=True)
class Claim:
    """Who wants to work on which queue."""

    queue: CopyQueue
    worker: str


@dataclass(frozen=True)
class NextCopy:
    """What a worker does next: it watches a copy, or waits until a moment; neither if nothing is left."""

    copy: Copy | None = None
    wait_until: datetime | None = None


@activity(blueprint)
def begin_next_copy(claim: Claim) -> NextCopy:
    """Take the oldest open copy of a queue and begin it; close the queue if none is open.

    Safe to repeat: the head of the queue is the same until it is over, its name follows from the attempt, and
    a snapshot found under that name is taken up.
    """
    connected = cloud()
    queue = replace(claim.queue, location=as_it_is_now(claim.queue.location))
    seen = connected.catalogue.copy_queues.seen(queue)
    head = _head(queue)
    if head is None:
        if seen and not connected.catalogue.copy_queues.close(seen):
            return begin_next_copy(claim)  # one was added meanwhile
        return NextCopy()
    now = connected.now()
    wait_until = _obstacle(head, claim, now)
    if wait_until:
        return NextCopy(wait_until=wait_until)
    permit = _permit(head, queue, now)
    if permit is None:
        return NextCopy(wait_until=now + BUSY)
    copy = connected.catalogue.copies.alter(head, lambda known: known.claimed(claim.worker, now)) or head
    if copy.state is CopyState.COPYING and copy.owner == claim.worker:
        copy = _begun(copy, queue, permit)
    elif not copy.state.is_open:
        connected.catalogue.permits.give_back(permit)  # it has ended since it was read
    is_ours = copy.state is CopyState.COPYING and copy.owner == claim.worker
    return NextCopy(copy) if is_ours else NextCopy(wait_until=copy.not_before or now)


@activity(blueprint)
def look_at_copy(look: CopyLook) -> Copy:
    """Read how far a copy is and record it; the last disk's copy completes the replica of its point.

    Safe to repeat: the record follows from what Azure says of this attempt, a copy that is over stays so, and
    the replica's manifest is the same each time. A copy that another worker has taken over stays as it is.
    """
    connected, copy, now = cloud(), look.copy, cloud().now()
    location = as_it_is_now(look.location)
    with _silence_told(copy):
        target = connected.snapshots.find(copy.target_id(location))
    expected = copy.observed(target, now)
    if expected.is_stalled and not copy.is_stalled:
        since = f"nothing was copied since {copy.progressed}, at {expected.percent:.1f} %"
        announce(Event(EventName.COPY_STALLED, copy.point, since, circumstances(copy)))

    def observed(known: Copy) -> Copy | None:
        is_ours = known.attempt == copy.attempt and known.owner == copy.owner
        return known.observed(target, now) if is_ours else None

    recorded = connected.catalogue.copies.alter(copy, observed) or expected
    if recorded.attempt > copy.attempt:
        connected.catalogue.permits.give_back_after(copy.pool(location), copy.holder, copy.attempt)
    return recorded if recorded.state.is_open else settle(recorded, location)


def _head(queue: CopyQueue) -> Copy | None:
    """Return the oldest copy that is not over, after everything that is over has been settled."""
    copies, now = cloud().catalogue.copies, cloud().now()
    known = copies.of_queue(queue)
    for key, reason in to_skip(known, queue.backlog).items():
        place = next(place for place, copy in enumerate(known) if copy.row_key == key)
        known[place] = copies.alter(known[place], partial(_skipped, reason, now)) or known[place]
    for copy in known:
        if not copy.state.is_open and not copy.is_settled:
            settle(copy, queue.location)  # the worker before us did not come to it
    return next((copy for copy in known if copy.state.is_open), None)


def _skipped(reason: str, now: datetime, known: Copy) -> Copy:
    return known.skipped(reason, now)


def _obstacle(head: Copy, claim: Claim, now: datetime) -> datetime | None:
    """Return when to look again if the head of a queue cannot be begun now."""
    if head.is_held(claim.worker, now) and head.renewed:
        return head.renewed + CLAIM_LASTS
    if head.not_before and now < head.not_before:
        return head.not_before
    if head.started is None and _is_disk_busy(head, claim.queue, now):
        return now + BUSY
    return None


def _is_disk_busy(copy: Copy, queue: CopyQueue, now: datetime) -> bool:
    """Whether Azure makes another copy of the disk: one at a time, wherever it goes to.

    Pages are no copy of Azure's: they wait for none, and none waits for them.
    """
    if copy.is_paged:
        return False
    catalogue = cloud().catalogue
    others = [
        other for other in catalogue.copy_queues.of_disk(queue.disk) if other.partition != queue.partition
    ]
    at_work = (
        known
        for other in others
        for known in catalogue.copies.of_queue(other)
        if not known.is_paged and known.is_at_work(now)
    )
    return any(at_work) or any(_is_unfinished(copy, name, queue) for name in copy.earlier_names)


def _is_unfinished(copy: Copy, name: str, queue: CopyQueue) -> bool:
    """Whether an attempt that was given up is still copying: it is in the way until it is pruned."""
    target = cloud().snapshots.find(copy.snapshot_id(name, queue.location))
    return target is not None and not target.is_usable and target.failure is None


def _permit(copy: Copy, queue: CopyQueue, now: datetime) -> Row | None:
    permit = Permit(copy.holder, now + PERMIT_LASTS, copy.attempt)
    return cloud().catalogue.permits.take(copy.pool(queue.location), permit, now)


def _begun(copy: Copy, queue: CopyQueue, permit: Row) -> Copy:
    """Order a copy from Azure and record that it was taken, refused, or not possible now.

    A permit that goes back does so before that is recorded: who dies in between takes it once more.
    """
    connected, now = cloud(), cloud().now()
    location = queue.location
    try:
        with _silence_told(copy):
            changed = begin_pages(copy, queue, now) if copy.is_paged else _ordered(copy, location, now)
    except Conflicting as conflict:
        if _is_disk_busy(copy, queue, now):
            changed = copy.deferred(str(conflict), now + BUSY)
        else:  # perhaps somebody else copies the disk, which may take hours
            changed = copy.lost(str(conflict), now, again_after=AFTER_CONFLICT)
    except Refused as refused:
        changed = copy.lost(str(refused), now)
    except Transient as busy:
        changed = _throttled(copy, location, busy, now)
    if changed.state is not CopyState.COPYING:
        connected.catalogue.permits.give_back(permit)

    def ordered(known: Copy) -> Copy | None:
        # Another run of this step may have got its order taken meanwhile, or a worker taken the copy over.
        is_same = (known.attempt, known.owner, known.started) == (copy.attempt, copy.owner, copy.started)
        return changed if is_same else None

    return connected.catalogue.copies.alter(copy, ordered) or changed


def _ordered(copy: Copy, location: Location, now: datetime) -> Copy:
    """Order a copy from Azure."""
    tags = snapshot_tags(copy.point, copy.vm_name, copy.disk_name, copy.policy, location.name)
    cloud().snapshots.begin_copy(copy.target_id(location), copy.source_id, location, tags, copy.encryption)
    return copy.begun(now)


def _throttled(copy: Copy, location: Location, busy: Transient, now: datetime) -> Copy:
    """Put a copy back that Azure takes too many requests to begin, and let all who wait for a place wait on.

    One that cannot be begun for a day is given up like one that stands still.

    The limit is one for all of them, and it fills again while nobody asks: a hundred who each ask again and
    again would mostly be refused. Any other failure is raised as it was.
    """
    if busy.code != Transient.THROTTLED:
        raise busy
    cloud().catalogue.permits.pause(copy.pool(location), str(busy), now + BUSY)
    return copy.put_off(str(busy), now + max(busy.retry_after or BUSY, BUSY), now)


@contextmanager
def _silence_told(copy: Copy) -> Iterator[None]:
    """Tell that a copy stands still also where Azure does not answer, as when its region is lost.

    One that was found to stand still before has been told.
    """
    try:
        yield
    except Transient as silence:
        copies = cloud().catalogue.copies
        known = copies.known(copy)
        is_at_work = known.state is CopyState.COPYING
        if is_at_work and known.stands_still(cloud().now()) and not known.is_stalled:
            since = f"nothing is known of it since {known.progressed}: {silence}"
            announce(Event(EventName.COPY_STALLED, copy.point, since, circumstances(known)))
            copies.alter(copy, lambda latest: replace(latest, is_stalled=True) if latest == known else None)
        raise
