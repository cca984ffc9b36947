"""A virtual machine: what was asked for, the disks it has, and whether it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.arm.disk_model import Disk
from simulator.arm.fields import GIB
from simulator.arm.network_models import NetworkInterface
from simulator.arm.owner import Owner
from simulator.arm.resources import Resource, timestamp

KIND = "Microsoft.Compute/virtualMachines"
_DISPLAYED = {"Succeeded": "Provisioning succeeded", "Failed": "Provisioning failed"}


@dataclass(frozen=True)
class AttachedDisk:
    """One disk of a machine with the settings of its attachment; `lun` is None for the OS disk.

    `settings` is the entry of the storage profile without what follows from the disk.
    """

    disk: Disk
    settings: Mapping[str, Any]
    lun: int | None = None

    def document(self, is_allocated: bool) -> dict[str, Any]:
        """Return the entry; type and size are told only while the machine is allocated."""
        told = {"name": self.disk.id.name, **self.settings, "managedDisk": {"id": self.disk.id.text}}
        if self.lun is not None:
            told["lun"] = self.lun
        if is_allocated:
            told["managedDisk"]["storageAccountType"] = self.disk.sku
            told["diskSizeGB"] = -(-self.disk.size_bytes // GIB)
        if self.disk.encryption_set is not None:
            encryption = self.disk.properties["encryption"]["diskEncryptionSetId"]
            told["managedDisk"]["diskEncryptionSet"] = {"id": encryption}
        return told


@dataclass(eq=False, kw_only=True)
class VirtualMachine(Owner):
    """One virtual machine; `power` is the last part of its PowerState code, `beside` what is kept of it
    outside `properties`."""

    unique_id: str
    os: AttachedDisk
    data: list[AttachedDisk] = field(default_factory=list)
    interfaces: list[NetworkInterface] = field(default_factory=list)
    power: str = "running"
    beside: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> str:
        """The name of the size, as the client wrote it."""
        return str(self.properties["hardwareProfile"]["vmSize"])

    @property
    def os_disk(self) -> Disk:
        return self.os.disk

    @property
    def attached(self) -> list[AttachedDisk]:
        """The OS disk, then the data disks."""
        return [self.os, *self.data]

    @property
    def is_allocated(self) -> bool:
        """Whether a host holds the machine: stopped is allocated, deallocated is not."""
        return self.power != "deallocated"

    def boots_from(self, resource: Resource) -> bool:
        return self.os.disk is resource

    @property
    def etag(self) -> str:
        return f'"{self.version}"'

    def document(self) -> dict[str, Any]:
        told = self.heading() | self.beside
        told["etag"] = self.etag
        told["properties"] = {
            **self.properties,
            "vmId": self.unique_id,
            "provisioningState": self.provisioning_state,
            "timeCreated": timestamp(self.created),
            "storageProfile": self._storage(),
        }
        return told

    def _storage(self) -> dict[str, Any]:
        return {
            **self.properties.get("storageProfile", {}),
            "osDisk": self.os.document(self.is_allocated),
            "dataDisks": [each.document(self.is_allocated) for each in self.data],
        }

    def instance_view(self) -> dict[str, Any]:
        """Return the instance view: provisioning and power as status codes (azure-semantics §6.4)."""
        state = self.provisioning_state
        statuses = [
            {
                "code": f"ProvisioningState/{state.lower()}",
                "level": "Info" if state != "Failed" else "Error",
                "displayStatus": _DISPLAYED.get(state, state),
                "time": timestamp(self.created),
            }
        ]
        if state != "Creating":
            power = {"code": f"PowerState/{self.power}", "level": "Info", "displayStatus": f"VM {self.power}"}
            statuses.append(power)
        view: dict[str, Any] = {
            "disks": [{"name": each.disk.id.name, "statuses": []} for each in self.attached],
            "statuses": statuses,
        }
        generation = self.os_disk.properties.get("hyperVGeneration")
        return view | ({"hyperVGeneration": generation} if generation else {})
