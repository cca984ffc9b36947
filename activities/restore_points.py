"""Steps that take a restore point."""

from __future__ import annotations

from dataclasses import dataclass, replace

import azure.durable_functions as df

from domain.manifests import home_manifest
from domain.policy import Location
from domain.protection import ProtectedVm
from domain.requests import BackupRequest
from domain.restore_points import ProtectedDisk, RestorePoint
from domain.tags import snapshot_tags
from domain.vms import VirtualMachine
from durable import activity
from gateways.connection import cloud

blueprint = df.Blueprint()


@dataclass(frozen=True)
class VmQuery:
    """Which VM to look at."""

    id: str


@activity(blueprint)
def describe_vm(query: VmQuery) -> VirtualMachine:
    """Read a VM and all its disks as they are now."""
    return cloud().virtual_machines.describe(query.id)


@activity(blueprint)
def begin_restore_point(planned: RestorePoint) -> RestorePoint:
    """Write a point into the catalogue before anything of it exists in Azure.

    Safe to repeat: a point that is there already is returned as it stands, also when it is long decided.
    """
    catalogue = cloud().catalogue
    point = catalogue.restore_points.begin(planned)
    if point.is_decided:
        return _announce(replace(point, operation=planned.operation))
    catalogue.vms.update(ProtectedVm.of(point.vm, point.policy), lambda vm: vm.with_point(point))
    if point.operation:
        catalogue.operations.alter(point.operation, lambda operation: operation.running())
    return point


@dataclass(frozen=True)
class SnapshotRequest:
    """Which snapshot to take of which disk, for which point."""

    point: str
    policy: str
    vm_name: str
    home: Location
    part: ProtectedDisk


@activity(blueprint)
def begin_snapshot(request: SnapshotRequest) -> ProtectedDisk:
    """Begin the incremental snapshot of one disk.

    Safe to repeat: its name was planned with the point, and a snapshot found under it is taken up.
    """
    part = request.part
    tags = snapshot_tags(request.point, request.vm_name, part.disk.name, request.policy, request.home.name)
    snapshot = cloud().snapshots.begin(part.snapshot_id, part.disk.id, request.home.region, tags)
    return part.observed(snapshot)


@activity(blueprint)
def look_at_snapshot(part: ProtectedDisk) -> ProtectedDisk:
    """Read how far the snapshot of one disk is."""
    snapshot = cloud().snapshots.find(part.snapshot_id)
    if snapshot is None:
        return replace(part, failure=f"snapshot {part.snapshot_id} was begun and is not there any more")
    return part.observed(snapshot)


@dataclass(frozen=True)
class PointRecord:
    """What became of a point, and the home location that its manifest belongs to."""

    point: RestorePoint
    home: Location


@activity(blueprint)
def record_restore_point(record: PointRecord) -> RestorePoint:
    """Write what became of a point.

    Safe to repeat: the manifest comes first and is the same each time, and a point that is decided in the
    catalogue stays as it was decided.
    """
    point, connected = record.point, cloud()
    if point.is_available:
        connected.manifests.write(home_manifest(point, record.home), record.home)
    recorded = connected.catalogue.restore_points.alter(
        point.id, lambda known: None if known.is_decided else point
    )
    return _announce(recorded or point)


@dataclass(frozen=True)
class BackupFailure:
    """Why a backup ended before its point could be decided."""

    request: BackupRequest
    reason: str


@activity(blueprint)
def record_backup_failure(failure: BackupFailure) -> RestorePoint | None:
    """Write that a backup failed: in its point if it was begun, in the overview and its operation anyway."""
    request, connected = failure.request, cloud()
    now = connected.now()
    point = connected.catalogue.restore_points.alter(
        request.point, lambda known: None if known.is_decided else known.failed(failure.reason, now)
    )
    if point:
        return _announce(point)
    policy = request.policy
    summary = ProtectedVm.unseen(request.vm_id, policy.name, policy.home.region)
    connected.catalogue.vms.update(summary, lambda vm: vm.with_failure(request.point, failure.reason, now))
    if request.operation:
        connected.catalogue.operations.alter(
            request.operation, lambda known: known.failed(failure.reason, now)
        )
    return None


def _announce(point: RestorePoint) -> RestorePoint:
    """Carry what became of a point into the overview and into the operation that asked for it."""
    catalogue, now = cloud().catalogue, cloud().now()
    catalogue.vms.update(ProtectedVm.of(point.vm, point.policy), lambda vm: vm.with_point(point))
    if point.operation:
        outcome = {"restorePoint": point.id}
        catalogue.operations.alter(
            point.operation,
            lambda known: (
                known.succeeded(outcome, now)
                if point.is_available
                else known.failed(point.failure or "the backup failed", now, outcome)
            ),
        )
    return point
