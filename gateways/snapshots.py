"""Managed snapshots: taking them, copying them to another region, looking at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain.policy import Location
from domain.snapshots import Snapshot
from gateways.access_grants import NETWORK_ACCESS
from gateways.compute import Compute
from gateways.derived import Derived


@dataclass(frozen=True)
class Snapshots:
    """Writes and reads snapshots; never deletes."""

    compute: Compute

    def find(self, snapshot_id: str) -> Snapshot | None:
        """Return a snapshot, or None if there is none; raises Absent if its group is missing."""
        found = self._derived.find(snapshot_id)
        return _snapshot(found) if found else None

    def begin(self, snapshot_id: str, disk_id: str, location: Location, tags: Mapping[str, str]) -> Snapshot:
        """Begin an incremental snapshot of a disk, or take up the one begun before under this name."""
        return _snapshot(self._derived.begin(snapshot_id, _body(disk_id, "Copy", location, tags)))

    def begin_copy(
        self,
        target_id: str,
        source_id: str,
        location: Location,
        tags: Mapping[str, str],
        encryption: str | None = None,
    ) -> Snapshot:
        """Begin the copy of a snapshot into a location's region, or take up the one begun before.

        `encryption` says, as ARM names it, how the disk is encrypted with a key of its owner's: the copy gets
        the location's encryption set then, for a set serves its own region only.
        That this succeeds says nothing about the data: it is copied afterwards, in the background.
        Raises Conflicting while another copy of the disk is under way: Azure makes one at a time. It says so
        in words that nobody documents, so whoever asked must find out whether that was the conflict.
        """
        body = _body(source_id, "CopyStart", location, tags)
        if encryption:
            body["properties"]["encryption"] = {
                "type": encryption,
                "diskEncryptionSetId": location.encryption_set_id,
            }
        return _snapshot(self._derived.begin(target_id, body))

    @property
    def _derived(self) -> Derived:
        return Derived(self.compute, "snapshot", lambda client: client.snapshots)


def _body(source_id: str, how: str, location: Location, tags: Mapping[str, str]) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "incremental": True,
        "creationData": {"createOption": how, "sourceResourceId": source_id},
        **NETWORK_ACCESS[location.snapshot_access],
    }
    return {"location": location.region, "tags": dict(tags), "properties": properties}


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
