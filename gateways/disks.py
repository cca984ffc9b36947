"""Managed disks made from snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import Absent, Refused
from domain.restores import DiskPlan, RestoredDisk
from gateways.compute import Compute, ResourceId
from gateways.failures import GROUP_MISSING, translated


@dataclass(frozen=True)
class Disks:
    """Makes disks and reads them; never deletes."""

    compute: Compute

    def find(self, disk_id: str) -> RestoredDisk | None:
        """Return a disk, or None if there is none."""
        address = ResourceId.parse(disk_id)
        try:
            with translated(f"disk {disk_id}"):
                found = self.compute.client(address.subscription).disks.get(address.group, address.name)
        except Absent as absent:
            if absent.code in GROUP_MISSING:
                raise
            return None
        return _disk(found.as_dict())

    def begin(self, plan: DiskPlan) -> RestoredDisk:
        """Begin a disk from a snapshot, or take up the one begun before under this name."""
        found = self.find(plan.id)
        if found is None:
            return self._create(plan)
        if found.source_id.lower() != plan.snapshot_id.lower():
            raise Refused(
                "NameTaken",
                f"disk {plan.id} exists, but was made of {found.source_id or 'something else'} instead of "
                f"{plan.snapshot_id}; remove it or restore again",
            )
        return found

    def _create(self, plan: DiskPlan) -> RestoredDisk:
        address = ResourceId.parse(plan.id)
        body: Any = _body(plan)
        disks = self.compute.client(address.subscription).disks
        with translated(f"disk {plan.id}"):
            begun = disks.begin_create_or_update(address.group, address.name, body, polling=False).result()
        return _disk({"id": plan.id, "name": address.name, **begun.as_dict()})


def _body(plan: DiskPlan) -> dict[str, Any]:
    properties: dict[str, Any] = {
        **plan.traits,
        "creationData": {
            **plan.traits.get("creationData", {}),
            "createOption": "Copy",
            "sourceResourceId": plan.snapshot_id,
        },
        "networkAccessPolicy": "DenyAll",
        "publicNetworkAccess": "Disabled",
    }
    encryption = properties.pop("encryption", {})
    if plan.encryption_set_id:
        properties["encryption"] = {
            "type": "EncryptionAtRestWithCustomerKey",
            **encryption,
            "diskEncryptionSetId": plan.encryption_set_id,
        }
    body = {
        "location": plan.region,
        "sku": {"name": plan.sku},
        "tags": dict(plan.tags),
        "properties": properties,
    }
    if plan.zones:
        body["zones"] = list(plan.zones)
    return body


def _disk(model: Mapping[str, Any]) -> RestoredDisk:
    properties = model["properties"]
    return RestoredDisk(
        id=model["id"],
        name=model["name"],
        provisioning_state=properties["provisioningState"],
        source_id=properties["creationData"].get("sourceResourceId", ""),
        size_bytes=properties.get("diskSizeBytes"),
    )
