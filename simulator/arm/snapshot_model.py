"""A snapshot: bytes that no longer change, and how far they can be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulator.arm import errors
from simulator.arm.disk_settings import PLATFORM_KEY
from simulator.arm.errors import ArmError
from simulator.arm.estate import Estate
from simulator.arm.fields import GIB
from simulator.arm.progress import Progress
from simulator.arm.resources import Resource, timestamp
from simulator.arm.snapshot_families import Family
from simulator.arm.timeline import Event

if TYPE_CHECKING:
    from simulator.images import Image

KIND = "Microsoft.Compute/snapshots"


@dataclass(eq=False, kw_only=True)
class Snapshot(Resource):
    """One snapshot.

    `image` and `unique_id` are there once the creating operation has ended. `progress` is there for a copy
    and for snapshots of Ultra and Premium SSD v2 disks, and for nothing else: `completionPercent` is absent
    on an ordinary snapshot (azure-semantics §2.1).
    """

    estate: Estate
    sku: str
    size_bytes: int
    incremental: bool
    creation_data: dict[str, Any]
    family: Family | None = None
    image: Image | None = None
    unique_id: str | None = None
    progress: Progress | None = None
    copied_from: Snapshot | None = None
    copy_error: dict[str, str] | None = None
    bytes_to_move: int = 0
    is_whole: bool = True
    completion: Event | None = field(default=None, repr=False)

    @property
    def sector_size(self) -> int:
        """Bytes of a logical sector of the disk that it was taken of."""
        return int(self.creation_data.get("logicalSectorSize") or 512)

    @property
    def is_copying(self) -> bool:
        """Whether this is a copy that is accepted and neither complete nor broken."""
        return self.copied_from is not None and self.copy_error is None and not self.is_complete

    @property
    def is_complete(self) -> bool:
        """Whether all data is there."""
        return self.progress is None or self.progress.is_finished

    @property
    def state(self) -> str:
        """`diskState` (azure-semantics §2.3)."""
        return "ActiveSAS" if self.estate.accesses.active(self.id.key) else "Unattached"

    def ready_image(self) -> Image:
        """Return the bytes for a reader; raises ArmError 409 while they are not all there."""
        if self.image is None or self.unique_id is None:
            raise _not_ready(self, f"its provisioning state is {self.provisioning_state}")
        if self.copy_error is not None:
            raise _not_ready(self, f"its copy failed: {self.copy_error['errorMessage']}")
        if not self.is_complete:
            raise _not_ready(self, "its data is not complete (completionPercent is below 100)")
        return self.image

    def document(self) -> dict[str, Any]:
        properties: dict[str, Any] = {
            "creationData": dict(self.creation_data),
            "incremental": self.incremental,
            **self.properties,
            "provisioningState": self.provisioning_state,
        }
        told = self.heading()
        told["sku"] = {"name": self.sku}
        told["properties"] = properties
        if self.unique_id is not None:
            told["sku"]["tier"] = self.sku.split("_")[0]
            properties |= self._facts()
        return told

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "diskSizeGB": -(-self.size_bytes // GIB),
            "encryption": self.properties.get("encryption", PLATFORM_KEY),
            "networkAccessPolicy": self.properties.get("networkAccessPolicy", "AllowAll"),
            "publicNetworkAccess": self.properties.get("publicNetworkAccess", "Enabled"),
            "timeCreated": timestamp(self.created),
            "diskState": self.state,
            "diskSizeBytes": self.size_bytes,
            "uniqueId": self.unique_id,
        }
        if self.family is not None:
            facts["incrementalSnapshotFamilyId"] = self.family.id
        if self.progress is not None:
            facts["completionPercent"] = self.progress.percent(self.estate.now)
            facts["snapshotAccessState"] = "Available" if self.is_complete else "Pending"
        if self.copy_error is not None:
            facts["copyCompletionError"] = dict(self.copy_error)
        return facts


def _not_ready(snapshot: Snapshot, why: str) -> ArmError:
    return errors.own(
        409, "SimulatorSnapshotIncomplete", f"Snapshot '{snapshot.id.name}' cannot be used: {why}."
    )
