"""What somebody does in Azure by hand while Tidemark runs: disks come, grow and go, VMs are deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from azure.mgmt.compute import ComputeManagementClient

from gateways.compute import Compute
from settings import Identity
from simulator.transport import transport
from tests.gateways.scripted import Token
from tests.world import HOME, World

GROUP = "production"
LONG_ENOUGH = timedelta(minutes=1)  # for whatever Azure was asked for to be done


@dataclass(frozen=True)
class Operator:
    """Somebody who may do everything in a subscription, through the real SDK; each deed takes a minute."""

    world: World

    @cached_property
    def azure(self) -> ComputeManagementClient:
        """Azure as an operator sees it."""
        self.world.cloud.roles.grant("operator", ["*"])
        token, endpoint = Token("development:operator"), "https://management.azure.com"
        compute = Compute(token, endpoint, transport(self.world.cloud), identity=Identity.BACKUP)
        return compute.client(self.world.subscription)

    def make_disk(self, name: str, content: bytes, gib: int = 1) -> str:
        """Make a disk that no VM has; return its id."""
        body = {
            "location": HOME,
            "sku": {"name": "Premium_LRS"},
            "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": gib},
        }
        self._do(self.azure.disks.begin_create_or_update, name, body)
        made = self.world.cloud.disk(self._id(name))
        made.image.write(0, content)
        return made.id

    def attach(self, vm: str, disk: str, lun: int = 0) -> None:
        """Attach a data disk to a VM."""
        entry = {"lun": lun, "createOption": "Attach", "managedDisk": {"id": self._id(disk)}}
        self._change_disks(vm, lambda entries: [*entries, entry])

    def detach(self, vm: str, disk: str) -> None:
        """Take a data disk off a VM; the disk stays."""
        self._change_disks(vm, lambda entries: [entry for entry in entries if entry["name"] != disk])

    def delete_disk(self, name: str) -> None:
        """Delete a disk."""
        self._do(self.azure.disks.begin_delete, name)

    def replace(self, vm: str, disk: str, content: bytes) -> None:
        """Put another disk in the place of one, under its name."""
        self.detach(vm, disk)
        self.delete_disk(disk)
        self.make_disk(disk, content)
        self.attach(vm, disk)

    def grow(self, vm: str, disk: str, gib: int) -> None:
        """Let a data disk grow, also beyond 4 TiB: for that the VM is stopped, and the disk taken off it."""
        self._do(self.azure.virtual_machines.begin_deallocate, vm)
        self.detach(vm, disk)
        self._do(self.azure.disks.begin_update, disk, {"properties": {"diskSizeGB": gib}})
        self.attach(vm, disk)
        self._do(self.azure.virtual_machines.begin_start, vm)

    def delete_vm(self, name: str, *disks: str) -> None:
        """Delete a VM, and then these disks of it."""
        self._do(self.azure.virtual_machines.begin_delete, name)
        for disk in disks:
            self.delete_disk(disk)

    def _change_disks(self, vm: str, change: Callable[[list[Any]], list[Any]]) -> None:
        body = self.azure.virtual_machines.get(GROUP, vm).as_dict()
        storage = body["properties"]["storageProfile"]
        storage["dataDisks"] = change(storage["dataDisks"])
        self._do(self.azure.virtual_machines.begin_create_or_update, vm, body)

    def _do(self, begin: Callable[..., Any], name: str, *body: Any) -> None:
        begin(GROUP, name, *body, polling=False)
        self.world.pass_time(LONG_ENOUGH)

    def _id(self, disk: str) -> str:
        group = f"/subscriptions/{self.world.subscription}/resourceGroups/{GROUP}"
        return f"{group}/providers/Microsoft.Compute/disks/{disk}"
