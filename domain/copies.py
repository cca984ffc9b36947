"""Copies: one disk of one restore point on its way to one location, and the queue that they wait in.

Azure wants the snapshots of a disk copied in the order of their creation, one at a time, so each disk and
location has one queue, worked oldest first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.names import copy_partition, copy_row_key, snapshot_name
from domain.policy import Location
from domain.restore_points import ProtectedDisk, ReplicaState, RestorePoint
from domain.snapshots import Snapshot

MOST_ATTEMPTS = 3


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
class CopyQueue:
    """The copies of one disk to one location."""

    disk: str
    location: Location

    @property
    def partition(self) -> str:
        """The partition of its copies in the catalogue."""
        return copy_partition(self.disk, self.location.name)

    @property
    def instance(self) -> str:
        """The id of the orchestration that works it."""
        return f"copy:{self.disk}:{self.location.name}"


@dataclass(frozen=True)
class Copy:
    """One disk of one restore point on its way to one location."""

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
        )

    @property
    def row_key(self) -> str:
        """Its place in the queue."""
        return copy_row_key(self.source_created, self.point)

    @property
    def target_name(self) -> str:
        """The name of the snapshot that this attempt makes in the location."""
        return snapshot_name(self.point, self.disk_name, self.disk_unique_id, self.location, self.attempt)

    def claimed(self, owner: str, now: datetime) -> Copy:
        """Return the copy in the hands of a worker; one that is over stays as it was."""
        if not self.state.is_open:
            return self
        taken = replace(self, state=CopyState.COPYING, owner=owner, renewed=now)
        return replace(
            taken, progressed=self.progressed or now, failure=None
        )  # what failed was an attempt before

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
            return replace(self, state=CopyState.AVAILABLE, percent=100.0, progressed=now, renewed=now)
        percent = target.percent or 0.0
        progressed = now if percent > self.percent else self.progressed
        return replace(self, percent=percent, progressed=progressed, renewed=now)

    def lost(self, reason: str, now: datetime) -> Copy:
        """Return the copy after a failed attempt: waiting for the next one, or failed for good."""
        if self.attempt == MOST_ATTEMPTS:
            return replace(self, state=CopyState.FAILED, failure=reason, renewed=now)
        again = replace(self, state=CopyState.WAITING, attempt=self.attempt + 1, failure=reason, renewed=now)
        return replace(again, percent=0.0, progressed=None)


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
