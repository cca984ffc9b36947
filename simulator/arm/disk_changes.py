"""Changing a disk: tags, settings, sku, and growing it (azure-semantics §5)."""

from __future__ import annotations

from datetime import datetime

from simulator.arm import errors, fields
from simulator.arm.access_grants import require_no_access
from simulator.arm.call import Call
from simulator.arm.disk_model import COMPLETING_SKUS, TIERS, Disk
from simulator.arm.disk_settings import ACCESS, kept
from simulator.arm.fields import GIB
from simulator.arm.operations import Document, Work
from simulator.arm.snapshot_model import Snapshot
from simulator.wire import Response

CHANGEABLE = (
    *ACCESS,
    "burstingEnabled",
    "osType",
    "supportedCapabilities",
    "supportsHibernation",
    "tier",
)
BOUNDARY_GIB = 4096


def change(call: Call, disk: Disk, tags: dict[str, str]) -> Response:
    """Accept a change of a disk, and its new tags; a field that the body leaves out stays as it is."""
    disk.require_idle()
    asked = fields.section(call.body, "properties")
    changes = kept(asked, *CHANGEABLE)
    size_bytes = _new_size(disk, asked)
    sku = _new_sku(call, disk)
    disk.tags = tags

    def finish(_: datetime) -> Document:
        disk.properties |= changes
        disk.sku = sku
        if size_bytes != disk.size_bytes:
            disk.image.resize(size_bytes)
            _break_pending_snapshots(disk)
        return disk.document()

    operation = call.begin(disk, Work(call.estate.tempo.disk, finish))
    return call.accepted(operation, body=disk.document())


def _new_size(disk: Disk, asked: fields.Json) -> int:
    gib = fields.whole(asked, "diskSizeGB", "properties.")
    there = disk.size_bytes // GIB
    if gib is None or gib == there:
        return disk.size_bytes
    if gib < there:
        raise errors.invalid_parameter(
            f"Disk '{disk.id.name}' has {there} GiB and cannot shrink to {gib}: disks only grow.",
            "diskSizeGB",
        )
    require_no_access(disk.estate, disk)
    crosses = there <= BOUNDARY_GIB < gib and disk.sku not in COMPLETING_SKUS
    if disk.machine is not None and crosses:
        raise errors.operation_not_allowed(
            f"Disk '{disk.id.name}' grows beyond {BOUNDARY_GIB} GiB: deallocate its VM and detach it first."
        )
    is_os_disk = disk.machine is not None and disk.machine.os_disk is disk
    if disk.machine is not None and disk.machine.is_allocated and is_os_disk:
        raise errors.operation_not_allowed(
            f"Cannot resize disk {disk.id.name} while it is attached to running VM {disk.machine.id}. "
            "Resizing a disk of an Azure Virtual Machine requires the VM to be deallocated. Please stop "
            "your VM and retry the operation."
        )
    return gib * GIB


def _new_sku(call: Call, disk: Disk) -> str:
    sku = fields.text(fields.section(call.body, "sku"), "name") or disk.sku
    if sku not in TIERS:
        raise errors.invalid_parameter(f"The sku '{sku}' is not a sku of disks.", "sku.name")
    if sku != disk.sku and {sku, disk.sku} & COMPLETING_SKUS:
        raise errors.not_simulated("changing a disk to or from Ultra or Premium SSD v2")
    if sku != disk.sku and disk.machine is not None and disk.machine.is_allocated:
        raise errors.operation_not_allowed(
            f"Cannot change the type of disk {disk.id.name} while it is attached to running VM "
            f"{disk.machine.id}."
        )
    return sku


def _break_pending_snapshots(disk: Disk) -> None:
    """Fail the snapshots of an Ultra or Premium SSD v2 disk that are still completing when it grows."""
    if disk.sku not in COMPLETING_SKUS:
        return
    members: list[Snapshot] = disk.estate.families.of_disk(disk.unique_id).members
    for snapshot in [each for each in members if each.progress and not each.progress.is_finished]:
        snapshot.provisioning_state = "Failed"
        members.remove(snapshot)
        if snapshot.completion is not None:
            snapshot.completion.cancel()
