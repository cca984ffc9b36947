"""Managed snapshots: taking them, copying them to another region, looking at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain.errors import Absent, Refused
from domain.policy import Location
from domain.snapshots import Snapshot
from gateways.compute import Compute, ResourceId
from gateways.failures import GROUP_MISSING, translated


@dataclass(frozen=True)
class Snapshots:
    """Writes and reads snapshots; never deletes."""

    compute: Compute

    def find(self, snapshot_id: str) -> Snapshot | None:
        """Return a snapshot, or None if there is none."""
        address = ResourceId.parse(snapshot_id)
        try:
            with translated(f"snapshot {snapshot_id}"):
                found = self.compute.client(address.subscription).snapshots.get(address.group, address.name)
        except Absent as absent:
            if absent.code in GROUP_MISSING:
                raise
            return None
        return _snapshot(found.as_dict())

    def begin(self, snapshot_id: str, disk_id: str, region: str, tags: Mapping[str, str]) -> Snapshot:
        """Begin an incremental snapshot of a disk, or take up the one begun before under this name."""
        return self._begin(snapshot_id, disk_id, "Copy", region, tags, None)

    def begin_copy(
        self, target_id: str, source_id: str, location: Location, tags: Mapping[str, str]
    ) -> Snapshot:
        """Begin the copy of a snapshot into a location's region, or take up the one begun before.

        That this succeeds says nothing about the data: it is copied afterwards, in the background.
        Raises Conflicting while another copy of the disk is under way: Azure makes one at a time. It says so
        in words that nobody documents, so whoever asked must find out whether that was the conflict.
        """
        return self._begin(
            target_id, source_id, "CopyStart", location.region, tags, location.encryption_set_id
        )

    def _begin(
        self,
        snapshot_id: str,
        source_id: str,
        how: str,
        region: str,
        tags: Mapping[str, str],
        key: str | None,
    ) -> Snapshot:
        found = self.find(snapshot_id)
        if found is None:
            return self._create(snapshot_id, _body(source_id, how, region, tags, key))
        if found.source_id.lower() != source_id.lower():
            raise Refused(
                "NameTaken",
                f"snapshot {snapshot_id} exists, but of {found.source_id} instead of {source_id}; "
                "remove it, or let the next attempt take another name",
            )
        return found

    def _create(self, snapshot_id: str, body: Any) -> Snapshot:
        address = ResourceId.parse(snapshot_id)
        snapshots = self.compute.client(address.subscription).snapshots
        with translated(f"snapshot {snapshot_id}"):
            begun = snapshots.begin_create_or_update(
                address.group, address.name, body, polling=False
            ).result()
        # The answer repeats the request; what Azure itself adds appears only later.
        return _snapshot({"id": snapshot_id, "name": address.name, **begun.as_dict()})


def _body(source_id: str, how: str, region: str, tags: Mapping[str, str], key: str | None) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "incremental": True,
        "creationData": {"createOption": how, "sourceResourceId": source_id},
        # Nobody reads a snapshot from outside; whoever must, opens it for that moment.
        "networkAccessPolicy": "DenyAll",
        "publicNetworkAccess": "Disabled",
    }
    if key:
        properties["encryption"] = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": key}
    return {"location": region, "tags": dict(tags), "properties": properties}


def _snapshot(model: Mapping[str, Any]) -> Snapshot:
    properties = model["properties"]
    creation = properties["creationData"]
    error = properties.get("copyCompletionError")
    created = properties.get("timeCreated")
    return Snapshot(
        id=model["id"],
        name=model["name"],
        provisioning_state=properties["provisioningState"],
        source_id=creation["sourceResourceId"],
        source_unique_id=creation.get("sourceUniqueId"),
        unique_id=properties.get("uniqueId"),
        family_id=properties.get("incrementalSnapshotFamilyId"),
        size_bytes=properties.get("diskSizeBytes"),
        created=_moment(created) if created else None,
        percent=properties.get("completionPercent"),
        copy_error=f"{error['errorCode']}: {error.get('errorMessage', '')}" if error else None,
        tags=model.get("tags") or {},
    )


def _moment(text: str) -> datetime:
    # Azure writes seven digits of a second; Python reads six.
    return datetime.fromisoformat(text).astimezone(UTC)
