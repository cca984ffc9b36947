"""Which snapshots the catalogue says are in the cloud, and which may be there for a while yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.copies import Copy, CopyState
from domain.leftovers import attempt_names
from domain.names import vm_key
from domain.restore_points import PointState, ReplicaState, RestorePoint
from gateways.connection import cloud

WHOLE = (ReplicaState.AVAILABLE, ReplicaState.EXPIRING)


def recorded_snapshots(vm_ids: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield the id of each snapshot that the books know, and whether it must be there.

    One that is made or deleted right now may be there, and so may what a failure left until it is pruned.
    """
    catalogue = cloud().catalogue
    for vm_id in vm_ids:
        for point in catalogue.restore_points.query(vm_key(vm_id)):
            yield from _at_home(point)
            for location in point.recovery:
                for copy in catalogue.copies.find(point, location):
                    yield from _elsewhere(point, copy)


def _at_home(point: RestorePoint) -> Iterator[tuple[str, bool]]:
    is_gone = point.is_cleaned or point.replicas.get(point.home) is ReplicaState.DELETED
    must_be = point.state is PointState.AVAILABLE and point.home not in point.deletions
    for part in () if is_gone else point.disks:
        yield part.snapshot_id.lower(), must_be


def _elsewhere(point: RestorePoint, copy: Copy) -> Iterator[tuple[str, bool]]:
    state = point.replicas.get(copy.location)
    is_whole = state in WHOLE and copy.state is CopyState.AVAILABLE
    if state is ReplicaState.DELETED or (copy.is_cleaned and not is_whole):
        return
    for name in attempt_names(copy, copy.attempt):
        is_the_one = name == copy.target_name
        if copy.is_cleaned and not is_the_one:
            continue
        must_be = is_the_one and is_whole and copy.location not in point.deletions
        yield copy.snapshot_id(name, cloud().policies.locations[copy.location]).lower(), must_be
