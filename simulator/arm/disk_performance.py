"""What a disk of a type and size promises: performance tier, operations and MiB per second.

Azure tells these in `tier`, `diskIOPSReadWrite` and `diskMBpsReadWrite`. The numbers of Premium SSD are the
documented ones (its P15 is in recorded traffic, azure-semantics §2.1); other types are told as Azure's
baseline, without bursting and without the growth of the largest sizes. Nothing here is enforced.
"""

from __future__ import annotations

from typing import Any

# Largest size in GiB, tier, operations per second, MiB per second.
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
BASELINE = {"PremiumV2": (3000, 125), "UltraSSD": (500, 4)}
OTHERWISE = (500, 60)


def performance(sku: str, size_gib: int) -> dict[str, Any]:
    """Return what a GET tells of a disk's performance."""
    kind = sku.split("_")[0]
    if kind != "Premium":
        operations, throughput = BASELINE.get(kind, OTHERWISE)
        return {"diskIOPSReadWrite": operations, "diskMBpsReadWrite": throughput}
    row = next((row for row in PREMIUM if size_gib <= row[0]), PREMIUM[-1])
    return {"tier": row[1], "diskIOPSReadWrite": row[2], "diskMBpsReadWrite": row[3]}
