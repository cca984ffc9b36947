"""What a copy that is over means for the replica of its point, and for the overview."""

from __future__ import annotations

from dataclasses import replace

from activities.announcing import announce
from activities.opening import close_sources
from domain.copies import Copy, CopyState, replica_state
from domain.errors import Refused
from domain.events import Event, EventName
from domain.manifests import recovery_manifest
from domain.policy import Location
from domain.protection import ProtectedVm
from domain.restore_points import ReplicaState, RestorePoint
from gateways.connection import cloud


def settle(copy: Copy, location: Location) -> Copy:
    """Derive the state of a replica from all its copies and record it, then that this copy is settled."""
    connected = cloud()
    connected.catalogue.permits.give_back_after(copy.pool(location), copy.holder, copy.attempt)
    point = connected.catalogue.restore_points.find(copy.point)
    refusal = _record_replica(point, location) if point else None
    if copy.is_paged:
        # What a batch has left open that died. Not before: what has arrived must not wait for a lost home.
        close_sources(copy)
    if copy.state is CopyState.FAILED:
        reason = copy.failure or "no reason is known"
        announce(Event(EventName.COPY_FAILED, copy.point, reason, circumstances(copy)))
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


def as_it_is_now(location: Location) -> Location:
    """Return a location as the policy file has it now; a worker may be older than the file."""
    return cloud().policies.locations.get(location.name, location)


def circumstances(copy: Copy) -> dict[str, str | int | float]:
    """Return what tells a copy apart, for an event."""
    return {"disk": copy.disk_name, "location": copy.location, "attempt": copy.attempt}
