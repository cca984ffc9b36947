"""Virtual machines and their disks, as Azure describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import Refused
from domain.vms import Disk, VirtualMachine, tag_value, vm_address
from gateways.compute import Compute, ResourceId
from gateways.failures import translated

# What a disk made from a snapshot must be given again; Azure does not take all of it from the snapshot.
_TRAITS = ("osType", "hyperVGeneration", "purchasePlan", "securityProfile", "supportedCapabilities")


@dataclass(frozen=True)
class VirtualMachines:
    """Reads VMs; never writes."""

    compute: Compute

    def describe(self, vm_id: str) -> VirtualMachine:
        """Return a VM with all its disks; raises Absent if there is none."""
        address = vm_address(vm_id)
        with translated(f"VM {vm_id}"):
            found = self.compute.client(address.subscription).virtual_machines.get(
                address.resource_group, address.name
            )
        return self._described(found.as_dict())

    def listed(self, subscription: str) -> Iterator[VirtualMachine]:
        """Yield all VMs of a subscription, without their disks."""
        with translated(f"the VMs of subscription {subscription}"):
            for found in self.compute.client(subscription).virtual_machines.list_all():
                yield _vm(found.as_dict(), ())

    def tagged(self, subscription: str, tag: str) -> Iterator[VirtualMachine]:
        """Yield the VMs of a subscription that carry a tag, without their disks."""
        with translated(f"the VMs of subscription {subscription}"):
            for found in self.compute.client(subscription).virtual_machines.list_all():
                if tag_value(found.tags or {}, tag) is not None:
                    yield _vm(found.as_dict(), ())

    def _described(self, model: Mapping[str, Any]) -> VirtualMachine:
        storage = model["properties"]["storageProfile"]
        entries = [
            (None, storage["osDisk"]),
            *((entry["lun"], entry) for entry in storage.get("dataDisks", [])),
        ]
        for _, entry in entries:
            _require_managed(model["name"], entry)
        disks = tuple(
            self._disk(entry["managedDisk"]["id"], lun, entry.get("caching", "None"))
            for lun, entry in entries
            if not _is_ephemeral(entry)
        )
        return _vm(model, disks)

    def _disk(self, disk_id: str, lun: int | None, caching: str) -> Disk:
        address = ResourceId.parse(disk_id)
        with translated(f"disk {disk_id}"):
            found = self.compute.client(address.subscription).disks.get(address.group, address.name)
        model = found.as_dict()
        properties = model["properties"]
        return Disk(
            id=model["id"],
            name=model["name"],
            unique_id=properties["uniqueId"],
            region=model["location"],
            size_bytes=properties["diskSizeBytes"],
            sku=model["sku"]["name"],
            lun=lun,
            caching=caching,
            zones=tuple(model.get("zones") or ()),
            encryption_set_id=properties.get("encryption", {}).get("diskEncryptionSetId"),
            traits={name: properties[name] for name in _TRAITS if name in properties},
            tags=model.get("tags") or {},
        )


def _vm(model: Mapping[str, Any], disks: tuple[Disk, ...]) -> VirtualMachine:
    return VirtualMachine(
        id=model["id"],
        name=model["name"],
        region=model["location"],
        disks=disks,
        has_ephemeral_os_disk=_is_ephemeral(model["properties"].get("storageProfile", {}).get("osDisk", {})),
        tags=model.get("tags") or {},
        model={name: value for name, value in model.items() if name not in ("etag", "resources")},
    )


def _require_managed(vm: str, entry: Mapping[str, Any]) -> None:
    # Left out in silence it would be missing from every restore point.
    if "id" not in entry.get("managedDisk", {}) and not _is_ephemeral(entry):
        raise Refused(
            "UnmanagedDisk",
            f"disk '{entry.get('name')}' of VM '{vm}' is not a managed disk, and Azure takes snapshots of no "
            "other; convert it to a managed disk",
        )


def _is_ephemeral(entry: Mapping[str, Any]) -> bool:
    return "diffDiskSettings" in entry
