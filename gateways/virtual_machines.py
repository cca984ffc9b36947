"""Virtual machines and their disks, as Azure describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import Transient
from domain.policy import Scope
from domain.vms import Disk, VirtualMachine, vm_address
from gateways.compute import Compute, ResourceId
from gateways.failures import translated

# What a disk made from a snapshot must be given again; Azure does not take all of it from the snapshot.
_TRAITS = (
    "osType", "hyperVGeneration", "purchasePlan", "securityProfile", "supportedCapabilities",
    "supportsHibernation", "encryptionSettingsCollection",
)  # fmt: skip
# Azure tells these of every disk, but lets them be set on these skus only.
_PROVISIONED = ("diskIOPSReadWrite", "diskMBpsReadWrite")
_TRAITS_OF_SKU = {
    "UltraSSD_LRS": _PROVISIONED,
    "PremiumV2_LRS": _PROVISIONED,
    "Premium_LRS": ("tier",),
    "Premium_ZRS": ("tier",),
}


@dataclass(frozen=True)
class VirtualMachines:
    """Reads VMs; never writes."""

    compute: Compute

    def describe(self, vm_id: str) -> VirtualMachine:
        """Return a VM with all its managed disks; raises Absent if there is none."""
        address = vm_address(vm_id)
        with translated(f"VM {vm_id}"):
            found = self.compute.client(address.subscription).virtual_machines.get(
                address.resource_group, address.name
            )
        return self._described(found.as_dict())

    def listed(self, scope: Scope) -> Iterator[VirtualMachine]:
        """Yield all VMs of a scope, without their disks; raises Absent if there is no such resource group.

        Who has rights on some resource groups alone may list these, and is refused the whole subscription.
        """
        machines, group = self.compute.client(scope.subscription).virtual_machines, scope.resource_group
        with translated(f"the VMs of {scope.words}"):
            for found in machines.list(group) if group else machines.list_all():
                yield _vm(found.as_dict(), ())

    def _described(self, model: Mapping[str, Any]) -> VirtualMachine:
        storage = model["properties"]["storageProfile"]
        entries = [
            (None, storage["osDisk"]),
            *((entry["lun"], entry) for entry in storage.get("dataDisks", [])),
        ]
        disks = tuple(
            self._disk(entry["managedDisk"]["id"], lun, entry.get("caching", "None"))
            for lun, entry in entries
            if "id" in entry.get("managedDisk", {}) and not _is_ephemeral(entry)
        )
        return _vm(model, disks)

    def _disk(self, disk_id: str, lun: int | None, caching: str) -> Disk:
        address = ResourceId.parse(disk_id)
        with translated(f"disk {disk_id}"):
            found = self.compute.client(address.subscription).disks.get(address.group, address.name)
        model = found.as_dict()
        properties = model["properties"]
        if "uniqueId" not in properties or "diskSizeBytes" not in properties:
            raise Transient(
                "DiskNotReady",
                f"disk {disk_id} is still being made and has no identity yet: Azure reports it as "
                f"{properties.get('provisioningState')}; wait until it is there",
            )
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
            traits=_traits(model["sku"]["name"], properties),
            tags=model.get("tags") or {},
        )


def _traits(sku: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    names = (*_TRAITS, *_TRAITS_OF_SKU.get(sku, ()))
    traits = {name: properties[name] for name in names if name in properties}
    if properties.get("maxShares", 1) > 1:
        traits["maxShares"] = properties["maxShares"]
    if properties.get("burstingEnabled"):
        traits["burstingEnabled"] = True
        traits.pop("tier", None)  # Azure lets a disk burst or have another tier, not both
    if sector := properties.get("creationData", {}).get("logicalSectorSize"):
        traits["creationData"] = {"logicalSectorSize": sector}
    encryption = properties.get("encryption", {})
    if "diskEncryptionSetId" in encryption and "type" in encryption:
        traits["encryption"] = {"type": encryption["type"]}
    return traits


def _vm(model: Mapping[str, Any], disks: tuple[Disk, ...]) -> VirtualMachine:
    return VirtualMachine(
        id=model["id"],
        name=model["name"],
        region=model["location"],
        disks=disks,
        has_ephemeral_os_disk=_is_ephemeral(model["properties"].get("storageProfile", {}).get("osDisk", {})),
        tags=model.get("tags") or {},
        model=_recorded(model),
    )


def _recorded(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the VM as ARM describes it; of its extensions the names alone: settings tell secrets."""
    recorded = {name: value for name, value in model.items() if name not in ("etag", "resources")}
    extensions = [{"name": extension["name"]} for extension in model.get("resources") or ()]
    return recorded | ({"resources": extensions} if extensions else {})


def _is_ephemeral(entry: Mapping[str, Any]) -> bool:
    return "diffDiskSettings" in entry
