"""What has to fit together for a machine to be: size, generation, security type, zone, region.

Wording from public reports where it is known; the refusal of a zone that does not fit is the simulator's own.
Which sizes exist, how many disks they take and whether a region has capacity is not simulated: a size is
judged by its name alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from simulator.arm import errors, fields
from simulator.arm.disk_model import Disk
from simulator.arm.errors import ArmError

_SIZE = re.compile(
    r"(?:Standard|Basic)_[A-Z]+\d+(?:-\d+)?(?P<features>[a-z]*)(?:_[A-Za-z0-9]+)*", re.IGNORECASE
)
_FIRST_GENERATION = re.compile(
    r"Basic_A\d+|Standard_(?:A\d+m?(?:_v2)?|D\d+(?:_v[23])?|E\d+i?_v3|F\d+|G\d+)", re.IGNORECASE
)


def check_size(size: str, disk: Disk) -> None:
    """Refuse a size that cannot boot the OS disk's generation, or has no premium storage for it."""
    found = _SIZE.fullmatch(size)
    if not found:
        raise errors.invalid_parameter(f"The value {size} provided for the VM size is not valid.", "vmSize")
    generation = disk.properties.get("hyperVGeneration", "V1")
    if generation == "V2" and _FIRST_GENERATION.fullmatch(size):
        raise ArmError(
            400, "BadRequest", f"The selected VM size '{size}' cannot boot Hypervisor Generation '2'."
        )


def check_storage(size: str, disk: Disk) -> None:
    """Refuse a premium disk on a size without premium storage: its name has no `s`."""
    found = _SIZE.fullmatch(size)
    features = (found["features"] if found else "").lower()
    has_premium = "s" in features or re.match(r"standard_[a-z]*s\d", size, re.IGNORECASE) is not None
    if disk.sku.startswith(("Premium", "Ultra")) and not has_premium:
        raise errors.invalid_parameter(
            f"Requested operation cannot be performed because the VM size {size} does not support the "
            f"storage account type {disk.sku} of disk '{disk.id.name}'. Consider updating the VM to a size "
            "that supports Premium storage.",
            "vmSize",
        )


def check_security(properties: Mapping[str, Any], disk: Disk) -> None:
    """Refuse a machine whose security type is not that of its OS disk."""
    asked = fields.section(properties, "securityProfile").get("securityType") or "Standard"
    needed = disk.properties.get("securityProfile", {}).get("securityType") or "Standard"
    family = "ConfidentialVM" if needed.startswith("ConfidentialVM") else needed
    if asked != family:
        raise ArmError(
            400,
            "BadRequest",
            "Security type of VM is not compatible with the security type of attached OS Disk: "
            f"'{asked}' and '{family}'.",
        )


def check_plan(body: Mapping[str, Any], disk: Disk) -> None:
    """Refuse a machine without the purchase plan that its OS disk carries."""
    needed = disk.properties.get("purchasePlan")
    if not needed:
        return
    asked = fields.section(body, "plan")
    if any(asked.get(name) != needed.get(name) for name in ("name", "publisher", "product")):
        raise ArmError(
            400,
            "VMMarketplaceInvalidInput",
            "Creating a virtual machine from Marketplace image or a custom image sourced from a "
            f"Marketplace image requires Plan information in the request: {dict(needed)}.",
        )


def check_place(disk: Disk, location: str, zones: list[str]) -> None:
    """Refuse a disk of another region, or of another zone unless it is zone-redundant."""
    if disk.location != location:
        raise errors.own(
            400,
            "SimulatorRegionMismatch",
            f"Disk '{disk.id.name}' is in '{disk.location}', the virtual machine in '{location}'.",
        )
    if disk.sku.endswith("_ZRS"):
        return
    if disk.zones != zones:
        raise errors.own(
            400,
            "SimulatorZoneMismatch",
            f"Disk '{disk.id.name}' is in zone {disk.zones or 'none'}, the virtual machine in "
            f"{zones or 'none'}.",
        )
