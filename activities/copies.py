"""Steps that carry a restore point to its recovery locations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import azure.durable_functions as df

from domain.copies import Copy, CopyQueue, copies_of, replica_state
from domain.errors import Refused
from domain.manifests import recovery_manifest
from domain.policy import Location
from domain.protection import ProtectedVm
from domain.restore_points import ReplicaState, RestorePoint
from domain.tags import snapshot_tags
from durable import activity
from gateways.connection import cloud

blueprint = df.Blueprint()


@dataclass(frozen=True)
class CopyOrder:
    """An available point, and the locations that it goes to."""

    point: RestorePoint
    recovery: tuple[Location, ...]


@activity(blueprint)
def queue_copies(order: CopyOrder) -> list[CopyQueue]:
    """Put a copy of every disk to every recovery location into its queue; return the queues.

    Safe to repeat: a copy that is in its queue stays as it is.
    """
    catalogue = cloud().catalogue
    locations = {location.name: location for location in order.recovery}
    queues = []
    for copy in copies_of(order.point):
        queue = CopyQueue(copy.disk, locations[copy.location])
        catalogue.copies.plan(copy)
        catalogue.copy_queues.open(queue)
        queues.append(queue)
    return queues


@dataclass(frozen=True)
class Claim:
    """Who wants to work on which queue."""

    queue: CopyQueue
    owner: str


@activity(blueprint)
def begin_next_copy(claim: Claim) -> Copy | None:
    """Take the oldest open copy of a queue and begin it; return None, and close the queue, if none is open.

    Safe to repeat: the head of the queue is the same until it is over, its name follows from the attempt, and
    a snapshot found under that name is taken up.
    """
    connected, queue = cloud(), claim.queue
    seen = connected.catalogue.copy_queues.seen(queue)
    copies = connected.catalogue.copies.of_queue(queue)
    for copy in copies:
        if not copy.state.is_open and not copy.is_settled:
            _settled(copy, queue.location)  # the worker before us did not come to it
    head = next((copy for copy in copies if copy.state.is_open), None)
    if head is None:
        if seen and not connected.catalogue.copy_queues.close(seen):
            return begin_next_copy(claim)  # one was added meanwhile
        return None
    now = connected.now()
    copy = connected.catalogue.copies.alter(head, lambda known: known.claimed(claim.owner, now)) or head
    return _begun(copy, queue.location) if copy.state.is_open else copy


@dataclass(frozen=True)
class CopyLook:
    """Which copy to look at, on its way to which location."""

    copy: Copy
    location: Location


@activity(blueprint)
def look_at_copy(look: CopyLook) -> Copy:
    """Read how far a copy is and record it; the last disk's copy completes the replica of its point.

    Safe to repeat: the record follows from what Azure says of this attempt, a copy that is over stays so, and
    the replica's manifest is the same each time.
    """
    connected, copy, now = cloud(), look.copy, cloud().now()
    target = connected.snapshots.find(look.location.snapshot_id(copy.target_name))
    recorded = connected.catalogue.copies.alter(
        copy, lambda known: known.observed(target, now) if known.attempt == copy.attempt else None
    )
    recorded = recorded or copy
    return recorded if recorded.state.is_open else _settled(recorded, look.location)


def _begun(copy: Copy, location: Location) -> Copy:
    tags = snapshot_tags(copy.point, copy.vm_name, copy.disk_name, copy.policy, location.name)
    target_id = location.snapshot_id(copy.target_name)
    try:
        cloud().snapshots.begin_copy(target_id, copy.source_id, location, tags)
    except Refused as refused:
        # The next look finds no snapshot and ends the attempt, with this reason.
        reason = str(refused)
        return cloud().catalogue.copies.alter(copy, lambda known: replace(known, failure=reason)) or copy
    return copy


def _settled(copy: Copy, location: Location) -> Copy:
    """Derive the state of a replica from all its copies and record it, then that this copy is settled."""
    connected = cloud()
    point = connected.catalogue.restore_points.find(copy.point)
    refusal = _record_replica(point, location) if point else None
    settled = connected.catalogue.copies.alter(
        copy, lambda known: replace(known, is_settled=True, failure=refusal or known.failure)
    )
    return settled or copy


def _record_replica(point: RestorePoint, location: Location) -> str | None:
    """Record what became of a replica; return why its manifest was refused, if it was.

    A replica without its manifest cannot be restored when the catalogue is lost, so it is not available.
    """
    connected, refusal = cloud(), None
    copies = connected.catalogue.copies.find(point, location.name)
    state = replica_state(copies) if len(copies) == len(point.disks) else ReplicaState.WAITING
    if state is ReplicaState.AVAILABLE:
        try:
            connected.manifests.write(recovery_manifest(point, location, copies), location)
        except Refused as refused:
            state, refusal = ReplicaState.FAILED, str(refused)
    changed = connected.catalogue.restore_points.alter(
        point.id, lambda known: known.with_replica(location.name, state)
    )
    if changed:
        summary = ProtectedVm.of(changed.vm, changed.policy)
        connected.catalogue.vms.update(summary, lambda vm: vm.with_point(changed))
    return refusal
