"""Steps that bring disks back."""

from __future__ import annotations

from dataclasses import dataclass

import azure.durable_functions as df

from domain.errors import Refused
from domain.names import point_parts
from domain.operations import Operation
from domain.requests import RestoreRequest
from domain.restores import DiskPlan, RestoredDisk, RestoreOutcome, plan_disks
from durable import activity
from gateways.connection import cloud

blueprint = df.Blueprint()


@activity(blueprint)
def plan_restore(request: RestoreRequest) -> list[DiskPlan]:
    """Read the manifest of a replica, see that its snapshots are there, and plan a disk for each.

    Reads the location alone, not the catalogue: it works when everything else is lost.
    """
    connected = cloud()
    connected.catalogue.operations.alter(request.operation, lambda operation: operation.running())
    vm, _, _ = point_parts(request.point)
    manifest = connected.manifests.read(vm, request.point, request.location)
    plans = plan_disks(request.operation, manifest, request.location)
    unusable = [plan.source_disk for plan in plans if not _is_usable(plan)]
    if unusable:
        raise Refused(
            "SnapshotsMissing",
            f"restore point {request.point} has in {request.location.name} no usable snapshot "
            f"of {', '.join(unusable)}; choose another location or another point",
        )
    return plans


@activity(blueprint)
def begin_disk(plan: DiskPlan) -> RestoredDisk:
    """Begin one disk. Safe to repeat: its name follows from the operation, and a disk found is taken up."""
    return cloud().disks.begin(plan).of(plan)


@activity(blueprint)
def look_at_disk(plan: DiskPlan) -> RestoredDisk:
    """Read how far one disk is."""
    disk = cloud().disks.find(plan.id)
    if disk is None:
        raise Refused("DiskMissing", f"disk {plan.id} was begun and is not there any more; restore again")
    return disk.of(plan)


@dataclass(frozen=True)
class RestoreRecord:
    """What became of a restore."""

    operation: str
    outcome: RestoreOutcome


@activity(blueprint)
def record_restore(record: RestoreRecord) -> RestoreOutcome:
    """Write what became of a restore into its operation; one that is over stays as it was."""
    connected, outcome = cloud(), record.outcome
    now = connected.now()
    told = {
        "disks": [
            {"sourceDisk": disk.source_disk, "lun": disk.lun, "name": disk.name, "id": disk.id}
            for disk in outcome.disks
        ]
    }

    def ended(operation: Operation) -> Operation:
        if outcome.failure:
            return operation.failed(outcome.failure, now, told)
        return operation.succeeded(told, now)

    connected.catalogue.operations.alter(record.operation, ended)
    return outcome


def _is_usable(plan: DiskPlan) -> bool:
    snapshot = cloud().snapshots.find(plan.snapshot_id)
    return snapshot is not None and snapshot.is_usable
