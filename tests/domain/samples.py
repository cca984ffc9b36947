"""Domain objects with sensible values; a test names only what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.policy import Location, Policy
from domain.restore_points import ProtectedDisk, RestorePoint
from domain.schedule import Schedule
from domain.snapshots import Snapshot
from domain.vms import Disk, VirtualMachine

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/production"
SLOT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
NOW = SLOT + timedelta(minutes=3)
NORTH = Location(
    "north",
    "northeurope",
    SUBSCRIPTION,
    "snapshots-north",
    "https://north.blob.example/manifests",
    "restored",
)
WEST = replace(
    NORTH,
    name="west",
    region="westeurope",
    resource_group="snapshots-west",
    manifests="https://west.blob.example/manifests",
)
DAILY = Policy("daily", Schedule("0 2 * * *"), WEST, (NORTH,), {"west": 7, "north": 30})


def disk(name: str = "data", *, lun: int | None = None, **known: Any) -> Disk:
    """A disk of 64 GiB in West Europe; its unique id follows from its name."""
    described = Disk(
        id=f"{GROUP}/providers/Microsoft.Compute/disks/{name}",
        name=name,
        unique_id=f"unique-{name}",
        region="westeurope",
        size_bytes=64 * 1024**3,
        sku="Premium_LRS",
        lun=lun,
    )
    return replace(described, **known)


def machine(
    *disks: Disk, name: str = "web", tags: Mapping[str, str] | None = None, **known: Any
) -> VirtualMachine:
    """A VM in West Europe, with an OS disk and a data disk unless others are given."""
    described = VirtualMachine(
        id=f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}",
        name=name,
        region="westeurope",
        disks=disks or (disk("os"), disk("data", lun=0)),
        tags=tags or {},
    )
    return replace(described, **known)


def begun_point(vm: VirtualMachine | None = None, *, slot: datetime = SLOT, attempt: int = 1) -> RestorePoint:
    """A point that was begun, under the daily policy."""
    return RestorePoint.begin(vm or machine(), DAILY, slot, attempt, NOW, None)


def snapshot(part: ProtectedDisk, *, seconds: float = 0.0, **known: Any) -> Snapshot:
    """A usable snapshot of a protected disk, taken so many seconds after the slot."""
    taken = Snapshot(
        id=part.snapshot_id,
        name=part.snapshot_id.rsplit("/", 1)[-1],
        provisioning_state="Succeeded",
        source_id=part.disk.id,
        source_unique_id=part.disk.unique_id,
        unique_id=f"snapshot-of-{part.disk.unique_id}",
        created=SLOT + timedelta(seconds=seconds),
    )
    return replace(taken, **known)


def available_point(vm: VirtualMachine | None = None, **known: Any) -> RestorePoint:
    """A point with a usable snapshot of every disk, each taken a second after the one before."""
    point = begun_point(vm, **known)
    parts = [part.observed(snapshot(part, seconds=order)) for order, part in enumerate(point.disks)]
    return point.decided_by(parts, NOW)
