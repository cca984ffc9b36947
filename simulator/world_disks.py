"""Building a disk of the world directly; it is held to the rules that a disk made by a client is held to."""

from __future__ import annotations

from typing import Any

from simulator.arm import fields
from simulator.arm.disk_model import Disk
from simulator.arm.disk_skus import (
    DEFAULT_SECTOR_SIZE,
    PROVISIONED_SKUS,
    TIERS,
    check_sector_size,
    check_size,
)
from simulator.arm.disk_traits import check_traits
from simulator.arm.encryption_sets import DiskEncryptionSet
from simulator.arm.errors import ArmError
from simulator.arm.estate import Estate
from simulator.arm.identifiers import ResourceId
from simulator.world_handles import DiskSpec


def build_disk(
    estate: Estate, disk_id: ResourceId, location: str, spec: DiskSpec, zones: list[str], tags: dict[str, str]
) -> Disk:
    """Put a disk on the shelf; raises ValueError if Azure would not have such a disk."""
    disk = Disk(
        id=disk_id,
        location=location,
        created=estate.now,
        tags=tags,
        properties=_properties(spec),
        zones=zones,
        estate=estate,
        image=estate.images.create(spec.size_bytes),
        sku=spec.sku,
        unique_id=estate.unique_ids.new(),
        is_new=False,
    )
    _check_key(estate, disk)
    estate.shelf.put(disk)
    return disk


def _properties(spec: DiskSpec) -> dict[str, Any]:
    if spec.sku not in TIERS:
        raise ValueError(f"{spec.sku!r} is not a sku of disks; there are {', '.join(TIERS)}")
    gib = -(-spec.size_bytes // fields.GIB)
    creation = {"createOption": "Empty", **spec.properties.get("creationData", {})}
    try:
        check_size(spec.sku, gib)
        check_traits(spec.properties, spec.sku, gib)
        check_sector_size(spec.sku, creation.get("logicalSectorSize"), None)
    except ArmError as error:
        raise ValueError(f"there can be no such disk: {error.message}") from error
    if spec.sku in PROVISIONED_SKUS:
        creation.setdefault("logicalSectorSize", DEFAULT_SECTOR_SIZE)
    return {**spec.properties, "creationData": creation}


def _check_key(estate: Estate, disk: Disk) -> None:
    named = disk.encryption_set
    if named is None:
        return
    found = estate.shelf.find(DiskEncryptionSet, named)
    if found is None or found.location != disk.location:
        raise ValueError(
            f"disk {disk.id} is to be encrypted with {named}, which does not exist in {disk.location}; add "
            "it first, with add_disk_encryption_set"
        )
    kind = disk.properties["encryption"].get("type")
    if kind != found.encryption_type:
        raise ValueError(
            f"disk {disk.id} is to be encrypted as {kind}, but {named} is {found.encryption_type}"
        )
