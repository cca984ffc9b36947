"""The skus of managed disks, and what sets them apart (Microsoft's article "Azure managed disk types").

Ultra and Premium SSD v2 are the *provisioned* ones: their operations, throughput and sector size are chosen
by the client, they are data disks only, take no host caching, and complete their snapshots in the background
(azure-semantics §5).
"""

from __future__ import annotations

from simulator.arm import errors

TIERS = {
    "Standard_LRS": "Standard",
    "StandardSSD_LRS": "Standard",
    "StandardSSD_ZRS": "Standard",
    "Premium_LRS": "Premium",
    "Premium_ZRS": "Premium",
    "PremiumV2_LRS": "Premium",
    "UltraSSD_LRS": "Ultra",
}
PROVISIONED_SKUS = {"PremiumV2_LRS", "UltraSSD_LRS"}
TIERED_SKUS = {"Premium_LRS", "Premium_ZRS"}
SECTOR_SIZES = (512, 4096)
DEFAULT_SECTOR_SIZE = 4096  # of provisioned disks; all others have 512 and do not tell it

_SMALLEST_GIB = {"UltraSSD_LRS": 4}
_LARGEST_GIB = {"UltraSSD_LRS": 65536, "PremiumV2_LRS": 65536}
_LARGEST_OF_OTHERS = 32767


def check_sku(sku: str) -> None:
    """Refuse a sku that disks do not have."""
    if sku not in TIERS:
        raise errors.invalid_parameter(f"The sku '{sku}' is not a sku of disks.", "sku.name")


def check_size(sku: str, gib: int) -> None:
    """Refuse a size that disks of a sku do not have."""
    smallest, largest = _SMALLEST_GIB.get(sku, 1), _LARGEST_GIB.get(sku, _LARGEST_OF_OTHERS)
    if not smallest <= gib <= largest:
        raise errors.invalid_parameter(
            f"The value '{gib}' of disk parameter 'diskSizeGB' is out of range. The value must be between "
            f"'{smallest}' and '{largest}', inclusive.",
            "diskSizeGB",
        )


def check_sector_size(sku: str, asked: int | None, source: int | None) -> None:
    """Refuse a sector size that a disk cannot have; `source` is that of the snapshot that it is made from.

    A disk has the sectors of what it is made from. The rule is documented, its refusal is not.
    """
    if asked is not None and asked not in SECTOR_SIZES:
        raise errors.invalid_parameter(
            f"The value '{asked}' of parameter 'logicalSectorSize' is invalid; it is 512 or 4096.",
            "creationData.logicalSectorSize",
        )
    if asked is not None and sku not in PROVISIONED_SKUS:
        raise not_of_sku("creationData.logicalSectorSize", sku)
    if source is None:
        return
    if asked not in (None, source):
        raise errors.own(
            400,
            "SimulatorSectorSizeMismatch",
            f"A disk with sectors of {asked} bytes cannot be made from a snapshot with sectors of {source}.",
        )
    if source != 512 and sku not in PROVISIONED_SKUS:
        raise errors.own(
            400,
            "SimulatorSectorSizeMismatch",
            f"A disk of type {sku} has sectors of 512 bytes; it cannot be made from a snapshot with sectors "
            f"of {source}.",
        )


def not_of_sku(name: str, sku: str) -> errors.ArmError:
    """Return the refusal of a property that disks of another sku have."""
    return errors.own(400, "SimulatorNotOfThisSku", f"'{name}' cannot be set on a disk of type {sku}.")
