"""Restores: which snapshots, or page blobs, become which disks, and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from domain.blob_sources import BlobSource
from domain.errors import Fault, InvalidInput
from domain.exports import export_fault
from domain.manifests import Manifest, ManifestDisk
from domain.names import import_blob_name, restored_disk_name
from domain.placement import (
    has_foreign_sectors,
    is_home,
    needs_a_zone,
    sku_there,
    traits_there,
    zones_there,
)
from domain.policy import Location
from domain.provisioning import Made
from domain.tags import restored_tags
from domain.vms import Disk


@dataclass(frozen=True)
class DiskPlan:
    """One disk to be made from one snapshot, or from the `blob`, where the snapshot's id is empty."""

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
    blob: BlobSource | None = None

    @property
    def source(self) -> str:
        """What the disk will say that it was made of: so another one under its name is told apart."""
        return self.snapshot_id if self.blob is None else self.blob.source


@dataclass(frozen=True)
class RestoredDisk(Made):
    """A disk made by a restore, as Azure describes it; one that awaits its upload has no content yet."""

    id: str
    name: str
    provisioning_state: str
    source_id: str
    size_bytes: int | None = None
    source_disk: str = ""
    lun: int | None = None
    awaits_upload: bool = False

    def of(self, plan: DiskPlan) -> RestoredDisk:
        """Return it with what it is in the VM that was backed up."""
        return replace(self, source_disk=plan.source_disk, lun=plan.lun)


def is_wanted(disk: Disk, names: Collection[str]) -> bool:
    """Whether a disk is among those that were asked for; where none is named, all are."""
    return not names or disk.name.lower() in {name.lower() for name in names}


def plan_disks(
    operation: str, manifest: Manifest, location: Location, names: Collection[str] = ()
) -> list[DiskPlan]:
    """Plan a disk for every wanted disk of a replica; raises InvalidInput that lists why it cannot be."""
    wanted = [part for part in manifest.disks if is_wanted(part.disk, names)]
    faults = [
        *manifest_faults(manifest, location),
        *disk_faults([part.disk for part in manifest.disks], location, names),
        *blob_faults(wanted, location),
    ]
    if faults:
        raise InvalidInput(f"Manifest of restore point {manifest.point}", faults)
    return [_disk_plan(operation, manifest.point, part, location) for part in wanted]


def restored_disk_id(operation: str, disk: Disk, location: Location) -> str:
    """Return the ARM id of the disk that a restore makes of a protected one."""
    name = restored_disk_name(operation, disk.name, disk.unique_id)
    return f"{location.restore_group_id}/providers/Microsoft.Compute/disks/{name}"


def manifest_faults(manifest: Manifest, location: Location) -> Iterator[Fault]:
    """Say why a manifest is not the one of a replica in a location."""
    if manifest.location != location.name or manifest.region.lower() != location.region.lower():
        found = f"it describes {manifest.location} ({manifest.region})"
        yield Fault("location", f"{found}, not {location.name} ({location.region})")


def disk_faults(disks: Sequence[Disk], location: Location, names: Collection[str] = ()) -> Iterator[Fault]:
    """Say why the wanted ones among the disks of a restore point cannot be made in a location."""
    there = {disk.name.lower() for disk in disks}
    for name in names:
        if name.lower() not in there:
            known = ", ".join(disk.name for disk in disks)
            yield Fault("disks", f"the restore point has no disk '{name}'; it has {known}")
    for disk in disks:
        if is_wanted(disk, names):
            yield from _disk_faults(disk, location)


def blob_faults(parts: Sequence[ManifestDisk], location: Location) -> Iterator[Fault]:
    """Say why disks that page blobs hold cannot be made of them.

    They are read where the policy file says, and nowhere else: whoever can write a manifest must not be able
    to send the app, and its token, to another account.
    """
    held = [part for part in parts if part.blob]
    containers = {part.blob.container for part in held if part.blob}
    for container in sorted(containers - {location.pages}):
        there = f"in {location.pages}" if location.pages else "nowhere any more"
        yield Fault(
            "location",
            f"the replica consists of page blobs in {container}, and location '{location.name}' has its "
            f"pages {there}; give it the former back for this restore",
        )
    for part in held:
        if why := export_fault(part.disk.size_bytes, part.disk.traits):
            yield Fault("disks", f"disk '{part.disk.name}' cannot be made of a page blob: {why}")


def _disk_faults(disk: Disk, location: Location) -> Iterator[Fault]:
    if disk.encryption_set_id and not _encryption_set(disk, location):
        yield Fault(
            "location",
            f"disk '{disk.name}' is encrypted with a key of its own, which does not reach "
            f"{location.region}; give location '{location.name}' an encryption_set",
        )
    if has_foreign_sectors(disk, location):
        size = disk.traits["creationData"]["logicalSectorSize"]
        yield Fault(
            "disks",
            f"disk '{disk.name}' has sectors of {size} bytes, and of its snapshot Azure makes no disk of "
            f"type {sku_there(disk, location)}; restore the other disks by name, and make a Premium SSD v2 "
            "or Ultra disk of this one's snapshot by hand",
        )
    if _guest_state_key(disk) and not is_home(disk.region, location):
        yield Fault(
            "location",
            f"disk '{disk.name}' is confidential with a key of its owner's, and the encryption set for that "
            f"serves {disk.region} only; restore it at home, or the other disks by name",
        )
    if needs_a_zone(disk, location):
        zone = disk.zones[0] if disk.zones else None
        found = f"zone {zone} of {disk.region}" if zone else f"no zone of {disk.region}"
        yield Fault(
            "location",
            f"disk '{disk.name}' is {disk.sku}, which exists in zones only, and was in {found}; "
            f"give location '{location.name}' a zone that stands for it in its zones, or restore at home",
        )


def _guest_state_key(disk: Disk) -> str | None:
    """Return the encryption set of a confidential disk: it is another than that of ordinary disks."""
    return (disk.traits.get("securityProfile") or {}).get("secureVMDiskEncryptionSetId")


def _disk_plan(operation: str, point: str, part: ManifestDisk, location: Location) -> DiskPlan:
    disk = part.disk
    return DiskPlan(
        id=restored_disk_id(operation, disk, location),
        region=location.region,
        sku=sku_there(disk, location),
        size_bytes=disk.size_bytes,
        snapshot_id=part.snapshot_id,
        source_disk=disk.name,
        lun=disk.lun,
        zones=zones_there(disk.zones, disk.region, location),
        encryption_set_id=_encryption_set(disk, location),
        traits=traits_there(disk, location),
        tags=restored_tags(disk.tags, point, operation),
        blob=_blob_source(operation, part, location),
    )


def _blob_source(operation: str, part: ManifestDisk, location: Location) -> BlobSource | None:
    blob = part.blob
    if blob is None:
        return None
    source = BlobSource(location.pages, blob.name, blob.sealed, blob.length)
    if not location.account_id:
        return source
    name = import_blob_name(operation, part.disk.key)
    return replace(source, account_id=location.account_id, import_name=name)


def _encryption_set(disk: Disk, location: Location) -> str | None:
    """A disk encryption set serves its own region only."""
    if disk.encryption_set_id is None:
        return None
    return disk.encryption_set_id if is_home(disk.region, location) else location.encryption_set_id
