"""Reads all that the catalogue says of one VM, which is what retention decides from."""

from __future__ import annotations

from datetime import timedelta

from domain.errors import Refused
from domain.leftovers import disk_keys
from domain.policy import Policy
from domain.pruning import PrunePlan, plan_pruning
from domain.restore_points import RestorePoint
from domain.retention import VmBooks
from gateways.connection import cloud

# An operation is written before it is begun; one that is not there after this time will never be.
_UNKNOWN_AFTER = timedelta(days=1)


def books_of(vm: str) -> VmBooks:
    """Return the points of a VM and the copies of their disks: one query, and one per disk and location.

    An operation that is over reads nothing any more; where it died before it could say so, it is said here.
    """
    catalogue = cloud().catalogue
    points = tuple(_without_ended_uses(point) for point in catalogue.restore_points.query(vm))
    locations = dict.fromkeys(location for point in points for location in point.recovery)
    copies = (
        copy
        for disk in disk_keys(points)
        for location in locations
        for copy in catalogue.copies.of_disk(disk, location)
    )
    return VmBooks(vm, points, tuple(copies))


def policy_of(vm: str) -> Policy | None:
    """Return the policy that a VM is under, or None where the policy file does not know it."""
    known = cloud().catalogue.vms.find(vm)
    return cloud().policies.policies.get(known.policy) if known else None


def plan_of(vm: str) -> PrunePlan:
    """Decide anew, from the books as they are now, what is to be done for a VM."""
    return plan_pruning(books_of(vm), policy_of(vm), cloud().now())


def _without_ended_uses(point: RestorePoint) -> RestorePoint:
    ended = [by for by in point.uses if _is_over(by, point)]
    if not ended:
        return point

    def released(known: RestorePoint) -> RestorePoint:
        for by in ended:
            known = known.released(by)
        return known

    return cloud().catalogue.restore_points.alter(point.id, released) or point


def _is_over(by: str, point: RestorePoint) -> bool:
    try:
        operation = cloud().catalogue.operations.find(by)
    except (ValueError, Refused):
        return False  # no operation's id, or one that cannot be read: whoever wrote it takes it out
    if operation is None:
        return cloud().now() > point.uses[by] + _UNKNOWN_AFTER
    return operation.state.is_over
