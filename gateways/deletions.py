"""Deleting: the only gateway that does. It is asked by pruning alone.

A backup tool must never delete what is not its own: before a snapshot goes, its tag must say that it belongs
to the restore point that is pruned. Deleting what is absent succeeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import Absent, Conflicting, Refused
from domain.manifests import manifest_name
from domain.policy import Location
from domain.stored import StoredBlob, StoredSeal
from domain.tags import DISK_METADATA, POINT_METADATA
from gateways.compute import Compute, ResourceId
from gateways.failures import translated
from gateways.manifests import manifest_blob
from gateways.page_blobs import PageBlobs
from gateways.snapshots import Snapshots
from settings import Identity

# learn.microsoft.com/rest/api/storageservices/blob-service-error-codes: 409, not verified on Azure
_IMMUTABLE = ("BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold")
_OWNER = "tidemark-point"  # the tag that names the restore point


@dataclass(frozen=True)
class Deletions:
    """Deletes snapshots and manifests; writes nothing. `credentials` gives the credential for an account."""

    compute: Compute
    credentials: Any
    transport: Any = None

    def delete_snapshot(self, snapshot_id: str, point: str) -> bool:
        """Ask Azure to delete a snapshot of a restore point; return whether it is gone.

        Azure deletes in the background, so only a later call that finds nothing has proved it. Raises Refused
        if the snapshot is not tagged as one of this point, and if Azure refuses: a lock, a policy, somebody
        who reads it, a resource group that is not there (rather a mistake in the policy file than emptiness).
        """
        found = Snapshots(self.compute).find(snapshot_id)
        if found is None:
            return True
        owner = found.tags.get(_OWNER)
        if owner != point:
            raise Refused(
                "NotOfThisPoint",
                f"snapshot {snapshot_id} has the tag {_OWNER} {owner!r} instead of {point!r}, so it is not "
                "deleted; if it is not Tidemark's, move it away, else give it its tag back",
            )
        if found.provisioning_state != "Deleting":
            self._delete(snapshot_id)
        return False

    def delete_manifest(self, vm: str, point: str, location: Location) -> bool:
        """Delete the manifest of a replica; return whether it is gone, False while it is immutable.

        Raises Refused if Azure refuses it for another reason. That a container keeps its blobs from being
        deleted for some time is no fault; which time that is, blobs of it do not tell.
        """
        name = manifest_name(vm, point)
        blob = manifest_blob(location, name, Identity.RETENTION, self.credentials, self.transport)
        try:
            with translated(f"manifest {name} in {location.name}"):
                blob.delete_blob()
        except Absent:
            return True
        except Refused as refused:
            if refused.code not in _IMMUTABLE:
                raise
            return False
        return True

    def _delete(self, snapshot_id: str) -> None:
        address = ResourceId.parse(snapshot_id)
        snapshots = self.compute.client(address.subscription).snapshots
        try:
            with translated(f"snapshot {snapshot_id}"):
                snapshots.begin_delete(address.group, address.name, polling=False).result()
        except Absent:
            return


@dataclass(frozen=True)
class PageBlobDeletions:
    """Deletes page blobs and their snapshots; writes nothing."""

    blobs: PageBlobs  # of the identity that deletes

    def delete(self, stored: StoredSeal | StoredBlob, point: str) -> bool:
        """Delete what a copy of a restore point consists of; return whether nothing is left to be done.

        A blob in which others have seals stays, and that is no rest: it goes with the last of them.
        """
        container, name = stored.container, stored.blob
        owner = {POINT_METADATA: point}
        if isinstance(stored, StoredSeal):
            return self.delete_snapshot(container, name, stored.sealed, owner)
        blob = self.blobs.at(container, name)
        while sealed := blob.sealed(owner):  # two, where a request to seal it came late
            if not self.delete_snapshot(container, name, sealed, owner):
                return False
        return self.delete_blob(container, name, {DISK_METADATA: stored.disk}) or not stored.is_of_attempt

    def delete_snapshot(self, container: str, name: str, snapshot: str, owner: Mapping[str, str]) -> bool:
        """Delete the blob snapshot of a time; return whether it is gone, False while it is immutable.

        Raises Refused if its metadata does not say that it belongs to `owner`.
        """
        return self._delete(container, name, snapshot, owner)

    def delete_blob(self, container: str, name: str, owner: Mapping[str, str]) -> bool:
        """Delete a page blob that has no snapshots any more; return whether it is gone.

        False while it has some, or is immutable. Raises Refused if its metadata does not say that it belongs
        to `owner`.
        """
        return self._delete(container, name, "", owner)

    def _delete(self, container: str, name: str, snapshot: str, owner: Mapping[str, str]) -> bool:
        blob = self.blobs.at(container, name)
        try:
            found = blob.metadata(snapshot)
            if found is None:
                return True
            strange = {key: found.get(key) for key, value in owner.items() if found.get(key) != value}
            if strange:
                raise Refused(
                    "NotOfThisPoint",
                    f"{blob.opened(snapshot).name} has the metadata {strange} instead of {dict(owner)}, so "
                    "it is not deleted; if it is not Tidemark's, move it away, else give it those back",
                )
            blob.remove(snapshot)
        except Absent:
            return True
        except Conflicting as conflict:
            if conflict.code not in (*_IMMUTABLE, "SnapshotsPresent"):
                raise
            return False
        return True
