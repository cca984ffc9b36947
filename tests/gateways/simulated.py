"""The simulated cloud with the gateways over it, and the steps of a backup on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clock import ManualClock
from domain.copies import CopyState, copies_of
from domain.manifests import Manifest, recovery_manifest
from domain.policy import Location, Policy
from domain.restore_points import ProtectedDisk, RestorePoint
from domain.schedule import Schedule
from domain.snapshots import Snapshot
from domain.tags import snapshot_tags
from gateways.compute import Compute, ResourceId
from gateways.disks import Disks
from gateways.snapshots import Snapshots
from gateways.virtual_machines import VirtualMachines
from simulator.cloud import Cloud
from simulator.world_handles import MachineHandle
from tests.gateways.scripted import SUBSCRIPTION

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
GIB = 1024**3
OPERATION = "20261122-0123456789abcdef0123"


class HurriedClock(ManualClock):
    """A clock that moves when somebody is about to wait for it, so that what waits within a call goes on."""

    def seconds_until(self, moment: datetime) -> float:
        self.move_to(moment)
        return 0.0


@dataclass
class Azure:
    """The simulated cloud, and the gateways over it."""

    cloud: Cloud
    clock: ManualClock
    compute: Compute

    @property
    def machines(self) -> VirtualMachines:
        return VirtualMachines(self.compute)

    @property
    def snapshots(self) -> Snapshots:
        return Snapshots(self.compute)

    @property
    def disks(self) -> Disks:
        return Disks(self.compute)

    def location(self, name: str, region: str) -> Location:
        manifests = f"https://{name}.example/manifests"
        return Location(name, region, SUBSCRIPTION, f"snapshots-{name}", manifests, f"restored-{name}")

    @property
    def west(self) -> Location:
        return self.location("west", "westeurope")

    @property
    def north(self) -> Location:
        return self.location("north", "northeurope")

    def pass_time(self, seconds: float = 60) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def taken(self, machine: MachineHandle) -> RestorePoint:
        """Take a restore point of a machine, as the orchestrator does."""
        policy = Policy("daily", Schedule("0 2 * * *"), self.west, (self.north,))
        vm = self.machines.describe(machine.id)
        point = RestorePoint.begin(vm, policy, START, 1, self.clock.now(), None)
        for part in point.disks:
            self.begin(point, part)
        self.pass_time()
        parts = [part.observed(self.found(part.snapshot_id)) for part in point.disks]
        return point.decided_by(parts, self.clock.now())

    def begin(self, point: RestorePoint, part: ProtectedDisk) -> Snapshot:
        tags = snapshot_tags(point.id, point.vm.name, part.disk.name, point.policy, "west")
        return self.snapshots.begin(part.snapshot_id, part.disk.id, self.west, tags)

    def found(self, snapshot_id: str) -> Snapshot:
        snapshot = self.snapshots.find(snapshot_id)
        assert snapshot is not None
        return snapshot

    def disk_model(self, disk_id: str) -> Mapping[str, Any]:
        """Return a disk as ARM describes it."""
        address = ResourceId.parse(disk_id)
        disks = self.compute.client(address.subscription).disks
        return disks.get(address.group, address.name).as_dict()

    def snapshot_model(self, snapshot_id: str) -> Mapping[str, Any]:
        """Return a snapshot as ARM describes it."""
        address = ResourceId.parse(snapshot_id)
        snapshots = self.compute.client(address.subscription).snapshots
        return snapshots.get(address.group, address.name).as_dict()

    def copied(self, point: RestorePoint) -> Manifest:
        """Copy a point to the north, and return the manifest of its replica there."""
        complete = []
        for copy in copies_of(point):
            target = self.north.snapshot_id(copy.target_name)
            tags = snapshot_tags(point.id, point.vm.name, copy.disk_name, point.policy, "north")
            self.snapshots.begin_copy(target, copy.source_id, self.north, tags)
            self.pass_time(600)
            complete.append(copy.claimed("worker", START).observed(self.found(target), self.clock.now()))
        assert {copy.state for copy in complete} == {CopyState.AVAILABLE}
        return recovery_manifest(point, self.north, complete)
