"""A restore point: all the protected disks of one VM at one slot, and where its replicas are.

A point is begun before anything exists in Azure, with the planned name of every snapshot, so that no crash
leaves a snapshot that nobody knows. It becomes available only when every disk has a usable snapshot in the
home location; else it has failed, with a reason per disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.names import point_id, snapshot_name
from domain.policy import Policy
from domain.snapshots import Snapshot
from domain.vms import Disk, VirtualMachine

_NOT_AGAIN = "it is not tried again before the next slot, unless somebody asks for a backup"


class PointState(StrEnum):
    """How far a restore point has come."""

    BEGUN = "begun"
    AVAILABLE = "available"
    FAILED = "failed"


class ReplicaState(StrEnum):
    """How far a point's data in one location has come."""

    WAITING = "waiting"
    COPYING = "copying"
    AVAILABLE = "available"
    EXPIRING = "expiring"
    DELETED = "deleted"
    DAMAGED = "damaged"  # a verification found other bytes in it than it must have
    FAILED = "failed"
    SKIPPED = "skipped"


# A replica's state only moves forward: two workers may derive it at the same moment, from what each has seen.
_STAGE = {
    ReplicaState.WAITING: 0,
    ReplicaState.COPYING: 1,
    ReplicaState.SKIPPED: 2,  # one copy was; another may yet fail
    ReplicaState.FAILED: 3,
    ReplicaState.AVAILABLE: 3,
    ReplicaState.EXPIRING: 4,
    ReplicaState.DAMAGED: 5,
    ReplicaState.DELETED: 6,
}


@dataclass(frozen=True)
class ProtectedDisk:
    """One disk of a point: its planned snapshot, and what became of it."""

    disk: Disk
    snapshot_id: str
    snapshot: Snapshot | None = None
    failure: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen to the snapshot."""
        return bool(self.failure) or self.is_usable

    @property
    def is_usable(self) -> bool:
        """Whether the snapshot can be read, copied and restored from."""
        snapshot = self.snapshot
        if snapshot is None or (snapshot.percent is None and self.disk.is_filled_later):
            return False
        return snapshot.is_usable

    def observed(self, snapshot: Snapshot) -> ProtectedDisk:
        """Take in what Azure says of the snapshot."""
        return replace(self, snapshot=snapshot, failure=self._fault_of(snapshot))

    def _fault_of(self, snapshot: Snapshot) -> str | None:
        if snapshot.source_unique_id and snapshot.source_unique_id.lower() != self.disk.unique_id.lower():
            return (
                f"disk '{self.disk.name}' was replaced by another one of the same name while the backup ran "
                f"(unique id {snapshot.source_unique_id}, expected {self.disk.unique_id}); try again"
            )
        return snapshot.failure


@dataclass(frozen=True)
class Imports:
    """That a restore copies blobs in a container, a URL, to import disks from them, and since when.

    Their names follow from the restore and the disks: `domain.names.import_blob_name`.
    """

    container: str
    since: datetime


@dataclass(frozen=True)
class RestorePoint:
    """All the protected disks of one VM at one slot."""

    vm: VirtualMachine
    slot: datetime
    attempt: int
    policy: str
    home: str
    recovery: tuple[str, ...]
    disks: tuple[ProtectedDisk, ...]
    begun: datetime
    state: PointState = PointState.BEGUN
    decided: datetime | None = None
    failure: str | None = None
    operation: str | None = None
    consistency: str = "crash"
    replicas: Mapping[str, ReplicaState] = field(default_factory=dict)
    expires: Mapping[str, datetime] = field(default_factory=dict)  # location → when an expiring replica goes
    hold: str | None = None  # why it must be kept, whatever its policy says
    deletions: Mapping[str, datetime] = field(default_factory=dict)  # location → when its deletion began
    put_off: Mapping[str, datetime] = field(default_factory=dict)  # location → when its deletion goes on
    uses: Mapping[str, datetime] = field(default_factory=dict)  # operation that reads it → since when
    imports: Mapping[str, Imports] = field(default_factory=dict)  # operation → what it may have left behind
    is_cleaned: bool = False  # of a failed one: whether everything that was taken for it is gone
    is_refused: bool = False  # of a failed one: whether somebody must change something before it can succeed

    @classmethod
    def begin(
        cls,
        vm: VirtualMachine,
        policy: Policy,
        slot: datetime,
        attempt: int,
        now: datetime,
        operation: str | None,
    ) -> RestorePoint:
        """Plan a point: every snapshot has its name before it exists.

        One of a VM that cannot be protected has failed already, so that nothing is taken of it in vain, and
        its slot is not tried again: another attempt would come to the same.
        """
        point = point_id(vm.key, slot, attempt)
        home = policy.home

        def planned(disk: Disk) -> ProtectedDisk:
            name = snapshot_name(point, disk.name, disk.unique_id, home.name)
            return ProtectedDisk(disk, home.snapshot_id(name))

        begun = cls(
            vm=vm,
            slot=slot,
            attempt=attempt,
            policy=policy.name,
            home=home.name,
            recovery=tuple(location.name for location in policy.recovery),
            disks=tuple(planned(disk) for disk in vm.protected_disks),
            begun=now,
            operation=operation,
        )
        faults = vm.protection_faults(policy)
        if not faults:
            return begun
        reason = "; ".join(fault.message for fault in faults)
        return replace(begun.failed(f"{reason}; {_NOT_AGAIN}", now), is_refused=True)

    @property
    def id(self) -> str:
        """The id of the point: VM key, slot and attempt."""
        return point_id(self.vm.key, self.slot, self.attempt)

    @property
    def is_decided(self) -> bool:
        """Whether it is known what became of it."""
        return self.state is not PointState.BEGUN

    @property
    def is_available(self) -> bool:
        """Whether every protected disk has a usable snapshot in the home location."""
        return self.state is PointState.AVAILABLE

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of the VM's disks that are not in it."""
        return self.vm.left_out

    @property
    def taken(self) -> datetime | None:
        """The moment of its last disk: what was written later is not in it. None while a disk is missing."""
        moments = self._moments
        return max(moments) if moments and len(moments) == len(self.disks) else None

    @property
    def _moments(self) -> list[datetime]:
        return [disk.snapshot.created for disk in self.disks if disk.snapshot and disk.snapshot.created]

    @property
    def skew(self) -> timedelta | None:
        """The time between the first and the last disk's moment; None while one is missing."""
        moments = self._moments
        return max(moments) - min(moments) if moments and len(moments) == len(self.disks) else None

    def decided_by(self, disks: Sequence[ProtectedDisk], now: datetime) -> RestorePoint:
        """Return the point as it stands once nothing more will happen to its snapshots.

        Available means all: one disk without a usable snapshot makes the point failed, with every reason.
        """
        known = {part.disk.key: part for part in disks}
        parts = tuple(_settled(known.get(part.disk.key, part)) for part in self.disks)
        reasons = [f"disk '{part.disk.name}': {part.failure}" for part in parts if part.failure]
        if not parts:
            reasons = [f"VM '{self.vm.name}' has no disk to protect"]
        decided = replace(self, disks=parts, decided=now)
        if reasons:
            return decided.failed("; ".join(reasons), now)
        replicas = {self.home: ReplicaState.AVAILABLE}
        replicas.update({location: ReplicaState.WAITING for location in self.recovery})
        return replace(decided, state=PointState.AVAILABLE, replicas=replicas)

    def retaken(self, max_skew: timedelta, now: datetime) -> RestorePoint:
        """Return the point given up because its disks were taken too far apart; see `is_skewed`."""
        apart, most = (self.skew or timedelta()).total_seconds(), max_skew.total_seconds()
        reason = (
            f"its disks were taken {apart:.0f} s apart, and the policy allows {most:.0f} s; "
            f"all are to be taken once more, as attempt {self.attempt + 1}"
        )
        return replace(self.failed(reason, now), replicas={}, operation=None)

    def is_skewed(self, max_skew: timedelta) -> bool:
        """Whether all disks are there, but taken too far apart."""
        return self.is_available and self.skew is not None and self.skew > max_skew

    def failed(self, reason: str, now: datetime) -> RestorePoint:
        """Return the point as failed."""
        return replace(self, state=PointState.FAILED, failure=reason, decided=now)

    def with_replica(self, location: str, state: ReplicaState) -> RestorePoint:
        """Return the point with a later state of one of its replicas; an earlier one changes nothing."""
        known = self.replicas.get(location)
        if known and _STAGE[state] <= _STAGE[known]:
            return self
        return replace(self, replicas={**self.replicas, location: state})

    def used(self, by: str, now: datetime) -> RestorePoint:
        """Return the point as read by an operation: until that is over, none of it is deleted."""
        return self if by in self.uses else replace(self, uses={**self.uses, by: now})

    def released(self, by: str) -> RestorePoint:
        """Return the point as no longer read by an operation."""
        return replace(self, uses={other: since for other, since in self.uses.items() if other != by})

    def importing(self, by: str, container: str, now: datetime) -> RestorePoint:
        """Return the point with blobs that an operation may make in a container, to be deleted after it."""
        return (
            self
            if by in self.imports
            else replace(self, imports={**self.imports, by: Imports(container, now)})
        )

    def without_imports(self, by: str) -> RestorePoint:
        """Return the point when nothing is left of the blobs of an operation."""
        return replace(self, imports={other: left for other, left in self.imports.items() if other != by})


def next_attempt(points: Iterable[RestorePoint], slot: datetime) -> int:
    """Return the attempt number that is free in a slot: no name is ever used twice."""
    return 1 + max((point.attempt for point in points if point.slot == slot), default=0)


def taken_in(points: Iterable[RestorePoint], slot: datetime) -> RestorePoint | None:
    """Return the available point of a slot, after which no other is taken in it."""
    return next((point for point in points if point.slot == slot and point.is_available), None)


def _settled(part: ProtectedDisk) -> ProtectedDisk:
    if part.is_settled:
        return part
    return replace(part, failure="no usable snapshot was made of it in time")
