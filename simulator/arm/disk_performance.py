"""What a disk of a type and size promises: performance tier, operations and MB per second.

Azure tells these in `tier`, `diskIOPSReadWrite` and `diskMBpsReadWrite`. The numbers of Premium SSD are the
documented ones (its P15 is in recorded traffic, azure-semantics §2.1); Standard disks are told as Azure's
baseline, without bursting and without the growth of the largest sizes. The ranges of Ultra and Premium SSD
v2 are those of the article "Azure managed disk types"; that an Ultra disk has at least one operation for each
GiB is from a refusal quoted in kubernetes-sigs/azuredisk-csi-driver issue 1442. Nobody feels here how fast a
disk is.
"""

from __future__ import annotations

from typing import Any

# Largest size in GiB, tier, operations per second, MB per second.
PREMIUM = (
    (4, "P1", 120, 25),
    (8, "P2", 120, 25),
    (16, "P3", 120, 25),
    (32, "P4", 120, 25),
    (64, "P6", 240, 50),
    (128, "P10", 500, 100),
    (256, "P15", 1100, 125),
    (512, "P20", 2300, 150),
    (1024, "P30", 5000, 200),
    (2048, "P40", 7500, 250),
    (4096, "P50", 7500, 250),
    (8192, "P60", 16000, 500),
    (16384, "P70", 18000, 750),
    (32767, "P80", 20000, 900),
)
TIER_NAMES = tuple(row[1] for row in PREMIUM)
OTHERWISE = (500, 60)


def performance(sku: str, size_gib: int, tier: str | None = None) -> dict[str, Any]:
    """Return what a GET tells of a disk's performance where nothing was set; `tier` is one that was."""
    if sku == "UltraSSD_LRS":
        return _told(max(500, size_gib), 4)
    if sku == "PremiumV2_LRS":
        return _told(3000, 125)
    if not sku.startswith("Premium_"):
        return _told(*OTHERWISE)
    row = PREMIUM[TIER_NAMES.index(tier)] if tier else _row(size_gib)
    return {"tier": row[1], **_told(row[2], row[3])}


def baseline_tier(size_gib: int) -> str:
    """Return the performance tier that a Premium SSD has by its size."""
    return _row(size_gib)[1]


def operations_range(sku: str, size_gib: int) -> tuple[int, int]:
    """Return the fewest and most operations per second that an Ultra or Premium SSD v2 disk can be given."""
    if sku == "UltraSSD_LRS":
        return max(100, size_gib), min(1000 * size_gib, 400_000)
    return 3000, 3000 if size_gib <= 6 else min(500 * size_gib, 80_000)


def throughput_range(sku: str, size_gib: int, operations: int) -> tuple[int, int]:
    """Return the least and most MB per second that such a disk can be given with so many operations."""
    if sku == "UltraSSD_LRS":
        return 1, max(1, min(operations // 4, 10_000))
    return 125, 125 if size_gib <= 6 else min(operations // 4, 2000)


def _row(size_gib: int) -> tuple[int, str, int, int]:
    return next((row for row in PREMIUM if size_gib <= row[0]), PREMIUM[-1])


def _told(operations: int, throughput: int) -> dict[str, Any]:
    return {"diskIOPSReadWrite": operations, "diskMBpsReadWrite": throughput}
