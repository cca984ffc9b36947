"""The step that follows when a replica was found damaged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import azure.durable_functions as df

from activities.announcing import announce
from domain.copies import Copy
from domain.damage import (
    Remedy,
    found_damaged,
    made_whole,
    marked,
    remedy,
    sharing_points,
    to_be_cleaned,
)
from domain.events import Event, EventName
from domain.fleet import DueBackup
from domain.protection import ProtectedVm
from domain.restore_points import RestorePoint
from domain.retention import is_offered
from domain.verifications import Verification
from durable import activity
from gateways.connection import cloud

blueprint = df.Blueprint()


@dataclass(frozen=True)
class DamageFound:
    """A verification that has found damage; `slot` is that of a backup that would be begun for it."""

    verification: Verification
    slot: datetime


@activity(blueprint)
def record_damage(found: DamageFound) -> DueBackup | None:
    """Write that a replica is damaged, and tell it; return the backup that is to be begun at once, if any.

    The copy's row comes first and the overview last, so whoever dies in between is followed by the next
    verification, which finds the copy damaged and the overview not. Safe to repeat: it is told once more.
    """
    catalogue, seen = cloud().catalogue, found.verification.copy
    copy = catalogue.copies.alter(seen, partial(found_damaged, address=found.verification.address)) or seen
    queue = catalogue.copies.of_disk(copy.disk, copy.location)
    for other in (each for each in queue if each.state.is_open):
        # What is being written into the same blob would be damaged, too.
        catalogue.copies.alter(other, partial(made_whole, damaged=copy, now=cloud().now()))
    point = catalogue.restore_points.alter(copy.point, partial(marked, location=copy.location))
    for part in catalogue.copies.find(point, copy.location) if point else ():
        catalogue.copies.alter(part, to_be_cleaned)
    vm = catalogue.vms.find(found.verification.vm)
    points = catalogue.restore_points.query(found.verification.vm)
    done = remedy(vm, cloud().policies.policies, copy.location, queue, points, found.slot)
    announce(_event(found.verification, copy, queue, points, done))
    if vm:
        _record_in_overview(vm, copy, points)
    return done.due


def _event(
    verification: Verification,
    copy: Copy,
    queue: list[Copy],
    points: list[RestorePoint],
    done: Remedy,
) -> Event:
    sharing = sharing_points(copy, queue, points)
    at = "" if copy.damaged_at is None else f", first at byte {copy.damaged_at}"
    message = (
        f"disk '{copy.disk_name}' in {copy.location} is not what was copied{at}: {verification.reason}; "
        f"{len(sharing)} older restore points lie in the same blob and may have the same fault; {done.words}"
    )
    details: dict[str, str | int | float] = {
        "disk": copy.disk_name,
        "location": copy.location,
        "older_points": len(sharing),
    }
    if copy.damaged_at is not None:
        details["address"] = copy.damaged_at
    return Event(EventName.REPLICA_DAMAGED, copy.point, message, details)


def _record_in_overview(vm: ProtectedVm, copy: Copy, points: list[RestorePoint]) -> None:
    offered = [point.id for point in points if is_offered(point, copy.location)]
    fallback = offered[0] if offered else None
    cloud().catalogue.vms.update(vm, lambda known: known.with_damage(copy.point, copy.location, fallback))
