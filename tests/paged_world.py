"""A world with a third location that keeps page blobs, in a storage account of the simulated cloud."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain.copies import Copy
from domain.page_ranges import PAGE_BYTES
from domain.restore_points import RestorePoint
from domain.vhd import FOOTER_BYTES, footer_fault
from gateways.connection import cloud, connect, use
from gateways.wire import Network
from infra.deployed_roles import deployed_on_replicas
from simulator.arm.snapshot_model import Snapshot
from simulator.streams import streams
from simulator.tempo import Tempo
from simulator.transport import transport
from simulator.world_accounts import BlobHandle
from tests.settings_files import location_entry, policy_entry
from tests.world import World

# Time stands still while a step runs, and a step waits for what it opens: so that must take no time.
AT_ONCE = Tempo(access=timedelta(0), snapshot=timedelta(0))
PAGED = {"tidemark-policy": "paged"}
VAULT = "vault"
REGION = "francecentral"


class PagedWorld(World):
    """Policy `paged` copies from the west into page blobs in the vault, `both` to the north as well.

    With `yearly` nothing but what a test asks for is copied there for months.
    """

    def _build(self) -> None:
        super()._build()
        self._add_location(VAULT, REGION)
        self.account = self.cloud.add_storage_account("tidemarkvault", REGION, "vault")
        self.account.add_container("replicas")

    def _told(self) -> dict[str, Any]:
        told = super()._told()
        place = location_entry(VAULT, REGION, self.subscription, self.manifests[VAULT].blob_endpoint)
        told["locations"][VAULT] = place | {
            "method": "pages",
            "pages": f"{self.account.endpoint}/replicas",
            "account": self.account.id,
        }
        told["policies"]["paged"] = policy_entry(VAULT)
        told["policies"]["both"] = policy_entry("north", VAULT)
        told["policies"]["yearly"] = policy_entry(VAULT, cron="0 2 1 7 *")
        return told

    def _connect(self) -> None:
        self.network = Network(connect=streams(self.cloud))
        use(connect(self._settings(), clock=self.clock, transport=transport(self.cloud),
                    storage_transport=self.reach.transport(), wire=self.network))  # fmt: skip

    def assign_roles(self) -> None:
        super().assign_roles()
        for each in deployed_on_replicas(f"{self.account.id}/blobServices/default/containers/replicas"):
            self.cloud.roles.grant(each.identity, [each.action], each.scope)

    def copies_of(self, point: RestorePoint) -> dict[str, Copy]:
        """Return the copies of a point to the vault, by the names of their disks."""
        return {copy.disk_name: copy for copy in cloud().catalogue.copies.find(point, VAULT)}

    def kept(self, point: RestorePoint, disk: str) -> bytes:
        """Return all bytes that the vault keeps of a point's disk, the VHD's footer included."""
        pages = self.copies_of(point)[disk].pages
        assert pages is not None
        assert pages.sealed, f"{disk} of {point.id} is not sealed"
        blob = self.account.blob("replicas", pages.blob)
        return blob.read(0, pages.length, pages.sealed)

    def tamper(self, point: RestorePoint, disk: str, offset: int, content: bytes = b"!") -> None:
        """Change bytes of what the vault keeps of a point's disk, behind everybody's back.

        Without `content` the page there is taken away.
        """
        pages = self.copies_of(point)[disk].pages
        assert pages is not None
        state = self.account.blob("replicas", pages.blob).page_blob.snapshots[pages.sealed]
        image, length = state.image.thaw_copy(), len(content) or PAGE_BYTES
        before = image.read(offset, length)
        if content:
            image.write(offset, content)
        else:
            image.clear(offset, length)
        assert image.read(offset, length) != before
        state.image = image.freeze_copy()

    def verify(self) -> None:
        """Let the next daily verification run, and everything that follows from it."""
        at = self.clock.now().replace(hour=4, minute=27, second=0)
        self.jump(at if at > self.clock.now() else at + timedelta(days=1))
        self.pass_time(timedelta(minutes=9))

    def replicas(self) -> dict[str, BlobHandle]:
        """Return the page blobs in the vault's container, by name."""
        with self.cloud.estate.lock:
            names = list(self.account.resource.containers["replicas"].blobs)
        return {name: self.account.blob("replicas", name) for name in names}

    def assert_kept(self, point: RestorePoint) -> None:
        """The vault keeps every disk of a point byte for byte, with a footer that Azure can import."""
        for part in point.disks:
            image = self.cloud.snapshot_image(part.snapshot_id)
            kept = self.kept(point, part.disk.name)
            assert kept[:-FOOTER_BYTES] == image.read(0, image.size_bytes), f"{part.disk.name} of {point.id}"
            assert footer_fault(kept[-FOOTER_BYTES:], image.size_bytes) is None

    def assert_closed(self) -> None:
        """No snapshot is open, and none can be opened from outside."""
        with self.cloud.estate.lock:
            there = [
                each
                for each in self.cloud.estate.shelf.under("/subscriptions/")
                if isinstance(each, Snapshot)
            ]
        for snapshot in there:
            assert self.cloud.estate.accesses.active(snapshot.id.key) is None, f"{snapshot.id} is open"
            assert snapshot.properties["networkAccessPolicy"] == "DenyAll", f"{snapshot.id} can be opened"

    def lose_region(self, region: str) -> None:
        super().lose_region(region)
        if region == REGION:
            self.reach.lost.add(self.manifests[VAULT].blob_endpoint)
