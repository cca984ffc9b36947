"""Changing a disk: tags, settings, sku, and growing it (azure-semantics §5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from simulator.arm import errors, fields
from simulator.arm.access_grants import require_no_access
from simulator.arm.call import Call
from simulator.arm.disk_creation import refuse_read_only_performance
from simulator.arm.disk_model import Disk
from simulator.arm.disk_settings import ACCESS, PLATFORM_KEY, kept
from simulator.arm.disk_skus import PROVISIONED_SKUS, check_size, check_sku
from simulator.arm.disk_traits import TRAITS, check_traits, without_foreign
from simulator.arm.encryption_sets import asked_encryption, has_customer_key
from simulator.arm.fields import GIB
from simulator.arm.operations import Document, Work
from simulator.arm.snapshot_model import Snapshot
from simulator.wire import Response

CHANGEABLE = (
    *ACCESS,
    *TRAITS,
    "osType",
    "encryptionSettingsCollection",
    "purchasePlan",
    "supportedCapabilities",
    "supportsHibernation",
)
FIXED = ("hyperVGeneration", "securityProfile")
BOUNDARY_GIB = 4096


def change(call: Call, disk: Disk, tags: dict[str, str]) -> Response:
    """Accept a change of a disk, and its new tags; a field that the body leaves out stays as it is."""
    disk.require_idle()
    asked = _changed(disk, fields.section(call.body, "properties"))
    sku, size_bytes = _new_sku(call, disk), _new_size(disk, asked)
    changes = kept(asked, *CHANGEABLE) | _new_encryption(call, disk)
    properties = without_foreign(disk.properties, sku) | changes
    gib = -(-size_bytes // GIB)
    check_size(sku, gib)
    check_traits(properties, sku, gib)
    disk.tags = tags

    def finish(_: datetime) -> Document:
        disk.properties = properties
        disk.sku = sku
        if size_bytes != disk.size_bytes:
            disk.image.resize(size_bytes)
            _break_pending_snapshots(disk)
        return disk.document()

    operation = call.begin(disk, Work(call.estate.tempo.disk, finish))
    return call.accepted(operation, body=disk.document())


def _changed(disk: Disk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is asked without what is so already: clients send back all that a GET told them."""
    told = disk.document()["properties"]
    changed = {name: value for name, value in asked.items() if told.get(name) != value}
    refuse_read_only_performance(changed)
    for name in FIXED:
        if changed.get(name) is not None:
            raise errors.property_change(name, disk.id.name)
    if changed.get("maxShares") is not None and disk.machine is not None:
        raise errors.operation_not_allowed(
            f"'maxShares' of disk {disk.id.name} cannot be changed while it is attached to VM "
            f"{disk.machine.id}."
        )
    return changed


def _new_encryption(call: Call, disk: Disk) -> dict[str, Any]:
    """Return the new encryption, if it changes (azure-semantics §5).

    A disk keeps the set that its incremental snapshots have, a customer's key is never turned off, and a
    machine that runs keeps its disks' keys (hashicorp/terraform-provider-azurerm pull request 6207).
    """
    there = disk.properties.get("encryption", PLATFORM_KEY)
    encryption = asked_encryption(call, disk.location)
    if encryption is None or encryption == there:
        return {}
    if has_customer_key(there) and not has_customer_key(encryption):
        raise errors.own(
            409,
            "SimulatorEncryptionMismatch",
            f"The customer-managed key of disk '{disk.id.name}' cannot be turned off.",
        )
    if disk.estate.families.of_disk(disk.unique_id).members:
        raise errors.own(
            409,
            "SimulatorEncryptionMismatch",
            f"Disk '{disk.id.name}' has incremental snapshots, and all of them use one encryption set.",
        )
    if disk.machine is not None and disk.machine.is_allocated:
        raise errors.operation_not_allowed(
            f"Cannot change the encryption of disk {disk.id.name} while it is attached to running VM "
            f"{disk.machine.id}."
        )
    return {"encryption": encryption}


def _new_size(disk: Disk, asked: Mapping[str, Any]) -> int:
    gib = fields.whole(asked, "diskSizeGB", "properties.")
    there = disk.size_bytes // GIB
    if gib is None or gib == there:
        return disk.size_bytes
    if gib < there:
        raise errors.invalid_parameter(
            f"Disk '{disk.id.name}' has {there} GiB and cannot shrink to {gib}: disks only grow.",
            "diskSizeGB",
        )
    disk.require_ready()
    require_no_access(disk.estate, disk)
    crosses = there <= BOUNDARY_GIB < gib and disk.sku not in PROVISIONED_SKUS
    if disk.machine is not None and crosses:
        raise errors.operation_not_allowed(
            f"Disk '{disk.id.name}' grows beyond {BOUNDARY_GIB} GiB: deallocate its VM and detach it first."
        )
    is_os_disk = disk.machine is not None and disk.machine.boots_from(disk)
    if disk.machine is not None and disk.machine.is_allocated and is_os_disk:
        raise errors.operation_not_allowed(
            f"Cannot resize disk {disk.id.name} while it is attached to running VM {disk.machine.id}. "
            "Resizing a disk of an Azure Virtual Machine requires the VM to be deallocated. Please stop "
            "your VM and retry the operation."
        )
    return gib * GIB


def _new_sku(call: Call, disk: Disk) -> str:
    sku = fields.text(fields.section(call.body, "sku"), "name") or disk.sku
    check_sku(sku)
    if sku != disk.sku and {sku, disk.sku} & PROVISIONED_SKUS:
        raise errors.not_simulated("changing a disk to or from Ultra or Premium SSD v2")
    if sku != disk.sku and disk.machine is not None and disk.machine.is_allocated:
        raise errors.operation_not_allowed(
            f"Cannot change the type of disk {disk.id.name} while it is attached to running VM "
            f"{disk.machine.id}."
        )
    return sku


def _break_pending_snapshots(disk: Disk) -> None:
    """Fail the snapshots of an Ultra or Premium SSD v2 disk that are still completing when it grows."""
    if disk.sku not in PROVISIONED_SKUS:
        return
    members: list[Snapshot] = disk.estate.families.of_disk(disk.unique_id).members
    for snapshot in [each for each in members if each.progress and not each.progress.is_finished]:
        snapshot.provisioning_state = "Failed"
        members.remove(snapshot)
        if snapshot.completion is not None:
            snapshot.completion.cancel()
