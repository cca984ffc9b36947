"""Building what exists in the simulated cloud directly, as if it had been there for long.

None of this is a call to Azure: nothing is throttled, takes time or asks for rights. Machines get an OS disk
as if made from an image, one data disk for every further entry of `disks`, and a network interface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from simulator.arm import fields
from simulator.arm.disk_model import KIND as DISK
from simulator.arm.disk_model import Disk
from simulator.arm.encryption_sets import BOTH, CUSTOMER, DiskEncryptionSet
from simulator.arm.encryption_sets import KIND as ENCRYPTION_SET
from simulator.arm.estate import Estate, ResourceGroup, Subscription
from simulator.arm.identifiers import ResourceId
from simulator.arm.machine_model import KIND as MACHINE
from simulator.arm.machine_model import VirtualMachine
from simulator.arm.network_models import (
    INTERFACE,
    NETWORK,
    SUBNET,
    NetworkInterface,
    Subnet,
    VirtualNetwork,
)
from simulator.arm.snapshot_model import Snapshot
from simulator.images import Image
from simulator.page_blobs.accounts import KIND as ACCOUNT
from simulator.regions import known_region
from simulator.world_accounts import AccountHandle, build_account
from simulator.world_disks import build_disk
from simulator.world_handles import DiskHandle, DiskSpec, MachineHandle
from simulator.world_machines import data_disk, known_size, os_disk


class World:
    """The part of the cloud that builds; see `simulator.cloud.Cloud` for the whole."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate

    def settle(self) -> None:
        """Let everything happen that is due by now; every request and every look at a disk does so first."""
        with self.estate.lock:
            self.estate.timeline.settle()

    @property
    def subscription(self) -> str:
        """The id of the first subscription; there is one as soon as it is asked for."""
        first = next(iter(self.estate.subscriptions.values()), None)
        return first.id if first is not None else self.add_subscription()

    def add_subscription(self, subscription_id: str | None = None, name: str = "Simulated") -> str:
        """Add a subscription; return its id."""
        with self.estate.lock:
            subscription = Subscription(subscription_id or self.estate.unique_ids.new(), name)
            self.estate.subscriptions[subscription.id.lower()] = subscription
            return subscription.id

    def add_resource_group(
        self,
        name: str,
        region: str,
        *,
        subscription: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Add a resource group located in `region`; return its id."""
        with self.estate.lock:
            there = self.estate.subscriptions[(subscription or self.subscription).lower()]
            group = ResourceGroup(there.id, name, known_region(region), dict(tags or {}))
            there.groups[name.lower()] = group
            return f"/subscriptions/{there.id}/resourceGroups/{name}"

    def add_disk(
        self,
        name: str,
        region: str,
        group: str,
        spec: DiskSpec | int,
        *,
        subscription: str | None = None,
        zones: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
    ) -> DiskHandle:
        """Add a disk that no machine has; `spec` is its size in bytes, or more."""
        with self.estate.lock:
            spec = DiskSpec(spec) if isinstance(spec, int) else spec
            disk_id = self._id(DISK, region, group, subscription, name)
            return DiskHandle(self._disk(disk_id, region, spec, list(zones), dict(tags or {})))

    def add_disk_encryption_set(
        self,
        name: str,
        region: str,
        group: str,
        *,
        with_platform_key: bool = False,
        subscription: str | None = None,
    ) -> str:
        """Add a disk encryption set, with the customer's key alone or with the platform's as well; return its
        id."""
        with self.estate.lock:
            found = DiskEncryptionSet(
                id=self._id(ENCRYPTION_SET, region, group, subscription, name),
                location=known_region(region),
                created=self.estate.now,
                encryption_type=BOTH if with_platform_key else CUSTOMER,
                principal_id=self.estate.unique_ids.new(),
            )
            self.estate.shelf.put(found)
            return found.id.text

    def add_storage_account(
        self,
        name: str,
        region: str,
        group: str,
        *,
        refuses_incremental_sources: bool = False,
        subscription: str | None = None,
    ) -> AccountHandle:
        """Add a storage account for page blobs.

        `refuses_incremental_sources`: Put Page From URL out of the SAS of an incremental snapshot fails with
        409 CopySourceCannotBeIncrementalCopyBlob. Azure is reported to do either (azure-semantics §4.4).
        """
        with self.estate.lock:
            account_id = self._id(ACCOUNT, region, group, subscription, name)
            return AccountHandle(
                build_account(self.estate, account_id, known_region(region), refuses_incremental_sources)
            )

    def add_network(
        self,
        name: str,
        region: str,
        group: str,
        *,
        subnet: str = "default",
        prefix: str = "10.0.0.0/16",
        subscription: str | None = None,
    ) -> str:
        """Add a virtual network with one subnet; return the subnet's id."""
        with self.estate.lock:
            network_id = self._id(NETWORK, region, group, subscription, name)
            subnet_id = self._id(SUBNET, region, group, subscription, name, subnet)
            shared: dict[str, Any] = {"location": known_region(region), "created": self.estate.now}
            inside = Subnet(id=subnet_id, prefix=prefix, **shared)
            properties = {"addressSpace": {"addressPrefixes": [prefix]}}
            self.estate.shelf.put(inside)
            self.estate.shelf.put(
                VirtualNetwork(id=network_id, properties=properties, subnets=[inside], **shared)
            )
            return subnet_id.text

    def add_virtual_machine(
        self,
        name: str,
        region: str,
        group: str,
        disks: Mapping[str, DiskSpec | int],
        *,
        tags: Mapping[str, str] | None = None,
        subscription: str | None = None,
        size: str = "Standard_D4s_v5",
        zones: Sequence[str] = (),
        os_type: str = "Linux",
        has_ephemeral_os_disk: bool = False,
        power: str = "running",
    ) -> MachineHandle:
        """Add a machine: the first of `disks` is its OS disk, the others are data disks from LUN 0 on.

        The disks are named `<machine>-<name>`; the group is added if it is not there.
        """
        with self.estate.lock:
            built = self._disks(name, region, group, subscription, disks, os_type, zones)
            machine = VirtualMachine(
                id=self._id(MACHINE, region, group, subscription, name),
                location=known_region(region),
                created=self.estate.now,
                tags=fields.tags({"tags": dict(tags or {})}),
                zones=list(zones),
                unique_id=self.estate.unique_ids.new(),
                os=os_disk(next(iter(built.values())), os_type, has_ephemeral_os_disk),
                data=[data_disk(disk, lun) for lun, disk in enumerate(list(built.values())[1:])],
                interfaces=[self._interface(name, region, group, subscription)],
                power=power,
            )
            self._finish(machine, size, os_type)
            return MachineHandle(machine, built)

    def disk(self, resource_id: str) -> DiskHandle:
        """Return a disk that exists, however it came about; raises KeyError."""
        found = self.estate.shelf.find(Disk, resource_id)
        if found is None:
            raise KeyError(f"There is no disk {resource_id}")
        return DiskHandle(found)

    def storage_account(self, name: str) -> AccountHandle:
        """Return a storage account that exists; raises KeyError."""
        found = self.estate.storage.find(name)
        if found is None:
            raise KeyError(f"There is no storage account '{name}'")
        return AccountHandle(found)

    def snapshot_image(self, resource_id: str) -> Image:
        """Return the bytes of a snapshot that exists and is usable; raises KeyError or ArmError."""
        self.settle()
        found = self.estate.shelf.find(Snapshot, resource_id)
        if found is None:
            raise KeyError(f"There is no snapshot {resource_id}")
        return found.ready_image()

    def _id(self, kind: str, region: str, group: str, subscription: str | None, *names: str) -> ResourceId:
        owner = subscription or self.subscription
        groups = self.estate.subscriptions[owner.lower()].groups
        if group.lower() not in groups:
            self.add_resource_group(group, region, subscription=owner)
        return ResourceId(owner, groups[group.lower()].name, kind, names)

    def _disks(
        self,
        machine: str,
        region: str,
        group: str,
        subscription: str | None,
        disks: Mapping[str, DiskSpec | int],
        os_type: str,
        zones: Sequence[str],
    ) -> dict[str, Disk]:
        """Add the disks of a machine; the first is its OS disk."""
        built: dict[str, Disk] = {}
        for label, asked in disks.items():
            spec = DiskSpec(asked) if isinstance(asked, int) else asked
            if not built:
                properties = {"osType": os_type, "hyperVGeneration": "V2", **spec.properties}
                spec = replace(spec, properties=properties)
            disk_id = self._id(DISK, region, group, subscription, f"{machine}-{label}")
            built[label] = self._disk(disk_id, region, spec, list(zones), {})
        return built

    def _disk(
        self, disk_id: ResourceId, region: str, spec: DiskSpec, zones: list[str], tags: dict[str, str]
    ) -> Disk:
        fields.check_disk_name(disk_id.name)
        return build_disk(self.estate, disk_id, known_region(region), spec, zones, tags)

    def _interface(self, machine: str, region: str, group: str, subscription: str | None) -> NetworkInterface:
        network = f"{known_region(region)}-network"
        subnet = self.estate.shelf.find(
            Subnet, self._id(SUBNET, region, group, subscription, network, "default")
        )
        if subnet is None:
            subnet_id = self.add_network(network, region, group, subscription=subscription)
            subnet = self.estate.shelf.find(Subnet, subnet_id)
        assert subnet is not None
        interface_id = self._id(INTERFACE, region, group, subscription, f"{machine}-nic")
        configuration = {
            "name": "primary",
            "id": f"{interface_id}/ipConfigurations/primary",
            "properties": {
                "subnet": {"id": subnet.id.text},
                "privateIPAddress": subnet.next_address(),
                "privateIPAllocationMethod": "Dynamic",
                "provisioningState": "Succeeded",
            },
        }
        interface = NetworkInterface(
            id=interface_id,
            location=known_region(region),
            created=self.estate.now,
            configurations=[configuration],
        )
        self.estate.shelf.put(interface)
        return interface

    def _finish(self, machine: VirtualMachine, size: str, os_type: str) -> None:
        machine.properties = {
            "hardwareProfile": {"vmSize": known_size(size)},
            "osProfile": {"computerName": machine.id.name, "adminUsername": "azureuser"},
            "networkProfile": {"networkInterfaces": [{"id": each.id.text} for each in machine.interfaces]},
            "storageProfile": {
                "imageReference": {"publisher": "Simulator", "offer": os_type, "sku": "1", "version": "1.0.0"}
            },
        }
        if any(each.disk.sku == "UltraSSD_LRS" for each in machine.attached):
            machine.properties["additionalCapabilities"] = {"ultraSSDEnabled": True}
        for each in machine.attached:
            each.disk.machine = machine
        for interface in machine.interfaces:
            interface.machine = machine
        self.estate.shelf.put(machine)
