"""Copies: one disk of one restore point on its way to one location, attempt by attempt.

They wait in queues (domain/copy_queues.py). Where a location has the method `pages`, domain/page_copies.py
says how far the pages of a copy are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.names import copy_partition, copy_row_key, page_blob_name, snapshot_id, snapshot_name
from domain.page_copies import PageProgress
from domain.policy import Location
from domain.restore_points import ProtectedDisk, ReplicaState, RestorePoint
from domain.snapshots import Snapshot

MOST_ATTEMPTS = 3
BETWEEN_ATTEMPTS = timedelta(minutes=5)  # and three times as long before the one after
CLAIM_LASTS = timedelta(minutes=15)
# Nobody documents how long a copy may take, nor a sign that one has stalled.
STALLED = timedelta(hours=6)
GIVEN_UP = timedelta(hours=24)


class CopyState(StrEnum):
    """How far a copy has come."""

    WAITING = "waiting"
    COPYING = "copying"
    AVAILABLE = "available"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def is_open(self) -> bool:
        """Whether there is still something to do."""
        return self in (CopyState.WAITING, CopyState.COPYING)


@dataclass(frozen=True)
class Copy:
    """One disk of one restore point on its way to one location.

    `owner` is the worker that has it, `renewed` when that worker last gave a sign of life, `progressed` when
    Azure last said that more is copied (before that, when it took the order or was first asked to), `started`
    when it took the order of this attempt. An attempt is not begun before `not_before`.
    """

    point: str
    vm_name: str
    policy: str
    disk: str
    disk_name: str
    disk_unique_id: str
    location: str
    source_id: str
    source_unique_id: str
    source_created: datetime
    state: CopyState = CopyState.WAITING
    attempt: int = 1
    percent: float = 0.0
    progressed: datetime | None = None
    owner: str | None = None
    renewed: datetime | None = None
    failure: str | None = None
    is_settled: bool = False  # whether the replica of its point has taken note that it is over
    is_cleaned: bool = False  # whether what its failed attempts left behind is gone
    started: datetime | None = None
    not_before: datetime | None = None
    is_stalled: bool = False
    encryption: str | None = None  # as ARM names it, where the disk has a key of its owner's
    # Where its data lies, as its location was when it was queued: a resource group, or a container of page
    # blobs, which is empty where Azure copies the snapshot itself.
    group_id: str = ""
    container: str = ""
    pages: PageProgress | None = None  # which blob it is written into, and how far
    is_damaged: bool = False  # whether a verification found other bytes in it than it must have
    damaged_at: int | None = None  # the address of the first of them; None where it is not there at all
    verified: datetime | None = None  # when a verification of it last found it equal to its source
    unverified: str | None = None  # why the last one did not come to its end
    unverified_since: datetime | None = None  # when the first of them that did not in a row was
    whole_because: str | None = None  # why it is written whole, whatever difference there may be
    # Blobs of bases that it was written into before: a request to seal one may have been done unheard.
    earlier_blobs: tuple[str, ...] = ()

    @classmethod
    def of(cls, point: RestorePoint, part: ProtectedDisk, location: str) -> Copy:
        """Plan the copy of one disk of an available point."""
        snapshot = part.snapshot
        if snapshot is None or snapshot.created is None or snapshot.unique_id is None:
            raise ValueError(f"disk '{part.disk.name}' of restore point {point.id} has no snapshot to copy")
        return cls(
            point=point.id,
            vm_name=point.vm.name,
            policy=point.policy,
            disk=part.disk.key,
            disk_name=part.disk.name,
            disk_unique_id=part.disk.unique_id,
            location=location,
            source_id=snapshot.id,
            source_unique_id=snapshot.unique_id,
            source_created=snapshot.created,
            encryption=part.disk.own_encryption,
        )

    @property
    def holder(self) -> str:
        """The name under which it holds a permit."""
        return f"{copy_partition(self.disk, self.location)}~{self.point}"

    def pool(self, location: Location) -> str:
        """The pool that it takes its permit from: pages are none of the copies that Azure counts."""
        return f"pages~{location.name}" if self.is_paged else location.pool

    @property
    def row_key(self) -> str:
        """Its place in the queue."""
        return copy_row_key(self.source_created, self.point)

    @property
    def target_name(self) -> str:
        """The name of the snapshot, or of the page blob if it begins one, that this attempt makes there."""
        return self._name_of(self.attempt)

    def snapshot_id(self, name: str, location: Location) -> str:
        """The ARM id of one of its snapshots: where it was queued for, whatever the policies say since."""
        return snapshot_id(self.group_id or location.group_id, name)

    def target_id(self, location: Location) -> str:
        """The ARM id of the snapshot that this attempt makes."""
        return self.snapshot_id(self.target_name, location)

    @property
    def earlier_names(self) -> list[str]:
        """The names of what the attempts before this one may have left."""
        return [self._name_of(attempt) for attempt in range(1, self.attempt)]

    @property
    def is_paged(self) -> bool:
        """Whether Tidemark itself writes it, page by page."""
        return bool(self.container)

    def _name_of(self, attempt: int) -> str:
        if self.is_paged:
            return page_blob_name(self.disk, self.point, attempt)
        return snapshot_name(self.point, self.disk_name, self.disk_unique_id, self.location, attempt)

    def is_at_work(self, now: datetime) -> bool:
        """Whether Azure is making it, or a worker is just about to ask for it."""
        if self.state is not CopyState.COPYING:
            return False
        return self.started is not None or (self.renewed is not None and now < self.renewed + CLAIM_LASTS)

    def is_held(self, worker: str, now: datetime) -> bool:
        """Whether another worker has it and has given a sign of life lately."""
        if self.state is not CopyState.COPYING or self.owner in (None, worker) or self.renewed is None:
            return False
        return now < self.renewed + CLAIM_LASTS

    def stands_still(self, now: datetime) -> bool:
        """Whether nothing more of it is known to be copied for so long that somebody should look."""
        return self.progressed is not None and now - self.progressed >= STALLED

    def claimed(self, worker: str, now: datetime) -> Copy:
        """Return the copy in the hands of a worker; one that is over, or held by another, stays as it was."""
        if not self.state.is_open or self.is_held(worker, now):
            return self
        taken = replace(self, state=CopyState.COPYING, owner=worker, renewed=now, not_before=None)
        return replace(taken, progressed=self.progressed or now)

    def begun(self, now: datetime) -> Copy:
        """Return the copy once Azure has taken the order of this attempt."""
        if self.state is not CopyState.COPYING:
            return self
        if self.started is not None:
            return replace(self, failure=None)
        return replace(self, started=now, progressed=now, is_stalled=False, failure=None)

    def planned(self, pages: PageProgress, now: datetime) -> Copy:
        """Return the copy with a plan of its pages; one that has a plan keeps it."""
        if self.state is not CopyState.COPYING or self.pages is not None:
            return self
        return replace(self.begun(now), pages=pages, percent=pages.percent)

    def carried(self, pages: PageProgress, now: datetime) -> Copy:
        """Return the copy with more of its pages written; complete once the blob is sealed."""
        if self.state is not CopyState.COPYING or self.pages is None:
            return self
        is_further = pages.reached > self.pages.reached or bool(pages.sealed)
        carried = replace(self, pages=pages, percent=pages.percent, renewed=now, failure=None)
        carried = replace(carried, progressed=now if is_further else self.progressed, is_stalled=False)
        return replace(carried, state=CopyState.AVAILABLE) if pages.sealed else carried

    def kept_waiting(self, now: datetime) -> Copy:
        """Return the copy where nothing more could be written: stalled after hours, given up after a day."""
        return self._further(self.percent, now) if self.state is CopyState.COPYING else self

    def without_difference(self, reason: str, now: datetime) -> Copy:
        """Return the copy after an attempt that Azure gave no difference for: the next one is whole."""
        return replace(self.lost(reason, now), whole_because=reason)

    def deferred(self, reason: str, until: datetime) -> Copy:
        """Return the copy put back into its queue: something that will pass is in its way."""
        if self.state is not CopyState.COPYING:
            return self
        waiting = replace(self, state=CopyState.WAITING, owner=None, failure=reason, not_before=until)
        return replace(waiting, progressed=None, is_stalled=False)

    def put_off(self, reason: str, until: datetime, now: datetime) -> Copy:
        """Return the copy put back into its queue because Azure takes too many requests to begin it.

        Nothing of it is copied meanwhile, and nobody knows for how long: unlike a wait for another copy this
        is told, and given up, as a copy that stands still.
        """
        if self.state is not CopyState.COPYING:
            return self
        since = self.progressed or now
        if now - since >= GIVEN_UP:
            return self.lost(f"it could not be begun for {now - since}: {reason}", now)
        waiting = self.deferred(reason, until)
        return replace(waiting, progressed=since, is_stalled=now - since >= STALLED)

    def observed(self, target: Snapshot | None, now: datetime) -> Copy:
        """Take in what Azure says of the target: it is complete, further on, lost or not there at all.

        A copy that is over stays as it was.
        """
        if not self.state.is_open:
            return self
        if target is None:
            return self.lost(self.failure or f"snapshot '{self.target_name}' was begun and is gone", now)
        if target.source_id.lower() != self.source_id.lower():
            return self.lost(f"snapshot '{target.name}' is a copy of {target.source_id}, not of ours", now)
        if target.failure:
            return self.lost(target.failure, now)
        # Azure gives every copy across regions a percent; without one nothing is proved.
        if target.is_usable and target.percent is not None:
            complete = replace(self, state=CopyState.AVAILABLE, percent=100.0, progressed=now, renewed=now)
            return replace(complete, is_stalled=False, failure=None)
        return self._further(target.percent or 0.0, now)

    def _further(self, percent: float, now: datetime) -> Copy:
        progressed = now if percent > self.percent or self.progressed is None else self.progressed
        still = now - progressed
        if still >= GIVEN_UP:
            return self.lost(f"nothing more was copied for {still}, at {percent:.1f} %", now)
        seen = replace(self, percent=percent, progressed=progressed, renewed=now)
        return replace(seen, is_stalled=still >= STALLED)

    def lost(self, reason: str, now: datetime, again_after: timedelta | None = None) -> Copy:
        """Return the copy after a failed attempt: waiting for the next one, or failed for good."""
        ended = replace(self, failure=reason, renewed=now, owner=None, started=None, is_stalled=False)
        if self.attempt == MOST_ATTEMPTS:
            return replace(ended, state=CopyState.FAILED)
        later = now + (again_after or BETWEEN_ATTEMPTS * 3 ** (self.attempt - 1))
        again = replace(ended, state=CopyState.WAITING, attempt=self.attempt + 1, not_before=later)
        return replace(again, progressed=None).without_pages()

    def without_pages(self) -> Copy:
        """Return the copy to be planned anew; what it was written into, and others' is, is kept in mind."""
        left = [self.pages.blob] if self.pages and self.pages.base else []
        blobs = tuple(dict.fromkeys([*self.earlier_blobs, *left]))
        return replace(self, percent=0.0, pages=None, earlier_blobs=blobs)

    def skipped(self, reason: str, now: datetime) -> Copy:
        """Return the copy as one that will not be made; one that is over stays as it was."""
        if not self.state.is_open:
            return self
        return replace(self, state=CopyState.SKIPPED, failure=reason, renewed=now, owner=None)


def copies_of(point: RestorePoint) -> list[Copy]:
    """Return the copies that an available point asks for: every disk to every recovery location."""
    return [Copy.of(point, part, location) for location in point.recovery for part in point.disks]


def replica_state(copies: Iterable[Copy]) -> ReplicaState:
    """Derive the state of a replica from the copies of its disks; it is available only when all are."""
    states = {copy.state for copy in copies}
    if states == {CopyState.AVAILABLE}:
        return ReplicaState.AVAILABLE
    if CopyState.FAILED in states:
        return ReplicaState.FAILED
    if CopyState.SKIPPED in states:
        return ReplicaState.SKIPPED
    return ReplicaState.WAITING if states <= {CopyState.WAITING} else ReplicaState.COPYING
