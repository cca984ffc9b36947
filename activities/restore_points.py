"""Steps that take a restore point."""

from __future__ import annotations

from dataclasses import dataclass, replace

import azure.durable_functions as df

from activities.announcing import announce
from domain.errors import Busy
from domain.events import Event, EventName
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
    Raises Busy while another point of the VM is being taken, or where a newer one has been taken.
    """
    catalogue = cloud().catalogue
    known = catalogue.restore_points.find(planned.id)
    if known and known.is_decided:
        return _told(replace(known, operation=planned.operation))
    try:
        # First of all the VM: two backups of it at once would mix up which data is newer.
        catalogue.vms.update(ProtectedVm.of(planned.vm, planned.policy), lambda vm: vm.beginning(planned.id))
    except Busy as busy:
        _end_operation(planned.operation, str(busy))
        raise
    point = catalogue.restore_points.begin(planned)
    if point.is_decided:
        return _told(replace(point, operation=planned.operation))
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
    snapshot = cloud().snapshots.begin(part.snapshot_id, part.disk.id, request.home, tags)
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
    """What became of a point, and the home location that its manifest belongs to.

    A point that is retaken has failed without being anybody's worry.
    """

    point: RestorePoint
    home: Location
    is_retaken: bool = False


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
    return _told(recorded or point, is_retaken=record.is_retaken)


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
        told = _told(point)
        if not told.is_available:
            _end_operation(request.operation, failure.reason)  # also where a retake could not be started
        return told
    policy = request.policy
    summary = ProtectedVm.unseen(request.vm_id, policy.name, policy.home.region)
    connected.catalogue.vms.update(summary, lambda vm: vm.with_failure(request.point, failure.reason, now))
    announce(Event(EventName.BACKUP_FAILED, request.point, failure.reason))
    _end_operation(request.operation, failure.reason)
    return None


@dataclass(frozen=True)
class LostPoint:
    """A point that is being taken by nobody: its orchestration has ended without a word."""

    vm: str
    point: str


@activity(blueprint)
def record_lost_point(lost: LostPoint) -> None:
    """Write that a point has failed because nobody is taking it any more.

    Safe to repeat: a point that is decided stays as it was decided.
    """
    reason = "its orchestration ended before the point was decided; the slot is tried again"
    connected = cloud()
    now = connected.now()
    point = connected.catalogue.restore_points.alter(
        lost.point, lambda known: None if known.is_decided else known.failed(reason, now)
    )
    if point:
        _told(point)
        return
    known = connected.catalogue.vms.find(lost.vm)
    if known:
        connected.catalogue.vms.update(known, lambda vm: vm.with_failure(lost.point, reason, now))


def _told(point: RestorePoint, is_retaken: bool = False) -> RestorePoint:
    """Carry what became of a point into the overview and into the operation that asked for it."""
    catalogue, now = cloud().catalogue, cloud().now()
    catalogue.vms.update(ProtectedVm.of(point.vm, point.policy), lambda vm: vm.with_point(point))
    reason = point.failure or "the backup failed"
    if not point.is_available and not is_retaken:
        announce(Event(EventName.BACKUP_FAILED, point.id, reason))
    if point.operation:
        outcome = {"restorePoint": point.id}
        catalogue.operations.alter(
            point.operation,
            lambda known: (
                known.succeeded(outcome, now) if point.is_available else known.failed(reason, now, outcome)
            ),
        )
    return point


def _end_operation(operation: str | None, reason: str) -> None:
    if operation:
        connected = cloud()
        connected.catalogue.operations.alter(operation, lambda known: known.failed(reason, connected.now()))
