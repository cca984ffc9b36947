"""A VM's disk with snapshots, and a storage account for its replicas, in process or over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

from domain.page_writes import Write, plan_writes
from domain.snapshots import Snapshot
from gateways.blob_access import Opened
from gateways.compute import Compute
from gateways.disk_data import DiskData
from gateways.page_blobs import PageBlob, PageBlobs
from gateways.snapshots import Snapshots
from gateways.wire import Network
from settings import Identity
from simulator.cloud import Cloud
from simulator.server import Server
from simulator.streams import streams
from simulator.tempo import Tempo
from simulator.transport import transport
from simulator.world_accounts import AccountHandle
from tests.domain.samples import WEST
from tests.gateways.scripted import SUBSCRIPTION, Token
from tests.gateways.simulated import START, HurriedClock

MIB = 1024 * 1024
DISK_BYTES = 24 * MIB
LENGTH = DISK_BYTES + 512  # of its blob
PIECE = 4 * MIB
HOUR = timedelta(hours=1)
UNLIMITED = Tempo(blob_requests_per_second=None, blob_bytes_per_second=None)


def never() -> bool:
    """A batch that is never over before it is done."""
    return False


@dataclass(frozen=True)
class Pages:
    """The cloud, the gateways over it, and the disk that is copied."""

    cloud: Cloud
    clock: HurriedClock
    disk_data: DiskData
    snapshots: Snapshots
    blobs: PageBlobs
    container: str
    account: AccountHandle
    disk: Any

    @property
    def wire(self) -> Any:
        return self.disk_data.wire

    def write(self, offset: int, length: int, seed: int = 0) -> None:
        self.disk.image.write(offset, Random(seed).randbytes(length))

    def take(self, name: str) -> str:
        """Take a snapshot of the disk; return its id."""
        group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/snapshots-west"
        snapshot_id = f"{group}/providers/Microsoft.Compute/snapshots/{name}"
        begun: Snapshot = self.snapshots.begin(snapshot_id, self.disk.id, WEST, {})
        self.clock.advance(timedelta(minutes=1))
        return begun.id

    def blob(self, name: str = "web/os.vhd") -> PageBlob:
        return self.blobs.at(self.container, name)

    def fresh(self) -> PageBlob:
        """Make a new replica of the disk."""
        blob = self.blob()
        blob.create(LENGTH, {"tidemark_disk": "os"})
        return blob

    def stored(self) -> bytes:
        """Return what the replica holds."""
        return self.account.blob("replicas", self.blob().name).read(0, LENGTH)

    def whole(self, snapshot_id: str) -> tuple[Opened, list[Write]]:
        """Open a snapshot, and plan to copy all of it."""
        opened = self.disk_data.open(snapshot_id, HOUR)
        return opened, list(plan_writes(self.disk_data.page_ranges(opened, None, 0, LENGTH)))

    def on(self, container: str, credential: Any) -> Pages:
        """The same with other replicas."""
        blobs = PageBlobs(self.wire, lambda account: credential)
        return replace(self, blobs=blobs, container=container)

    def content(self, opened: Opened) -> bytes:
        """Return what a snapshot holds, footer and all, read in one go."""
        content = bytearray(self.disk_data.length(opened))
        self.disk_data.read_into(opened, 0, memoryview(content))
        return bytes(content)


@contextmanager
def pages(over_http: bool = False, tempo: Tempo = UNLIMITED, disk_bytes: int = DISK_BYTES) -> Iterator[Pages]:
    """Open a cloud with a disk and an account for replicas."""
    clock = HurriedClock(START)
    with Cloud(clock, tempo=tempo) as cloud:
        if not over_http:
            endpoint = "https://management.azure.com"
            yield _built(cloud, clock, Network(streams(cloud)), endpoint, transport(cloud), disk_bytes)
            cloud.faults.verify_all_met()
            return
        with Server(cloud) as server:
            cloud.base_url = server.url
            network = Network()
            yield _built(cloud, clock, network, server.url)
            network.close()
        cloud.faults.verify_all_met()


def _built(
    cloud: Cloud,
    clock: HurriedClock,
    network: Network,
    endpoint: str,
    transport: Any = None,
    disk_bytes: int = DISK_BYTES,
) -> Pages:
    cloud.add_subscription(SUBSCRIPTION)
    cloud.add_resource_group("snapshots-west", "westeurope")
    cloud.add_resource_group("recovery", "northeurope")
    machine = cloud.add_virtual_machine("web", "westeurope", "production", {"os": disk_bytes})
    account = cloud.add_storage_account("vault", "northeurope", "recovery")
    account.add_container("replicas")
    tester = Token("development:tester")
    compute = Compute(tester, endpoint, transport, identity=Identity.BACKUP)
    blobs = PageBlobs(network, lambda endpoint: tester)
    return Pages(
        cloud=cloud,
        clock=clock,
        disk_data=DiskData(compute, network, clock),
        snapshots=Snapshots(compute),
        blobs=blobs,
        container=f"{account.endpoint}/replicas",
        account=account,
        disk=machine.disk("os"),
    )
