"""Virtual machines made of restored disks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from azure.core import MatchConditions

from domain.errors import Refused
from domain.restored_machines import Attachment, MachinePlan, RestoredMachine
from domain.tags import OPERATION_TAG
from domain.vms import tag_value
from gateways.compute import Compute, ResourceId
from gateways.failures import found, translated


@dataclass(frozen=True)
class RestoredMachines:
    """Makes VMs and reads them; never changes or deletes one."""

    compute: Compute

    def find(self, machine_id: str) -> RestoredMachine | None:
        """Return a VM, or None if there is none; raises Absent if its group is missing."""
        address = ResourceId.parse(machine_id)
        machines = self.compute.client(address.subscription).virtual_machines

        def read() -> RestoredMachine:
            machine = _machine(machines.get(address.group, address.name).as_dict())
            return replace(machine, problem=_problem(machines, address)) if machine.has_failed else machine

        return found(f"VM {machine_id}", read)

    def begin(self, plan: MachinePlan, operation: str) -> RestoredMachine:
        """Begin a VM, or take up the one that this operation has begun before.

        One that is there already is never changed, also if it has come a moment ago.
        """
        there = self.find(plan.id)
        if there is None:
            try:
                return self._create(plan)
            except Refused as refused:
                if refused.code != "PreconditionFailed":
                    raise
                there = self.find(plan.id)
        if there is None or there.operation != operation:
            raise Refused(
                "NameTaken",
                f"VM {plan.id} exists, but this restore has not made it; restore again under another name",
            )
        return there

    def _create(self, plan: MachinePlan) -> RestoredMachine:
        address, body = ResourceId.parse(plan.id), _body(plan)
        machines = self.compute.client(address.subscription).virtual_machines
        with translated(f"VM {plan.id}"):
            begun = machines.begin_create_or_update(
                address.group,
                address.name,
                body,
                polling=False,
                match_condition=MatchConditions.IfMissing,  # else it would change a VM of that name
            ).result()
        return _machine({"id": plan.id, **begun.as_dict()})


def _body(plan: MachinePlan) -> Any:
    storage: dict[str, Any] = {
        "osDisk": {"osType": plan.os_type, **_entry(plan.disks[0])},
        "dataDisks": [{"lun": disk.lun, **_entry(disk)} for disk in plan.disks[1:]],
    }
    if plan.controller:
        storage["diskControllerType"] = plan.controller
    body: dict[str, Any] = {
        "location": plan.region,
        "tags": dict(plan.tags),
        "properties": {
            **plan.settings,
            "hardwareProfile": {"vmSize": plan.size},
            "storageProfile": storage,
            "networkProfile": {"networkInterfaces": [{"id": plan.interface.id}]},
        },
    }
    if plan.zones:
        body["zones"] = list(plan.zones)
    if plan.purchase_plan:
        body["plan"] = dict(plan.purchase_plan)
    return body


def _entry(disk: Attachment) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "createOption": "Attach",
        "caching": disk.caching,
        "deleteOption": "Detach",
        "managedDisk": {"id": disk.disk_id},
    }
    return entry | ({"writeAcceleratorEnabled": True} if disk.has_write_accelerator else {})


def _machine(model: Mapping[str, Any]) -> RestoredMachine:
    properties = model["properties"]
    storage = properties["storageProfile"]
    return RestoredMachine(
        id=model["id"],
        provisioning_state=properties["provisioningState"],
        size=properties["hardwareProfile"]["vmSize"],
        zones=tuple(model.get("zones") or ()),
        disks=(
            _attachment(storage["osDisk"], None),
            *(_attachment(entry, entry["lun"]) for entry in storage.get("dataDisks") or ()),
        ),
        operation=tag_value(model.get("tags") or {}, OPERATION_TAG) or "",
    )


def _attachment(entry: Mapping[str, Any], lun: int | None) -> Attachment:
    disk_id = entry.get("managedDisk", {}).get("id", "")  # somebody else's VM may have other kinds
    accelerated = bool(entry.get("writeAcceleratorEnabled"))
    return Attachment(disk_id, lun, entry.get("caching", "None"), accelerated)


def _problem(machines: Any, address: ResourceId) -> str:
    """Return what Azure says of a VM that has failed."""
    statuses = machines.instance_view(address.group, address.name).as_dict().get("statuses") or ()
    told = [
        f"{status['code']}: {status.get('message') or status.get('displayStatus', '')}"
        for status in statuses
        if status.get("code", "").lower().startswith("provisioningstate/failed")
    ]
    return "; ".join(told) or "Azure gives no reason"
