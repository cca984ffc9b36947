"""Where a disk or a VM stands when it is brought back: zone, sku and size, by the map of the location.

Zones of two regions have nothing to do with each other, so a zone is kept at home only; elsewhere the
location's map says which one stands for it. Nothing tells whether a region has zones; a location that maps
some is in one that has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.policy import Location
from domain.vms import Disk

# These disks exist in zones only, wherever a region has zones (azure-semantics §7.1).
ZONAL_SKUS = ("UltraSSD_LRS", "PremiumV2_LRS")
_SECTORS = 512  # bytes of a sector of all other disks
_WITHIN_ONE_ZONE = {"Premium_ZRS": "Premium_LRS", "StandardSSD_ZRS": "StandardSSD_LRS"}


def is_home(region: str, location: Location) -> bool:
    """Whether a location is in the region of what was backed up."""
    return region.lower() == location.region.lower()


def zones_there(zones: tuple[str, ...], region: str, location: Location) -> tuple[str, ...]:
    """Return the zones that stand for those of `region`; one that the location does not map is left out."""
    if is_home(region, location):
        return zones
    return tuple(location.zones[zone] for zone in zones if zone in location.zones)


def sku_there(disk: Disk, location: Location) -> str:
    """Return the sku of a disk brought back: zone-redundant only where there are zones."""
    if is_home(disk.region, location) or location.zones:
        return disk.sku
    return _WITHIN_ONE_ZONE.get(disk.sku, disk.sku)


def traits_there(disk: Disk, location: Location) -> Mapping[str, Any]:
    """Return what a disk brought back must be given again; of most skus no size of sectors can be chosen."""
    if sku_there(disk, location) in ZONAL_SKUS:
        return disk.traits
    return {name: value for name, value in disk.traits.items() if name != "creationData"}


def has_foreign_sectors(disk: Disk, location: Location) -> bool:
    """Whether a disk has sectors that those of its sku there have not: all others have 512 bytes.

    A disk has the sectors of what it is made from, for good.
    """
    sectors = (disk.traits.get("creationData") or {}).get("logicalSectorSize", _SECTORS)
    return sectors != _SECTORS and sku_there(disk, location) not in ZONAL_SKUS


def size_there(size: str, region: str, location: Location) -> str:
    """Return the VM size that stands for another one; at home, and where none is mapped, the same."""
    if is_home(region, location):
        return size
    sizes = {known.lower(): other for known, other in location.sizes.items()}
    return sizes.get(size.lower(), size)


def needs_a_zone(disk: Disk, location: Location) -> bool:
    """Whether Azure will refuse a disk because nothing says in which zone it is to be."""
    if disk.sku not in ZONAL_SKUS or is_home(disk.region, location):
        return False
    return bool(disk.zones or location.zones) and not zones_there(disk.zones, disk.region, location)
