"""Managed disks made from snapshots and from page blobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.policy import SnapshotAccess
from domain.restores import DiskPlan, RestoredDisk
from gateways.access_grants import NETWORK_ACCESS
from gateways.compute import Compute
from gateways.derived import Derived, source_of

_AWAITS_UPLOAD = ("ReadyToUpload", "ActiveUpload")


@dataclass(frozen=True)
class Disks:
    """Makes disks and reads them; never deletes."""

    compute: Compute

    def find(self, disk_id: str) -> RestoredDisk | None:
        """Return a disk, or None if there is none; raises Absent if its group is missing."""
        found = self._derived.find(disk_id)
        return _disk(found) if found else None

    def begin(self, plan: DiskPlan) -> RestoredDisk:
        """Begin a disk from what is planned, or take up the one begun before under this name."""
        return _disk(self._derived.begin(plan.id, _body(plan)))

    @property
    def _derived(self) -> Derived:
        return Derived(self.compute, "disk", lambda client: client.disks)


def _body(plan: DiskPlan) -> dict[str, Any]:
    properties: dict[str, Any] = {
        **plan.traits,
        "creationData": {**plan.traits.get("creationData", {}), **_creation(plan)},
        **NETWORK_ACCESS[SnapshotAccess.DENIED],
    }
    if plan.blob and not plan.blob.is_imported:
        properties |= NETWORK_ACCESS[
            SnapshotAccess.ALLOWED
        ]  # until it is uploaded; nobody gets in without an address
        if "osType" in properties:
            properties.setdefault("hyperVGeneration", "V1")  # Azure's own default, which an upload must name
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


def _creation(plan: DiskPlan) -> dict[str, Any]:
    blob = plan.blob
    if blob is None:
        return {"createOption": "Copy", "sourceResourceId": plan.snapshot_id}
    if blob.is_imported:
        return {
            "createOption": "Import",
            "sourceUri": blob.import_url,
            "storageAccountId": blob.account_id,
        }
    return {"createOption": "Upload", "uploadSizeBytes": blob.length}


def _disk(model: Mapping[str, Any]) -> RestoredDisk:
    properties = model["properties"]
    return RestoredDisk(
        id=model["id"],
        name=model["name"],
        provisioning_state=properties["provisioningState"],
        source_id=source_of(model),
        size_bytes=properties.get("diskSizeBytes"),
        awaits_upload=properties.get("diskState") in _AWAITS_UPLOAD,
    )
