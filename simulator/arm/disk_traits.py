"""What may be set of a disk, by its sku and size: provisioned performance, tier, bursting, shares.

The rules are documented (Microsoft's articles "Azure managed disk types", "Change the performance of managed
disks", "On-demand bursting", "Share an Azure managed disk"; SDK docstrings of `DiskProperties`). Of their
refusals only that of a number out of range has been published (azuredisk-csi-driver issue 1442); what belongs
to another sku is refused with a code of our own. That a tier is lowered, and performance changed, only a few
times a day is not simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.arm import errors
from simulator.arm.disk_performance import (
    TIER_NAMES,
    baseline_tier,
    operations_range,
    performance,
    throughput_range,
)
from simulator.arm.disk_skus import PROVISIONED_SKUS, TIERED_SKUS, not_of_sku

PERFORMANCE = ("diskIOPSReadWrite", "diskMBpsReadWrite")
TRAITS = (*PERFORMANCE, "tier", "burstingEnabled", "maxShares")
_SMALLEST_BURSTING_GIB = 513  # P30 and larger
_LARGEST_TIER_OF_SMALL = "P50"
_BOUNDARY_GIB = 4096


def check_traits(properties: Mapping[str, Any], sku: str, gib: int) -> None:
    """Refuse what a disk of a sku and size cannot be given; raises ArmError 400."""
    _check_performance(properties, sku, gib)
    _check_tier(properties.get("tier"), sku, gib)
    if properties.get("burstingEnabled"):
        _check_bursting(properties, sku, gib)
    shares = properties.get("maxShares")
    if shares is not None and not 1 <= shares <= _most_shares(sku, gib):
        raise errors.invalid_parameter(
            f"The value '{shares}' of parameter 'maxShares' is invalid: a disk of type {sku} and {gib} GiB "
            f"has 1 to {_most_shares(sku, gib)}.",
            "maxShares",
        )


def without_foreign(properties: Mapping[str, Any], sku: str) -> dict[str, Any]:
    """Return the properties of a disk without the traits that a new sku of it does not have."""
    foreign = set() if sku in TIERED_SKUS else {"tier", "burstingEnabled"}
    return {name: value for name, value in properties.items() if name not in foreign}


def _check_performance(properties: Mapping[str, Any], sku: str, gib: int) -> None:
    asked = {name: properties[name] for name in PERFORMANCE if name in properties}
    if asked and sku not in PROVISIONED_SKUS:
        raise not_of_sku(next(iter(asked)), sku)
    if not asked:
        return
    numbers = performance(sku, gib) | asked
    operations, throughput = (numbers[name] for name in PERFORMANCE)
    _check_range(PERFORMANCE[0], operations, operations_range(sku, gib), sku, gib)
    _check_range(PERFORMANCE[1], throughput, throughput_range(sku, gib, operations), sku, gib)


def _check_range(name: str, value: int, allowed: tuple[int, int], sku: str, gib: int) -> None:
    if not allowed[0] <= value <= allowed[1]:
        raise errors.ArmError(
            400,
            "BadRequest",
            f"The value {value} of parameter disk.{name} is not valid. The supported range for a {sku} disk "
            f"of size {gib} GB is between {allowed[0]} and {allowed[1]}.",
        )


def _check_tier(tier: str | None, sku: str, gib: int) -> None:
    if tier is None:
        return
    if sku not in TIERED_SKUS:
        raise not_of_sku("tier", sku)
    if tier not in TIER_NAMES:
        raise errors.invalid_parameter(f"The value '{tier}' of parameter 'tier' is invalid.", "tier")
    rank, base = TIER_NAMES.index(tier), TIER_NAMES.index(baseline_tier(gib))
    most = len(TIER_NAMES) - 1 if gib > _BOUNDARY_GIB else TIER_NAMES.index(_LARGEST_TIER_OF_SMALL)
    if not base <= rank <= most:
        raise errors.invalid_parameter(
            f"The performance tier '{tier}' is not possible for a disk of {gib} GiB: it begins at "
            f"{TIER_NAMES[base]}, and P60 and above need more than {_BOUNDARY_GIB} GiB.",
            "tier",
        )


def _check_bursting(properties: Mapping[str, Any], sku: str, gib: int) -> None:
    if sku not in TIERED_SKUS:
        raise not_of_sku("burstingEnabled", sku)
    if gib < _SMALLEST_BURSTING_GIB:
        raise errors.invalid_parameter(
            f"On-demand bursting needs a disk of more than {_SMALLEST_BURSTING_GIB - 1} GiB; this one has "
            f"{gib}.",
            "burstingEnabled",
        )
    if properties.get("tier", baseline_tier(gib)) != baseline_tier(gib):
        raise errors.invalid_parameter(
            "A disk has on-demand bursting or a higher performance tier, not both.", "burstingEnabled"
        )


def _most_shares(sku: str, gib: int) -> int:
    if sku == "Standard_LRS":
        return 1
    if sku in PROVISIONED_SKUS:
        return 15
    if gib <= 512:
        return 3
    return 5 if gib <= _BOUNDARY_GIB else 10
