"""Restores: which snapshots become which disks, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import Fault, InvalidInput
from domain.manifests import Manifest
from domain.names import restored_disk_name
from domain.policy import Location

_DISK = "/providers/Microsoft.Compute/disks/"


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

    @property
    def is_ready(self) -> bool:
        """Whether it can be attached and read."""
        return self.provisioning_state == "Succeeded"

    @property
    def has_failed(self) -> bool:
        """Whether it never will be."""
        return self.provisioning_state in ("Failed", "Canceled")


def plan_disks(operation: str, manifest: Manifest, location: Location) -> list[DiskPlan]:
    """Plan a disk for every disk of a replica; raises InvalidInput if it is not this location's."""
    if manifest.location != location.name or manifest.region.lower() != location.region.lower():
        raise InvalidInput(
            f"Manifest of restore point {manifest.point}",
            [Fault("location", f"it describes {manifest.location} ({manifest.region}), not {location.name}")],
        )
    return [
        DiskPlan(
            id=f"{location.restore_group_id}{_DISK}{restored_disk_name(operation, part.disk.name, part.disk.unique_id)}",
            region=location.region,
            sku=part.disk.sku,
            size_bytes=part.disk.size_bytes,
            snapshot_id=part.snapshot_id,
            source_disk=part.disk.name,
            lun=part.disk.lun,
            # Zones of two regions have nothing to do with each other.
            zones=part.disk.zones if location.region.lower() == part.disk.region.lower() else (),
            encryption_set_id=location.encryption_set_id if part.disk.encryption_set_id else None,
            traits=part.disk.traits,
            tags={"tidemark-point": manifest.point, "tidemark-operation": operation},
        )
        for part in manifest.disks
    ]


@dataclass(frozen=True)
class RestoreOutcome:
    """What a restore brought back, and why it is not all, if it is not."""

    disks: tuple[RestoredDisk, ...] = ()
    failure: str | None = None
