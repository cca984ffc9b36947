"""Steps that prune: they alone delete, and each decides anew, from the books as they are at that moment."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from operator import eq

import azure.durable_functions as df

from activities.announcing import announce
from activities.deleting import Deletion, delete_all, is_manifest_gone, unknown_location
from activities.vm_books import books_of, plan_of
from domain.copy_queues import queued_for
from domain.errors import Refused, Transient
from domain.events import Event, EventName
from domain.leftovers import (
    is_forgettable,
    replica_names,
)
from domain.pruning import PrunePlan, ReplicaName
from domain.restore_points import ReplicaState, RestorePoint
from domain.retention import VmBooks, deleted, deleting, expiring, kept_again
from domain.stored import Stored, StoredSnapshot, stored
from durable import activity
from gateways.connection import cloud

blueprint = df.Blueprint()

PAGE = 25  # VMs whose books are read in one step: a few hundred rows each at most
_log = logging.getLogger("tidemark.retention")


@dataclass(frozen=True)
class PruneLook:
    """A look at the VMs after this one, in the order of their keys."""

    after: str = ""


@dataclass(frozen=True)
class PrunePage:
    """The VMs of a page that have something to prune, and where the next page begins, if there is one."""

    vms: tuple[str, ...]
    following: str | None


@activity(blueprint)
def find_vms_to_prune(look: PruneLook) -> PrunePage:
    """Read the books of a page of VMs, also of those that are gone; say where there is something to do."""
    page = cloud().catalogue.vms.page(after=look.after, most=PAGE)
    vms = tuple(vm.key for vm in page if _has_something_to_do(vm.key))
    return PrunePage(vms, page[-1].key if len(page) == PAGE else None)


def _has_something_to_do(vm: str) -> bool:
    try:
        return not plan_of(vm).is_empty
    except Transient:
        raise
    except Exception:
        return True  # one VM whose books cannot be read hides no other; its own pruning tells of it


@dataclass(frozen=True)
class PruneRequest:
    """Which VM to prune."""

    vm: str


@activity(blueprint)
def mark_replicas(request: PruneRequest) -> PrunePlan:
    """Let expire what no rule keeps, and keep again what one does; return what is to be deleted.

    Safe to repeat: what is marked is not marked again, and what has begun to expire keeps its moment.
    """
    plan, points, now = plan_of(request.vm), cloud().catalogue.restore_points, cloud().now()
    # First what is kept: so the last replica of a location is never among those that expire.
    for name in plan.keep:
        points.alter(name.point, partial(kept_again, location=name.location))
        _log.info("restore point %s is kept in %s after all", name.point, name.location)
    for name in plan.expire:
        points.alter(name.point, partial(expiring, location=name.location, now=now))
        _log.info("restore point %s expires in %s: no rule keeps it", name.point, name.location)
    if plan.stopped:
        announce(Event(EventName.PRUNE_STOPPED, request.vm, "; ".join(plan.stopped)))
    return plan


@activity(blueprint)
def delete_replica(name: ReplicaName) -> Deletion:
    """Delete the snapshots of a replica that has expired, and its manifest when they are gone.

    Decides anew: a hold may have come since it was planned. That the deletion has begun is written before
    the first snapshot goes, so a crash in between never leaves half a replica that is offered again.
    Safe to repeat: what is gone is gone, and it is over when nothing is found.
    """
    points = cloud().catalogue.restore_points
    point = _begun(name)
    if point is None:
        return Deletion(is_over=True)
    location = cloud().policies.locations.get(name.location)
    if location is None:
        return Deletion(True, (f"{point.id}: {unknown_location(name.location)}",))
    progress = delete_all(point.id, _stored_of(point, name.location))
    if progress.is_open:
        return Deletion(is_over=bool(progress.refusals), refusals=progress.refusals)
    try:
        # The manifest goes last: as long as a snapshot is there, it says what that belongs to.
        if not is_manifest_gone(point, location):
            return Deletion(is_over=True)
    except Refused as refused:
        return Deletion(True, (str(refused),))
    points.alter(point.id, lambda known: deleted(known, name.location))
    _log.info("restore point %s is deleted in %s", point.id, name.location)
    return Deletion(is_over=True)


@activity(blueprint)
def forget_points(request: PruneRequest) -> int:
    """Delete the rows of the points of which nothing is left in Azure, and of their copies; return how many.

    Safe to repeat: the copies' rows go first, so a point is there until all is done.
    """
    books, catalogue, forgotten = books_of(request.vm), cloud().catalogue, 0
    now = cloud().now()
    points = {point.id: point for point in books.points if is_forgettable(books, point, now)}
    for name in points:
        if not all([catalogue.copies.forget(copy) for copy in books.copies_of(name)]):
            continue
        if catalogue.restore_points.forget(name, partial(eq, points[name])):
            _log.info("restore point %s is forgotten: nothing of it is left", name)
            forgotten += 1
    return forgotten


@dataclass(frozen=True)
class PruneFailures:
    """What could not be pruned for a VM, and why."""

    vm: str
    reasons: tuple[str, ...]


@activity(blueprint)
def report_prune_failures(failures: PruneFailures) -> None:
    """Tell the operator what could not be deleted."""
    told = "; ".join(failures.reasons)
    announce(Event(EventName.PRUNE_FAILED, failures.vm, f"{told}; it is tried again every hour"))


def _begun(name: ReplicaName) -> RestorePoint | None:
    """Return the point of a replica whose deletion has begun, or begins now; None if it is kept or gone."""
    connected = cloud()
    point = connected.catalogue.restore_points.find(name.point)
    if point is None or point.replicas.get(name.location) is not ReplicaState.EXPIRING:
        return None
    if name.location in point.deletions:
        return point
    if name not in plan_of(point.vm.key).delete:
        return None
    now = connected.now()
    begun = connected.catalogue.restore_points.alter(
        name.point, lambda known: deleting(known, name.location, now)
    )
    return begun if begun and name.location in begun.deletions else None


def _stored_of(point: RestorePoint, location: str) -> list[Stored]:
    """Return all that a replica may consist of, what failed attempts have left too."""
    if location == point.home:
        return [StoredSnapshot(part.snapshot_id) for part in point.disks]
    place, catalogue = cloud().policies.locations[location], cloud().catalogue
    copies = tuple(catalogue.copies.find(point, location))
    return [
        each
        for copy, names in replica_names(VmBooks(point.vm.key, (point,), copies), point, location)
        for each in stored(copy if copy.group_id else queued_for(copy, place), names, place)
    ]
