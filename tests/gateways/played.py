"""All gateways over a simulated cloud in which every identity has what the table of actions says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from clock import ManualClock
from domain.blob_sources import BlobSource
from domain.errors import Absent, Refused
from domain.networks import InterfacePlan, RestoredInterface, SubnetAddress
from domain.policy import Location, Policies, Scope
from domain.restored_machines import Attachment, MachinePlan
from domain.restores import DiskPlan
from gateways.actions import assignments
from gateways.connection import Cloud, connect
from settings import Development, Identity, Settings
from simulator.arm.machine_model import VirtualMachine
from simulator.cloud import Cloud as Simulated
from simulator.transport import transport
from simulator.world_handles import MachineHandle
from tests.gateways.scripted import SUBSCRIPTION
from tests.gateways.simulated import GIB, START, HurriedClock

EXAMPLE = Path(__file__).parents[2] / "policies.yaml"
POINT = "point"


@dataclass
class Play:
    """A simulated cloud whose identities have roles, and all gateways over it."""

    simulated: Simulated
    clock: ManualClock
    there: Cloud
    web: MachineHandle
    west: Location
    north: Location

    def pass_time(self, minutes: float = 10) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    def call_everything(self) -> None:
        """Call each gateway of Resource Manager in each way that needs another right."""
        snapshot, copy = self.west.snapshot_id("taken"), self.north.snapshot_id("copied")
        there, disk = self.there, self.web.disk("os")
        assert [vm.name for vm in there.virtual_machines.listed(Scope(SUBSCRIPTION))] == ["web"]
        there.virtual_machines.describe(self.web.id)
        there.snapshots.begin(snapshot, disk.id, self.west, {"tidemark-point": POINT})
        self.pass_time()
        key = "EncryptionAtRestWithCustomerKey"
        there.disk_data.open(snapshot, timedelta(hours=1))
        there.disk_data.close(snapshot)
        there.snapshots.begin_copy(copy, snapshot, self.north, {"tidemark-point": POINT}, key)
        self.pass_time(60)
        assert there.snapshots.find(copy).percent == 100
        self.restore(copy)
        self.restore_blobs()
        assert not there.deletions.delete_snapshot(snapshot, POINT)

    def restore(self, snapshot: str) -> None:
        group = f"{self.north.restore_group_id}/providers"
        disk = DiskPlan(
            id=f"{group}/Microsoft.Compute/disks/web-os",
            region="northeurope",
            sku="Premium_LRS",
            size_bytes=8 * GIB,
            snapshot_id=snapshot,
            source_disk="web-os",
            lun=None,
            encryption_set_id=self.north.encryption_set_id,
        )
        interface = InterfacePlan(
            f"{group}/Microsoft.Network/networkInterfaces/web", "northeurope", self.north.subnet_id, TAGS
        )
        machine = MachinePlan(
            id=f"{group}/Microsoft.Compute/virtualMachines/web",
            region="northeurope",
            size="Standard_D4s_v5",
            os_type="Linux",
            disks=(Attachment(disk.id, None, "ReadWrite"),),
            interface=interface,
            tags=TAGS,
        )
        self.make(disk, interface, machine)

    def restore_blobs(self) -> None:
        """Import a disk from a page blob, and upload one."""
        uploaded = BlobSource(
            "https://northblobs.blob.core.windows.net/replicas", "web.vhd", "", 32 * 1024**2 + 512
        )
        imported = replace(uploaded, account_id=self.north.account_id, import_name="copy.vhd")
        with suppress(Absent):  # there is no such blob; the rights are looked at before that
            self.there.disks.begin(self.of_blob("imported", imported))
        disk = self.of_blob("uploaded", uploaded)
        self.there.disks.begin(disk)
        self.pass_time()
        self.there.disk_uploads.open(disk.id, timedelta(hours=1))
        try:
            self.there.disk_uploads.end(disk.id)
        except Refused as refused:
            if "is not accepted" not in str(refused):  # nothing was uploaded
                raise

    def of_blob(self, name: str, blob: BlobSource) -> DiskPlan:
        return DiskPlan(
            id=f"{self.north.restore_group_id}/providers/Microsoft.Compute/disks/{name}",
            region="northeurope",
            sku="Premium_LRS",
            size_bytes=32 * 1024**2,
            snapshot_id="",
            source_disk="web-os",
            lun=None,
            blob=blob,
        )

    def make(self, disk: DiskPlan, interface: InterfacePlan, machine: MachinePlan) -> None:
        self.there.disks.begin(disk)
        self.pass_time()
        self.there.disks.find(disk.id)
        assert self.there.machine_sizes.find(SUBSCRIPTION, "northeurope", machine.size)
        self.there.networks.find(SubnetAddress.parse(self.north.subnet_id))
        self.there.networks.begin_interface(interface, OPERATION)
        self.pass_time()
        assert isinstance(self.there.networks.find_interface(interface.id), RestoredInterface)
        self.there.restored_machines.begin(machine, OPERATION)
        self.pass_time()
        made = self.simulated.estate.shelf.find(VirtualMachine, machine.id)
        made.provisioning_state = "Failed"  # so that somebody asks why
        assert self.there.restored_machines.find(machine.id).has_failed


OPERATION = "20261122-0123456789abcdef0123"
TAGS = {"tidemark-operation": OPERATION}


@contextmanager
def played(without: tuple[Identity, str] | None = None) -> Iterator[Play]:
    """A play in which every identity has what the table says, but for one action."""
    clock = HurriedClock(START)
    with Simulated(clock) as simulated:
        simulated.add_subscription(SUBSCRIPTION)
        west, north = location(simulated, "west", "westeurope"), location(simulated, "north", "northeurope")
        for each in assignments(Policies((Scope(SUBSCRIPTION),), {"west": west, "north": north}, {})):
            if (each.identity, each.action) != without:
                simulated.roles.grant(each.identity, [each.action], each.scope)
        settings = Settings(
            "https://catalogue.example", EXAMPLE, "https://management.azure.com", False, Development("", {})
        )
        there = connect(settings, clock=clock, transport=transport(simulated))
        web = simulated.add_virtual_machine("web", "westeurope", "production", {"os": 8 * GIB})
        yield Play(simulated, clock, there, web, west, north)


def location(simulated: Simulated, name: str, region: str) -> Location:
    for purpose in ("snapshots", "restored", "network", "keys"):
        simulated.add_resource_group(f"{purpose}-{name}", region)
    subnet = simulated.add_network(f"network-{name}", region, f"network-{name}")
    key = simulated.add_disk_encryption_set("key", region, f"keys-{name}")
    manifests = f"https://{name}.example/manifests"
    account = simulated.add_storage_account(f"{name}blobs", region, f"snapshots-{name}").id
    return Location(
        name, region, SUBSCRIPTION, f"snapshots-{name}", manifests, f"restored-{name}", key, subnet,
        account_id=account,
    )  # fmt: skip
