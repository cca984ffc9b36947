"""How a disk comes about: `creationData`, size, sku, sectors, and what is set of it."""

from __future__ import annotations

from typing import Any

from simulator.arm import errors, fields
from simulator.arm.call import Call
from simulator.arm.disk_origins import Origin
from simulator.arm.disk_settings import ACCESS, INHERITED, kept
from simulator.arm.disk_skus import (
    DEFAULT_SECTOR_SIZE,
    PROVISIONED_SKUS,
    check_sector_size,
    check_size,
    check_sku,
)
from simulator.arm.disk_traits import TRAITS, check_traits
from simulator.arm.encryption_sets import asked_encryption, has_customer_key
from simulator.arm.fields import GIB
from simulator.arm.snapshot_model import Snapshot
from simulator.regions import REGIONS

_TOLD = ("createOption", "sourceResourceId", "sourceUri", "storageAccountId", "uploadSizeBytes")
_NOT_SIMULATED = ("diskIOPSReadOnly", "diskMBpsReadOnly")
_CREATION_NOT_SIMULATED = (
    "galleryImageReference",
    "imageReference",
    "instantAccessDurationMinutes",
    "performancePlus",
)


def asked_size(call: Call, sku: str, origin: Origin) -> int:
    """Return the bytes that a new disk is to have; raises ArmError 400 InvalidParameter."""
    asked = fields.whole(fields.section(call.body, "properties"), "diskSizeGB", "properties.")
    there = origin.size_bytes
    if asked is None:
        if there is None:
            raise errors.missing_parameter("diskSizeGB")
        check_size(sku, -(-there // GIB))
        return there
    check_size(sku, asked)
    if there is not None and asked * GIB < there:
        source = "snapshot" if origin.snapshot else "blob"
        raise errors.invalid_parameter(
            f"The value '{asked}' of disk parameter 'diskSizeGB' is smaller than the source {source}'s "
            f"{-(-there // GIB)}.",
            "diskSizeGB",
        )
    return asked * GIB


def asked_sku(call: Call, location: str, zones: list[str]) -> str:
    """Return the sku that a body asks for; raises ArmError 400 InvalidParameter.

    Own choice: Ultra and Premium SSD v2 are zonal where a region has zones; Azure has some without as well.
    """
    sku = fields.text(fields.section(call.body, "sku"), "name") or "Standard_LRS"
    check_sku(sku)
    if sku.endswith("_ZRS") and not REGIONS[location].has_zones:
        raise errors.invalid_parameter(f"The sku '{sku}' is not available in '{location}'.", "sku.name")
    if sku in PROVISIONED_SKUS and REGIONS[location].has_zones and not zones:
        raise errors.invalid_parameter(f"A disk of type {sku} must be in a zone of '{location}'.", "zones")
    return sku


def asked_properties(call: Call, location: str, sku: str, gib: int, origin: Origin) -> dict[str, Any]:
    """Return the properties that a new disk begins with; raises ArmError where they do not fit the sku."""
    asked = fields.section(call.body, "properties")
    refuse_read_only_performance(asked)
    properties = kept(asked, *ACCESS, *INHERITED, *TRAITS)
    check_traits(properties, sku, gib)
    encryption = asked_encryption(call, location)
    if encryption is not None:
        _check_key_stays(encryption, origin.snapshot)
        properties["encryption"] = encryption
    return {"creationData": _creation_data(asked, sku, origin), **properties}


def refuse_read_only_performance(asked: fields.Json) -> None:
    """Refuse the performance of shared disks."""
    for name in _NOT_SIMULATED:
        if asked.get(name) is not None:
            raise errors.not_simulated(f"'{name}', the performance of shared disks")


def _check_key_stays(encryption: fields.Json, source: Snapshot | None) -> None:
    """Refuse to turn off a customer's key: it cannot be, ever (azure-semantics §5)."""
    if source is None or not has_customer_key(source.properties.get("encryption")):
        return
    if not has_customer_key(encryption):
        raise errors.own(
            400,
            "SimulatorEncryptionMismatch",
            f"Snapshot '{source.id.name}' has a customer-managed key; a disk made from it has one too.",
        )


def _creation_data(asked: fields.Json, sku: str, origin: Origin) -> dict[str, Any]:
    creation = fields.section(asked, "creationData")
    for name in _CREATION_NOT_SIMULATED:
        if creation.get(name):
            raise errors.not_simulated(f"'creationData.{name}' of a disk")
    sector = fields.whole(creation, "logicalSectorSize", "properties.creationData.")
    check_sector_size(sku, sector, origin.sector_size)
    told = {name: creation[name] for name in _TOLD if creation.get(name)}
    if sku in PROVISIONED_SKUS:
        told["logicalSectorSize"] = sector or origin.sector_size or DEFAULT_SECTOR_SIZE
    return told
