"""Machines, snapshots and disks through the real SDK against the simulated cloud.

What the simulated cloud does is held to azure-semantics.md by its own tests; these hold the gateways to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from clock import ManualClock
from domain.copies import CopyState, copies_of
from domain.errors import Absent, Refused, Transient
from domain.manifests import Manifest, home_manifest, recovery_manifest
from domain.policy import Location, Policy
from domain.restore_points import ProtectedDisk, RestorePoint
from domain.restores import plan_disks
from domain.schedule import Schedule
from domain.snapshots import Snapshot
from domain.tags import snapshot_tags
from domain.vms import POLICY_TAG
from gateways.compute import Compute
from gateways.disks import Disks
from gateways.snapshots import Snapshots
from gateways.virtual_machines import VirtualMachines
from simulator.cloud import Cloud
from simulator.transport import transport
from simulator.wire import Response
from simulator.world_handles import DiskSpec, MachineHandle
from tests.gateways.scripted import COMPUTE, SUBSCRIPTION, Script, Token

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
GIB = 1024**3
OPERATION = "20261122-0123456789abcdef0123"


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
        return self.snapshots.begin(part.snapshot_id, part.disk.id, "westeurope", tags)

    def found(self, snapshot_id: str) -> Snapshot:
        snapshot = self.snapshots.find(snapshot_id)
        assert snapshot is not None
        return snapshot

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


@pytest.fixture
def azure() -> Iterator[Azure]:
    clock = ManualClock(START)
    cloud = Cloud(clock)
    cloud.add_subscription(SUBSCRIPTION)
    for name, region in (("west", "westeurope"), ("north", "northeurope")):
        cloud.add_resource_group(f"snapshots-{name}", region)
        cloud.add_resource_group(f"restored-{name}", region)
    compute = Compute(Token("development:tidemark"), "https://management.azure.com", transport(cloud))
    yield Azure(cloud, clock, compute)
    cloud.faults.verify_all_met()
    cloud.close()


@pytest.fixture
def web(azure: Azure) -> MachineHandle:
    return azure.cloud.add_virtual_machine(
        "web",
        "westeurope",
        "production",
        {"os": 8 * GIB, "data": DiskSpec(64 * GIB, "StandardSSD_LRS")},
        tags={POLICY_TAG: "daily"},
    )


def test_a_vm_is_described_with_all_its_disks(azure, web):
    vm = azure.machines.describe(web.id)
    assert (vm.name, vm.region, vm.policy, vm.has_ephemeral_os_disk) == ("web", "westeurope", "daily", False)
    os, data = vm.disks
    assert (os.name, os.lun, os.size_bytes, os.sku) == ("web-os", None, 8 * GIB, "Premium_LRS")
    assert (data.name, data.lun, data.size_bytes, data.sku) == ("web-data", 0, 64 * GIB, "StandardSSD_LRS")
    assert os.unique_id == web.disk("os").unique_id
    assert os.traits["osType"] == "Linux"
    assert vm.model["properties"]["storageProfile"]["dataDisks"][0]["lun"] == 0


def test_a_vm_has_one_key_however_its_id_is_written(azure, web):
    assert azure.machines.describe(web.id.upper()).key == azure.machines.describe(web.id).key


def test_a_vm_that_is_not_there_is_absent(azure, web):
    for wrong in (
        web.id + "-gone",
        web.id.replace("production", "nowhere"),
        web.id.replace(SUBSCRIPTION, "0" * 8),
    ):
        with pytest.raises(Absent, match=r"VM .*not.*found"):
            azure.machines.describe(wrong)


def test_an_ephemeral_os_disk_is_told_and_is_not_among_the_disks(azure):
    machine = azure.cloud.add_virtual_machine(
        "scratch", "westeurope", "production", {"os": 8 * GIB, "data": GIB}, has_ephemeral_os_disk=True
    )
    vm = azure.machines.describe(machine.id)
    assert vm.has_ephemeral_os_disk
    assert [disk.lun for disk in vm.disks] == [0]
    assert "ephemeral OS disk" in str(vm.protection_faults("westeurope")[0])


def test_tagged_vms_are_found_on_every_page_whatever_the_case_of_the_tag(azure, web):
    names = {"web"}
    for number in range(120):  # more than two pages
        tags = {POLICY_TAG.title(): "daily"} if number % 3 == 0 else {"other": "tag"}
        name = f"vm{number:03d}"
        azure.cloud.add_virtual_machine(name, "westeurope", "production", {"os": GIB}, tags=tags)
        names |= {name} if number % 3 == 0 else set()
    found = list(azure.machines.tagged(SUBSCRIPTION, POLICY_TAG))
    assert {vm.name for vm in found} == names
    assert len(found) == len(names)
    assert {vm.policy for vm in found} == {"daily"}


def test_a_snapshot_is_begun_taken_and_found_with_its_tags(azure, web):
    point = azure.taken(web)
    assert point.is_available, point.failure
    for part in point.disks:
        snapshot = azure.found(part.snapshot_id)
        assert (snapshot.source_id, snapshot.source_unique_id) == (part.disk.id, part.disk.unique_id)
        assert snapshot.size_bytes == part.disk.size_bytes
        assert snapshot.created is not None
        assert START <= snapshot.created < azure.clock.now()
        assert snapshot.percent is None  # a standard or premium disk's is whole at once
        assert snapshot.tags["tidemark-point"] == point.id


def test_a_snapshot_that_was_only_begun_is_not_usable_yet(azure, web):
    vm = azure.machines.describe(web.id)
    begun = azure.snapshots.begin(azure.west.snapshot_id("one"), vm.disks[0].id, "westeurope", {})
    assert not begun.is_taken
    assert not begun.is_usable
    assert begun.failure is None


def test_beginning_a_snapshot_twice_takes_one(azure, web):
    point = azure.taken(web)
    part = point.disks[0]
    before = azure.found(part.snapshot_id)
    web.disk("os").image.write(0, b"later")
    assert azure.begin(point, part) == before
    azure.pass_time()
    assert azure.found(part.snapshot_id) == before


def test_a_snapshot_of_another_disk_under_the_name_is_refused(azure, web):
    os, data = azure.machines.describe(web.id).disks
    name = azure.west.snapshot_id("one")
    azure.snapshots.begin(name, os.id, "westeurope", {})
    with pytest.raises(Refused, match=r"exists, but of .*web-os instead of .*web-data") as refused:
        azure.snapshots.begin(name, data.id, "westeurope", {})
    assert refused.value.code == "NameTaken"


def test_a_snapshot_whose_disk_is_gone_or_whose_group_is_missing_is_refused(azure, web):
    with pytest.raises(Refused):
        azure.snapshots.begin(azure.west.snapshot_id("one"), web.disk("os").id + "-gone", "westeurope", {})
    nowhere = replace(azure.west, resource_group="nowhere")
    with pytest.raises(Absent, match="nowhere") as absent:
        azure.snapshots.begin(nowhere.snapshot_id("one"), web.disk("os").id, "westeurope", {})
    assert absent.value.code == "ResourceGroupNotFound"


@pytest.mark.parametrize("after_executing", [False, True])
def test_a_write_without_an_answer_may_be_repeated(azure, web, after_executing):
    azure.cloud.faults.drop("PUT", "/snapshots/", after_executing=after_executing)
    disk, name = web.disk("os").id, azure.west.snapshot_id("one")
    with pytest.raises(Transient):
        azure.snapshots.begin(name, disk, "westeurope", {"a": "b"})
    azure.snapshots.begin(name, disk, "westeurope", {"a": "b"})
    azure.pass_time()
    assert azure.found(name).is_usable


def test_throttling_is_told_with_its_time(azure, web):
    azure.cloud.faults.fail("PUT", "/snapshots/", status=429, retry_after=1200)
    with pytest.raises(Transient) as told:
        azure.snapshots.begin(azure.west.snapshot_id("one"), web.disk("os").id, "westeurope", {})
    assert told.value.retry_after == timedelta(minutes=20)


def test_a_snapshot_whose_operation_failed_says_so(azure, web):
    azure.cloud.faults.fail_operation("PUT", "/snapshots/")
    name = azure.west.snapshot_id("one")
    azure.snapshots.begin(name, web.disk("os").id, "westeurope", {})
    azure.pass_time()
    assert azure.found(name).failure == "Azure reports the snapshot 'one' as Failed"


def test_a_copy_is_usable_only_when_all_of_it_is_there(azure, web):
    web.disk("data").image.write(0, b"x" * 4096)
    point = azure.taken(web)
    copy = copies_of(point)[1]
    target = azure.north.snapshot_id(copy.target_name)
    azure.snapshots.begin_copy(target, copy.source_id, azure.north, {})
    azure.pass_time(10)  # the operation has succeeded; the data is still on its way
    underway = azure.found(target)
    assert underway.is_taken
    assert not underway.is_usable
    assert underway.percent is not None
    azure.pass_time(3600)
    assert azure.found(target).is_usable
    assert azure.found(target).percent == 100.0


def test_beginning_a_copy_twice_makes_one(azure, web):
    copy = copies_of(azure.taken(web))[0]
    target = azure.north.snapshot_id(copy.target_name)
    azure.snapshots.begin_copy(target, copy.source_id, azure.north, {})
    azure.pass_time(3600)
    before = azure.found(target)
    assert azure.snapshots.begin_copy(target, copy.source_id, azure.north, {}) == before
    other = copies_of(azure.taken(web))[1]
    with pytest.raises(Refused, match="exists, but of"):
        azure.snapshots.begin_copy(target, other.source_id, azure.north, {})


def test_disks_made_from_a_point_hold_its_bytes_in_either_region(azure, web):
    written = {"os": b"boot" * 1024, "data": b"rows" * 1024}
    for name, content in written.items():
        web.disk(name).image.write(1024 * 1024, content)
    point = azure.taken(web)
    for name in written:
        web.disk(name).image.write(1024 * 1024, b"later" * 1024)
    away = azure.copied(point)

    for manifest, location in ((home_manifest(point, azure.west), azure.west), (away, azure.north)):
        for plan, name in zip(plan_disks(OPERATION, manifest, location), written, strict=True):
            azure.disks.begin(plan)
            azure.pass_time()
            disk = azure.disks.find(plan.id)
            assert disk is not None
            assert disk.is_ready
            assert (disk.source_id, disk.size_bytes) == (plan.snapshot_id, plan.size_bytes)
            image = azure.cloud.disk(plan.id).image
            assert image.read(1024 * 1024, len(written[name])) == written[name]


def test_disks_come_back_after_the_region_is_lost(azure, web):
    web.disk("os").image.write(0, b"kept")
    manifest = azure.copied(azure.taken(web))
    azure.cloud.lose_region("westeurope")
    with pytest.raises(Transient):
        azure.machines.describe(web.id)

    plan = plan_disks(OPERATION, manifest, azure.north)[0]
    azure.disks.begin(plan)
    azure.pass_time()
    assert azure.cloud.disk(plan.id).image.read(0, 4) == b"kept"


def test_beginning_a_disk_twice_makes_one(azure, web):
    point = azure.taken(web)
    plan = plan_disks(OPERATION, home_manifest(point, azure.west), azure.west)[0]
    azure.disks.begin(plan)
    azure.pass_time()
    azure.cloud.disk(plan.id).image.write(0, b"in use")
    assert azure.disks.begin(plan).is_ready
    assert azure.cloud.disk(plan.id).image.read(0, 6) == b"in use"


def test_a_disk_of_another_snapshot_under_the_name_is_refused(azure, web):
    plans = plan_disks(OPERATION, home_manifest(azure.taken(web), azure.west), azure.west)
    azure.disks.begin(plans[0])
    with pytest.raises(Refused, match=r"was made of .* instead of") as refused:
        azure.disks.begin(replace(plans[1], id=plans[0].id))
    assert refused.value.code == "NameTaken"


def test_a_disk_that_is_not_there_is_not_found(azure):
    group = azure.west.restore_group_id
    assert azure.disks.find(f"{group}/providers/Microsoft.Compute/disks/none") is None
    with pytest.raises(Absent, match="ResourceGroupNotFound"):
        azure.disks.find(f"{group}-nowhere/providers/Microsoft.Compute/disks/none")


def test_a_disk_that_is_not_managed_is_refused_and_never_left_out():
    blob = {"name": "old", "lun": 0, "vhd": {"uri": "https://account.blob.example/vhds/old.vhd"}}
    model = {
        "id": f"{COMPUTE}/virtualMachines/web",
        "name": "web",
        "location": "westeurope",
        "properties": {"storageProfile": {"osDisk": {"name": "os", "vhd": blob["vhd"]}, "dataDisks": [blob]}},
    }
    script = Script(Response.of_json(200, model))
    machines = VirtualMachines(Compute(Token(), "https://management.azure.com", transport(script)))
    with pytest.raises(Refused, match="disk 'os' of VM 'web' is not a managed disk"):
        machines.describe(f"{COMPUTE}/virtualMachines/web")
