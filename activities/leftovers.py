"""The step that deletes what failed attempts, and restores, have left of a restore point."""

from __future__ import annotations

from dataclasses import dataclass, replace

import azure.durable_functions as df

from activities.deleting import Deletion, Progress, delete_all, is_manifest_gone, unknown_location
from activities.import_blobs import clean_imports
from activities.vm_books import books_of
from domain.copies import Copy
from domain.leftovers import CopyLeftovers, copy_leftovers, is_failure_to_clean
from domain.names import point_parts
from domain.policy import Location
from domain.restore_points import ReplicaState, RestorePoint
from domain.stored import StoredSnapshot, stored
from durable import activity
from gateways.connection import cloud

blueprint = df.Blueprint()


@dataclass(frozen=True)
class PointName:
    """One restore point."""

    point: str


@activity(blueprint)
def delete_leftovers(name: PointName) -> Deletion:
    """Delete what failed attempts of a point, of its copies, and restores of it have left; note what is done.

    Safe to repeat: what is to be deleted follows from the books as they are now.
    """
    books = books_of(_vm_of(name.point))
    point = next((known for known in books.points if known.id == name.point), None)
    if point is None:
        return Deletion(is_over=True)
    progress = Progress(is_open=False)
    if is_failure_to_clean(point, cloud().now()):
        progress = _clean_failure(point)
    for left in copy_leftovers(books, point, cloud().now()):
        progress = progress.and_also(_clean(left))
    progress = progress.and_also(Progress(*clean_imports(point)))
    return Deletion(not progress.is_open or bool(progress.refusals), progress.refusals)


def _clean_failure(point: RestorePoint) -> Progress:
    progress = delete_all(point.id, [StoredSnapshot(part.snapshot_id) for part in point.disks])
    if progress.is_open:
        return progress
    home = cloud().policies.locations.get(point.home)
    # It is written just before a point is decided, and another one may have decided otherwise.
    if home is None or is_manifest_gone(point, home):
        cloud().catalogue.restore_points.alter(point.id, lambda known: replace(known, is_cleaned=True))
    return progress


def _clean(left: CopyLeftovers) -> Progress:
    location = cloud().policies.locations.get(left.copy.location)
    if location is None:
        return Progress(True, (f"{left.copy.point}: {unknown_location(left.copy.location)}",))
    progress = delete_all(left.copy.point, stored(left.copy, left.names, location))
    if left.is_all and not progress.is_open and _is_rest_gone(left.copy, location):
        cloud().catalogue.copies.alter(left.copy, lambda known: _cleaned(known, left.copy))
    return progress


def _cleaned(known: Copy, seen: Copy) -> Copy | None:
    return replace(known, is_cleaned=True) if known == seen else None


def _is_rest_gone(copy: Copy, location: Location) -> bool:
    """Delete the manifest of a replica that was whole once and is damaged; others have none."""
    point = cloud().catalogue.restore_points.find(copy.point)
    if point is None or point.replicas.get(copy.location) is not ReplicaState.DAMAGED:
        return True
    return is_manifest_gone(point, location)


def _vm_of(point: str) -> str:
    vm, _, _ = point_parts(point)
    return vm
