"""Managed disks made from snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.restores import DiskPlan, RestoredDisk
from gateways.compute import Compute
from gateways.derived import Derived


@dataclass(frozen=True)
class Disks:
    """Makes disks and reads them; never deletes."""

    compute: Compute

    def find(self, disk_id: str) -> RestoredDisk | None:
        """Return a disk, or None if there is none; raises Absent if its group is missing."""
        found = self._derived.find(disk_id)
        return _disk(found) if found else None

    def begin(self, plan: DiskPlan) -> RestoredDisk:
        """Begin a disk from a snapshot, or take up the one begun before under this name."""
        return _disk(self._derived.begin(plan.id, _body(plan)))

    @property
    def _derived(self) -> Derived:
        return Derived(self.compute, "disk", lambda client: client.disks)


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
