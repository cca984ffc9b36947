"""Restores: which snapshots become which disks, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from domain.errors import Fault, InvalidInput
from domain.manifests import Manifest, ManifestDisk
from domain.names import restored_disk_name
from domain.policy import Location
from domain.vms import Disk


@dataclass(frozen=True)
class DiskPlan:
    """One disk to be made from one snapshot."""

    id: str
    region: str
    sku: str
    size_bytes: int
    snapshot_id: str
    source_disk: str
    lun: int | None
    zones: tuple[str, ...] = ()
    encryption_set_id: str | None = None
    traits: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RestoredDisk:
    """A disk made by a restore, as Azure describes it."""

    id: str
    name: str
    provisioning_state: str
    source_id: str
    size_bytes: int | None = None
    source_disk: str = ""
    lun: int | None = None

    def of(self, plan: DiskPlan) -> RestoredDisk:
        """Return it with what it is in the VM that was backed up."""
        return replace(self, source_disk=plan.source_disk, lun=plan.lun)

    @property
    def is_ready(self) -> bool:
        """Whether it can be attached and read."""
        return self.provisioning_state == "Succeeded"

    @property
    def has_failed(self) -> bool:
        """Whether it never will be."""
        return self.provisioning_state in ("Failed", "Canceled")


def plan_disks(operation: str, manifest: Manifest, location: Location) -> list[DiskPlan]:
    """Plan a disk for every disk of a replica; raises InvalidInput that lists why it cannot be."""
    faults = list(_faults(manifest, location))
    if faults:
        raise InvalidInput(f"Manifest of restore point {manifest.point}", faults)
    return [_disk_plan(operation, manifest.point, part, location) for part in manifest.disks]


def restored_disk_id(operation: str, disk: Disk, location: Location) -> str:
    """Return the ARM id of the disk that a restore makes of a protected one."""
    name = restored_disk_name(operation, disk.name, disk.unique_id)
    return f"{location.restore_group_id}/providers/Microsoft.Compute/disks/{name}"


def _disk_plan(operation: str, point: str, part: ManifestDisk, location: Location) -> DiskPlan:
    disk = part.disk
    return DiskPlan(
        id=restored_disk_id(operation, disk, location),
        region=location.region,
        sku=disk.sku,
        size_bytes=disk.size_bytes,
        snapshot_id=part.snapshot_id,
        source_disk=disk.name,
        lun=disk.lun,
        # Zones of two regions have nothing to do with each other.
        zones=disk.zones if _is_at_home(disk, location) else (),
        encryption_set_id=_encryption_set(disk, location),
        traits=disk.traits,
        tags={"tidemark-point": point, "tidemark-operation": operation},
    )


def _faults(manifest: Manifest, location: Location) -> Iterator[Fault]:
    if manifest.location != location.name or manifest.region.lower() != location.region.lower():
        found = f"it describes {manifest.location} ({manifest.region})"
        yield Fault("location", f"{found}, not {location.name} ({location.region})")
    for part in manifest.disks:
        if part.disk.encryption_set_id and not _encryption_set(part.disk, location):
            yield Fault(
                "encryption_set",
                f"disk '{part.disk.name}' is encrypted with a key of its own, which does not reach "
                f"{location.region}; give location '{location.name}' an encryption_set",
            )


def _encryption_set(disk: Disk, location: Location) -> str | None:
    """A disk encryption set serves its own region only."""
    if disk.encryption_set_id is None:
        return None
    return disk.encryption_set_id if _is_at_home(disk, location) else location.encryption_set_id


def _is_at_home(disk: Disk, location: Location) -> bool:
    return disk.region.lower() == location.region.lower()


@dataclass(frozen=True)
class RestoreOutcome:
    """What a restore brought back, and why it is not all, if it is not."""

    disks: tuple[RestoredDisk, ...] = ()
    failure: str | None = None
