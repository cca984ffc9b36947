"""A managed disk: its bytes, its identity, and the state that follows from who uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.arm import errors
from simulator.arm.disk_performance import performance
from simulator.arm.disk_settings import PLATFORM_KEY
from simulator.arm.disk_skus import TIERS
from simulator.arm.estate import Estate
from simulator.arm.fields import GIB
from simulator.arm.owner import Owner
from simulator.arm.progress import Progress
from simulator.arm.resources import Resource, timestamp

if TYPE_CHECKING:
    from simulator.data_plane.uploads import UploadedVhd
    from simulator.images import Image

KIND = "Microsoft.Compute/disks"


@dataclass(eq=False, kw_only=True)
class Disk(Resource):
    """One managed disk.

    `properties` holds what was set and is only kept (osType, encryption, networkAccessPolicy, ...);
    `is_ephemeral` marks the OS disk of a machine that keeps it on its host. `upload` is there until the disk
    has what was uploaded into it, and for no other disk.
    """

    estate: Estate
    image: Image
    sku: str
    unique_id: str
    machine: Owner | None = None
    is_ephemeral: bool = False
    is_new: bool = True
    pending_snapshots: int = 0
    hydration: Progress | None = None
    upload: UploadedVhd | None = None
    is_upload_begun: bool = False

    @property
    def size_bytes(self) -> int:
        return self.image.size_bytes

    @property
    def creation_data(self) -> dict[str, Any]:
        """What the disk was made from, and how."""
        found: dict[str, Any] = self.properties["creationData"]
        return found

    @property
    def sector_size(self) -> int:
        """Bytes of a logical sector; only provisioned disks tell it."""
        return int(self.creation_data.get("logicalSectorSize") or 512)

    @property
    def encryption_set(self) -> str | None:
        found = self.properties.get("encryption", {}).get("diskEncryptionSetId")
        return found.lower() if found else None

    @property
    def state(self) -> str:
        """`diskState` (azure-semantics §2.3)."""
        if self.upload is not None:
            return "ActiveUpload" if self.is_upload_begun else "ReadyToUpload"
        if self.estate.accesses.active(self.id.key):
            return "ActiveSAS"
        if self.machine is None:
            return "Unattached"
        return "Attached" if self.machine.is_allocated else "Reserved"

    def require_ready(self) -> None:
        """Refuse (409) while the disk is being changed or waits for its upload, and for good if it was never
        made."""
        self.require_idle()
        if self.is_new:
            raise errors.operation_not_allowed(
                f"Disk '{self.id.name}' is in the provisioning state {self.provisioning_state}; delete it."
            )
        if self.upload is not None:
            raise errors.operation_not_allowed(
                f"Disk '{self.id.name}' is in the state {self.state}; upload into it, then end the access."
            )

    def document(self) -> dict[str, Any]:
        properties = dict(self.properties)
        properties["diskSizeGB"] = -(-self.size_bytes // GIB)
        properties["provisioningState"] = self.provisioning_state
        told = self.heading()
        told["sku"] = {"name": self.sku}
        told["properties"] = properties
        if self.is_new:
            return told
        told["sku"]["tier"] = TIERS[self.sku]
        if self.machine is not None:
            told["managedBy"] = self.machine.id.shouted()
        numbers = performance(self.sku, properties["diskSizeGB"], properties.get("tier"))
        for name, value in numbers.items():
            properties.setdefault(name, value)
        properties |= {
            "encryption": properties.get("encryption", PLATFORM_KEY),
            "networkAccessPolicy": properties.get("networkAccessPolicy", "AllowAll"),
            "publicNetworkAccess": properties.get("publicNetworkAccess", "Enabled"),
            "timeCreated": timestamp(self.created),
            "diskState": self.state,
            "diskSizeBytes": self.size_bytes,
            "uniqueId": self.unique_id,
        }
        if self.hydration:
            properties["completionPercent"] = self.hydration.percent(self.estate.now)
        return told
