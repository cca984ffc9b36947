"""What has to fit together for a machine to be: size, disks, generation, security type, zone, region.

Wording from public reports where it is known: hashicorp/terraform-provider-azurerm issue 921 (storage type),
kubernetes-sigs/azuredisk-csi-driver issues 879 (number of disks), 1131 (caching) and 3403 (performance),
jenkins-infra/azure pull request 1406 (zones), Azure/azure-cli issue 28005 (Trusted Launch), Microsoft's
"Fail to mount an Azure disk volume" (Ultra disks).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.arm import errors, fields
from simulator.arm.disk_model import Disk
from simulator.arm.disk_skus import PROVISIONED_SKUS, not_of_sku
from simulator.arm.errors import ArmError
from simulator.arm.machine_model import AttachedDisk
from simulator.arm.machine_sizes import Size


def check_generation(size: Size, disk: Disk) -> None:
    """Refuse a size that cannot boot the generation of the OS disk."""
    generation = disk.properties.get("hyperVGeneration", "V1")
    if generation not in size.generations.split(","):
        raise ArmError(
            400,
            "BadRequest",
            f"The selected VM size '{size.name}' cannot boot Hypervisor Generation '{generation[1:]}'.",
        )


def check_disks(size: Size, attached: Sequence[AttachedDisk], capabilities: Mapping[str, Any]) -> None:
    """Refuse disks that a size does not take, or not in the way they are attached; the OS disk has no LUN."""
    for each in attached:
        _check_type(size, each.disk, capabilities)
        if each.disk.sku in PROVISIONED_SKUS:
            _check_provisioned(each)
    most = size.data_disks
    if sum(each.lun is not None for each in attached) > most:
        raise ArmError(
            409,
            "OperationNotAllowed",
            f"The maximum number of data disks allowed to be attached to a VM of this size is {most}.",
            "dataDisks",
        )


def _check_type(size: Size, disk: Disk, capabilities: Mapping[str, Any]) -> None:
    if disk.sku.startswith(("Premium", "Ultra")) and not size.has_premium:
        raise errors.invalid_parameter(
            f"Requested operation cannot be performed because the VM size {size.name} does not support the "
            f"storage account type {disk.sku} of disk '{disk.id.name}'. Consider updating the VM to a size "
            "that supports Premium storage.",
            "vmSize",
        )
    if disk.sku == "UltraSSD_LRS" and not capabilities.get("ultraSSDEnabled"):
        raise errors.invalid_parameter(
            "StorageAccountType UltraSSD_LRS can be used only when additionalCapabilities.ultraSSDEnabled is "
            "set.",
            "managedDisk.storageAccountType",
        )


def _check_provisioned(attached: AttachedDisk) -> None:
    """Refuse an Ultra or Premium SSD v2 disk as OS disk, or with caching (azure-semantics §5)."""
    if attached.lun is None:
        raise not_of_sku("osDisk", attached.disk.sku)
    caching = attached.settings["caching"]
    if caching != "None":
        raise errors.invalid_parameter(
            f"Storage Account type {attached.disk.sku} is not supported with caching type {caching}. Please "
            "use caching type None.",
            "dataDisk.caching",
        )


def check_entry(entry: Mapping[str, Any], disk: Disk, machine: str) -> None:
    """Refuse an entry of a storage profile that tells another disk than there is: machines change none."""
    managed = fields.section(entry, "managedDisk")
    asked = fields.text(managed, "storageAccountType")
    if asked not in (None, disk.sku):
        raise errors.operation_not_allowed(
            f"Managed disk storage account type change through Virtual Machine '{machine}' is not allowed. "
            f"Please update disk resource at {disk.id}."
        )
    key = fields.text(fields.section(managed, "diskEncryptionSet"), "id")
    if key is not None and key.lower() != disk.encryption_set:
        raise errors.not_simulated("changing the encryption of a disk through its machine")
    for name in ("diskIOPSReadWrite", "diskMBpsReadWrite"):
        if entry.get(name) is not None:
            raise errors.invalid_parameter(
                f"Property 'dataDisk.{name}' can be enabled only on VMs in a Virtual Machine Scale Set.",
                f"dataDisk.{name}",
            )


def check_same_size(entry: Mapping[str, Any], disk: Disk) -> None:
    """Refuse another size than the disk has."""
    gib = fields.whole(entry, "diskSizeGB")
    if gib not in (None, -(-disk.size_bytes // fields.GIB)):
        raise errors.not_simulated("changing the size of a disk through its machine")


def check_security(properties: Mapping[str, Any], disk: Disk, size: Size) -> None:
    """Refuse a machine whose security type is not that of its OS disk, or not to be had with its size."""
    asked = fields.section(properties, "securityProfile").get("securityType") or "Standard"
    if asked == "TrustedLaunch" and not size.has_trusted_launch:
        raise ArmError(
            400,
            "BadRequest",
            f"The VM size '{size.name}' is not supported for creation of VMs and Virtual Machine Scale Set "
            "with 'TrustedLaunch' security type.",
        )
    needed = disk.properties.get("securityProfile", {}).get("securityType") or "Standard"
    family = "ConfidentialVM" if needed.startswith("ConfidentialVM") else needed
    if asked != family:
        raise ArmError(
            400,
            "BadRequest",
            "Security type of VM is not compatible with the security type of attached OS Disk: "
            f"'{asked}' and '{family}'.",
        )


def check_plan(body: Mapping[str, Any], disk: Disk) -> None:
    """Refuse a machine without the purchase plan that its OS disk carries."""
    needed = disk.properties.get("purchasePlan")
    if not needed:
        return
    asked = fields.section(body, "plan")
    if any(asked.get(name) != needed.get(name) for name in ("name", "publisher", "product")):
        raise ArmError(
            400,
            "VMMarketplaceInvalidInput",
            "Creating a virtual machine from Marketplace image or a custom image sourced from a "
            f"Marketplace image requires Plan information in the request: {dict(needed)}.",
        )


def check_place(disk: Disk, location: str, zones: list[str]) -> None:
    """Refuse a disk of another region, or of another zone unless it is zone-redundant."""
    if disk.location != location:
        raise errors.own(
            400,
            "SimulatorRegionMismatch",
            f"Disk '{disk.id.name}' is in '{disk.location}', the virtual machine in '{location}'.",
        )
    if disk.sku.endswith("_ZRS"):
        return
    if disk.zones != zones:
        raise ArmError(
            400,
            "BadRequest",
            f"Disk {disk.id} cannot be attached to the VM because it is not in the same zone as the VM. VM "
            f"zone: '{','.join(zones)}'. Disk zone: '{','.join(disk.zones)}'.",
        )
