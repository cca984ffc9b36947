"""What follows when a replica turns out to be damaged: which of them share the fault, and what puts it right.

A blob in which one replica is damaged is not written into any more: the next copy of the disk is whole, into
a blob of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.copies import Copy, CopyState
from domain.fleet import DueBackup
from domain.policy import Policy
from domain.protection import ProtectedVm
from domain.restore_points import ReplicaState, RestorePoint, next_attempt, taken_in


@dataclass(frozen=True)
class Remedy:
    """What is done about a damaged replica, in words; `due` is the backup that is begun for it at once."""

    words: str
    due: DueBackup | None = None


def remedy(
    vm: ProtectedVm | None,
    policies: Mapping[str, Policy],
    location: str,
    queue: Sequence[Copy],
    points: Sequence[RestorePoint],
    slot: datetime,
) -> Remedy:
    """Say what brings whole data of a disk to a location again, and begin it if nothing else does.

    `queue` has the copies of the disk to the location, `points` those of the VM; `slot` is that of a backup
    that would be begun now.
    """
    policy = policies.get(vm.policy) if vm else None
    if vm is None or policy is None:
        return Remedy("its VM is under no policy any more, so no newer one comes: bring it back to one")
    if location not in {each.name for each in policy.recovery}:
        return Remedy(f"policy '{policy.name}' sends nothing there any more, so no newer one comes")
    waiting = next((copy.point for copy in queue if copy.state.is_open), None)
    if waiting:
        return Remedy(f"the copy of restore point {waiting}, which waits already, will be whole")
    if vm.running:
        return Remedy(f"restore point {vm.running} is being taken, and its copy there will be whole")
    if vm.problem:
        return Remedy(f"no backup can be begun now: {vm.problem}; the next slot's copy will be whole")
    taken = taken_in(points, slot)
    if taken:
        return Remedy(f"restore point {taken.id} was taken just now, so the next slot's copy will be whole")
    due = DueBackup(vm.id, slot, next_attempt(points, slot), policy.name)
    return Remedy("a backup of the VM is begun at once, and its copy there will be whole", due)


def sharing_points(copy: Copy, queue: Sequence[Copy], points: Sequence[RestorePoint]) -> list[str]:
    """Return the older points that are offered in the location and lie in the same blob as a damaged copy."""
    blob = copy.pages.blob if copy.pages else None
    offered = {point.id for point in points if point.replicas.get(copy.location) is ReplicaState.AVAILABLE}
    return [
        other.point
        for other in queue
        if other.pages
        and other.pages.blob == blob
        and other.state is CopyState.AVAILABLE
        and other.source_created < copy.source_created
        and other.point in offered
    ]


def found_damaged(copy: Copy, address: int | None) -> Copy:
    """Return a copy as damaged; `address` is that of the first byte, None if it is not there at all."""
    return replace(copy, is_damaged=True, damaged_at=copy.damaged_at if copy.is_damaged else address)


def made_whole(copy: Copy, damaged: Copy, now: datetime) -> Copy | None:
    """Return a copy that is being written into a damaged blob, put back to be made whole; None if it is not.

    It loses no attempt.
    """
    is_in_it = copy.pages and damaged.pages and copy.pages.blob == damaged.pages.blob
    if copy.state is not CopyState.COPYING or not is_in_it:
        return None
    reason = f"the replica of {damaged.point} is damaged"
    return replace(copy.deferred(reason, now).without_pages(), started=None, whole_because=reason)


def to_be_cleaned(copy: Copy) -> Copy | None:
    """Return a copy of a damaged replica as one of which something is left again: now all of it is to go."""
    return replace(copy, is_cleaned=False) if copy.is_cleaned else None


def marked(point: RestorePoint, location: str) -> RestorePoint | None:
    """Return the point with its replica damaged; None where that is gone, or its deletion has begun."""
    state = point.replicas.get(location)
    if state not in (ReplicaState.AVAILABLE, ReplicaState.EXPIRING) or location in point.deletions:
        return None
    expires = {place: moment for place, moment in point.expires.items() if place != location}
    return replace(point.with_replica(location, ReplicaState.DAMAGED), expires=expires)
