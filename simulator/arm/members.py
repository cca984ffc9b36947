"""The members that bodies can have: Azure refuses what it does not know, and so a misspelt name.

Resource Manager knows the members of a resource itself (its refusal: Azure/azure-sdk-for-net issue 3487),
Compute those below `properties` (kubernetes-sigs/cloud-provider-azure issue 8919). The names are those of
azure-mgmt-compute 39. Differences: an older api-version knows fewer of them in Azure; Azure takes names in
any case, here they are read as they are documented; objects deeper than those below are not looked into; the
position in the text is not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.arm import errors
from simulator.arm.errors import ArmError


@dataclass(frozen=True)
class Members:
    """The members of one type of object; `inner` are those that are looked into, lists by their items."""

    kind: str
    names: frozenset[str]
    inner: Mapping[str, Members] = field(default_factory=dict)

    def unknown(self, value: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
        """Yield path, name and type of every member that is not known."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.unknown(item, f"{path}[{index}]")
        if not isinstance(value, Mapping):
            return
        for name, member in value.items():
            there = f"{path}.{name}" if path else name
            if name in self.inner:
                yield from self.inner[name].unknown(member, there)
            elif name not in self.names:
                yield there, name, self.kind


def _members(kind: str, names: str, **inner: Members) -> Members:
    return Members(kind, frozenset(names.split()), inner)


_ENCRYPTION = _members("Encryption", "diskEncryptionSetId type")
_SKU = _members("Sku", "name tier")
_ACCESS = "dataAccessAuthMode diskAccessId networkAccessPolicy publicNetworkAccess"
_OF_AN_OS = "encryptionSettingsCollection osType supportedCapabilities supportsHibernation"
_PERFORMANCE = (
    "availabilityPolicy burstingEnabled diskIOPSReadOnly diskIOPSReadWrite diskMBpsReadOnly "
    "diskMBpsReadWrite maxShares optimizedForFrequentAttach propertyUpdatesInProgress tier"
)
_CREATION = _members(
    "CreationData",
    "createOption elasticSanResourceId galleryImageReference imageReference instantAccessDurationMinutes "
    "logicalSectorSize performancePlus provisionedBandwidthCopySpeed securityDataUri securityMetadataUri "
    "sourceResourceId sourceUniqueId sourceUri storageAccountId uploadSizeBytes",
)
_RESOURCE = "extendedLocation id location managedBy managedByExtended name systemData tags type zones"
_TOLD = (
    "completionPercent diskSizeBytes diskSizeGB diskState hyperVGeneration provisioningState purchasePlan "
    "securityProfile timeCreated uniqueId"
)
_DISK = _members(
    "Disk",
    f"{_ACCESS} {_OF_AN_OS} {_PERFORMANCE} {_TOLD} LastOwnershipUpdateTime burstingEnabledTime shareInfo",
    creationData=_CREATION,
    encryption=_ENCRYPTION,
)
_DISK_UPDATE = _members(
    "DiskUpdate", f"{_ACCESS} {_OF_AN_OS} {_PERFORMANCE} diskSizeGB purchasePlan", encryption=_ENCRYPTION
)
_SNAPSHOT = _members(
    "Snapshot",
    f"{_ACCESS} {_OF_AN_OS} {_TOLD} copyCompletionError immutabilityPolicy incremental "
    "incrementalSnapshotFamilyId snapshotAccessState",
    creationData=_CREATION,
    encryption=_ENCRYPTION,
)
_SNAPSHOT_UPDATE = _members(
    "SnapshotUpdate", f"{_ACCESS} {_OF_AN_OS} diskSizeGB snapshotAccessState", encryption=_ENCRYPTION
)
_MANAGED = _members(
    "ManagedDiskParameters",
    "additionalDiskProperties diskEncryptionSet id securityProfile storageAccountType",
)
_ATTACHED = (
    "caching createOption deleteOption diskSizeGB image name storageFaultDomainAlignment vhd "
    "writeAcceleratorEnabled"
)
_STORAGE = _members(
    "StorageProfile",
    "alignRegionalDisksToVMZone diskApiVersion diskControllerType imageReference",
    osDisk=_members(
        "OSDisk", f"{_ATTACHED} diffDiskSettings encryptionSettings osType", managedDisk=_MANAGED
    ),
    dataDisks=_members(
        "DataDisk",
        f"{_ATTACHED} detachOption diskIOPSReadWrite diskMBpsReadWrite lun sourceResource toBeDetached",
        managedDisk=_MANAGED,
    ),
)
_MACHINE = _members(
    "VirtualMachine",
    "additionalCapabilities applicationProfile availabilitySet billingProfile capacityReservation "
    "diagnosticsProfile evictionPolicy extensionsTimeBudget flexProfile host hostGroup instanceView "
    "interconnectBlockProfile licenseType osProfile platformFaultDomain priority provisioningState "
    "proximityPlacementGroup resiliencyProfile scheduledEventsPolicy scheduledEventsProfile securityProfile "
    "timeCreated userData virtualMachineScaleSet vmId",
    hardwareProfile=_members("HardwareProfile", "processorMode vmSize vmSizeProperties"),
    networkProfile=_members(
        "NetworkProfile",
        "interconnectGroupProfile networkApiVersion networkInterfaceConfigurations",
        networkInterfaces=_members("NetworkInterfaceReference", "id properties"),
    ),
    storageProfile=_STORAGE,
)


def _resource(names: str, properties: Members, **inner: Members) -> Members:
    return _members("ResourceDefinition", names, properties=properties, **inner)


_KNOWN = {
    ("PUT", "Microsoft.Compute/disks"): _resource(_RESOURCE, _DISK, sku=_SKU),
    ("PATCH", "Microsoft.Compute/disks"): _resource("tags", _DISK_UPDATE, sku=_SKU),
    ("PUT", "Microsoft.Compute/snapshots"): _resource(_RESOURCE, _SNAPSHOT, sku=_SKU),
    ("PATCH", "Microsoft.Compute/snapshots"): _resource("tags", _SNAPSHOT_UPDATE, sku=_SKU),
    ("PUT", "Microsoft.Compute/virtualMachines"): _resource(
        f"{_RESOURCE} etag identity placement plan resources", _MACHINE
    ),
    ("PATCH", "Microsoft.Compute/virtualMachines"): _resource("identity plan tags zones", _MACHINE),
}


def check_members(method: str, kind: str, body: Mapping[str, Any]) -> None:
    """Refuse a body with a member that its type does not have; raises ArmError 400."""
    known = _KNOWN.get((method, kind))
    found = next(known.unknown(body), None) if known is not None else None
    if found is None:
        return
    path, name, owner = found
    if path == name:
        raise errors.invalid_content(
            f"Could not find member '{name}' on object of type '{owner}'. Path '{name}'."
        )
    raise ArmError(
        400,
        "BadRequest",
        f"Could not find member '{name}' on object of type '{owner}'. Path '{path}'.",
        path,
    )


def is_known(method: str, kind: str) -> bool:
    """Tell whether bodies of this method on this kind of resource are looked at."""
    return (method, kind) in _KNOWN
