"""Managed disks: from snapshots, growing, states (azure-semantics §2.3, §5, §7.1)."""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from simulator.world_handles import DiskSpec
from tests.simulator.conftest import GIB, HOME, RECOVERY, code_of, disk_body, snapshot_body

PATH = "resourceGroups/production/providers/Microsoft.Compute/disks"


def test_a_disk_from_a_snapshot_has_its_bytes_and_takes_over_what_it_is(azure):
    """§7.1: 202, then usable at once; §2.3: osType, hyperVGeneration."""
    azure.web.disk("os").image.write(4096, b"boot")
    snapshot = azure.take("s1", disk="os")
    answer = azure.ask("PUT", f"{PATH}/restored", disk_body(snapshot.id))
    properties = json.loads(answer.body)["properties"]
    assert (answer.status, properties["provisioningState"]) == (202, "Updating")
    assert "uniqueId" not in properties
    azure.pass_time(seconds=1)
    disk = azure.sdk.disks.get("production", "restored")
    assert (disk.os_type, disk.hyper_v_generation, disk.disk_state) == ("Linux", "V2", "Unattached")
    assert disk.creation_data.source_unique_id == snapshot.unique_id
    assert disk.unique_id != azure.web.disk("os").unique_id
    assert azure.cloud.disk(disk.id).image.read(4096, 4) == b"boot"


def test_a_disk_may_be_larger_than_its_snapshot_but_not_smaller(azure):
    """§7.1: diskSizeGB may be at least the snapshot's."""
    snapshot = azure.take("s1")
    assert azure.make_disk("large", disk_body(snapshot.id, diskSizeGB=65)).disk_size_bytes == 65 * GIB
    with pytest.raises(HttpResponseError, match="smaller") as raised:
        azure.make_disk("small", disk_body(snapshot.id, diskSizeGB=63))
    assert code_of(raised) == "InvalidParameter"


def test_a_disk_is_made_in_the_region_of_its_snapshot(azure):
    """§7.1: location must be the snapshot's region."""
    with pytest.raises(HttpResponseError, match="Copy the snapshot first") as raised:
        azure.make_disk("far", disk_body(azure.take("s1").id, RECOVERY), "recovery")
    assert code_of(raised) == "SimulatorRegionMismatch"


def test_an_empty_disk_looks_like_the_recorded_one(azure):
    """The disk of recorded test_completion_percent: 200 GiB Premium in westus."""
    body = {
        "location": "westus",
        "tags": {},
        "sku": {"name": "Premium_LRS"},
        "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 200},
    }
    azure.ask("PUT", f"{PATH}/disk1", body)
    azure.pass_time(seconds=1)
    disk = json.loads(azure.ask("GET", f"{PATH}/disk1").body)
    assert disk["sku"] == {"name": "Premium_LRS", "tier": "Premium"}
    unique_id = disk["properties"].pop("uniqueId")
    assert len(unique_id) == 36
    assert disk["properties"] == {
        "creationData": {"createOption": "Empty"},
        "diskSizeGB": 200,
        "diskIOPSReadWrite": 1100,
        "diskMBpsReadWrite": 125,
        "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
        "networkAccessPolicy": "AllowAll",
        "publicNetworkAccess": "Enabled",
        "timeCreated": "2026-01-01T12:00:00.0000000+00:00",
        "provisioningState": "Succeeded",
        "diskState": "Unattached",
        "diskSizeBytes": 214748364800,
        "tier": "P15",
    }


def test_the_state_of_a_disk_follows_from_its_machine(azure):
    """§2.3: Attached, Reserved when deallocated, Unattached."""

    def state():
        return azure.sdk.disks.get("production", "web-data").disk_state

    assert state() == "Attached"
    azure.sdk.virtual_machines.begin_power_off("production", "web").result()
    assert state() == "Attached"
    azure.sdk.virtual_machines.begin_deallocate("production", "web").result()
    assert state() == "Reserved"
    azure.sdk.virtual_machines.begin_delete("production", "web").result()
    assert state() == "Unattached"


def test_an_attached_disk_names_its_machine_in_capitals_and_cannot_be_deleted(azure):
    """§9: the case of ids varies between responses; the refusal is quoted in public reports."""
    disk = azure.sdk.disks.get("production", "web-data")
    assert "/resourceGroups/PRODUCTION/" in disk.managed_by
    assert disk.managed_by.lower() == azure.web.id.lower()
    with pytest.raises(ResourceExistsError, match="is attached to VM") as raised:
        azure.sdk.disks.begin_delete("production", "web-data")
    assert code_of(raised) == "OperationNotAllowed"


def test_a_disk_grows_and_never_shrinks(azure):
    """§5: disks only grow."""
    azure.web.disk("data").image.write(0, b"kept")
    azure.sdk.disks.begin_update("production", "web-data", {"properties": {"diskSizeGB": 128}}).result()
    assert azure.web.disk("data").image.size_bytes == 128 * GIB
    assert azure.web.disk("data").image.read(0, 4) == b"kept"
    with pytest.raises(HttpResponseError, match="only grow"):
        azure.sdk.disks.begin_update("production", "web-data", {"properties": {"diskSizeGB": 64}})


def test_growing_across_4_tib_needs_a_detached_disk(azure):
    """§5: deallocate and detach, except for Ultra and Premium SSD v2."""
    larger = {"properties": {"diskSizeGB": 4097}}
    azure.sdk.virtual_machines.begin_deallocate("production", "web").result()
    with pytest.raises(ResourceExistsError, match="detach") as raised:
        azure.sdk.disks.begin_update("production", "web-data", larger)
    assert code_of(raised) == "OperationNotAllowed"
    free = azure.cloud.add_disk("free", HOME, "production", 64 * GIB)
    azure.sdk.disks.begin_update("production", "free", larger).result()
    assert free.image.size_bytes == 4097 * GIB


def test_an_os_disk_grows_only_while_its_machine_is_deallocated(azure):
    larger = {"properties": {"diskSizeGB": 16}}
    with pytest.raises(ResourceExistsError, match="requires the VM to be deallocated"):
        azure.sdk.disks.begin_update("production", "web-os", larger)
    azure.sdk.virtual_machines.begin_deallocate("production", "web").result()
    assert azure.sdk.disks.begin_update("production", "web-os", larger).result().disk_size_gb == 16


def test_the_snapshots_of_a_grown_disk_keep_their_own_size(azure):
    before = azure.take("s1")
    azure.sdk.disks.begin_update("production", "web-data", {"properties": {"diskSizeGB": 128}}).result()
    after = azure.take("s2")
    assert (before.disk_size_bytes, after.disk_size_bytes) == (64 * GIB, 128 * GIB)
    assert azure.cloud.snapshot_image(before.id).size_bytes == 64 * GIB
    assert before.incremental_snapshot_family_id == after.incremental_snapshot_family_id


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"sku": "UltraSSD_LRS"}, "zone"),
        ({"sku": "PremiumV2_LRS"}, "zone"),
        ({"sku": "Gold_LRS"}, "sku"),
        ({"region": "ukwest", "sku": "Premium_ZRS"}, "not available"),
        ({"region": "ukwest", "zones": ["1"]}, "zones"),
        ({"zones": ["4"]}, "zones"),
        ({"osType": "BeOS"}, "osType"),
        ({"networkAccessPolicy": "Maybe"}, "networkAccessPolicy"),
        ({"diskSizeGB": 0}, "diskSizeGB"),
        ({"diskSizeGB": 65537}, "diskSizeGB"),
    ],
)
def test_a_disk_that_cannot_be_is_refused(azure, change, match):
    """§7.1: Ultra and Premium SSD v2 need a zone, ZRS a region that has it."""
    with pytest.raises(HttpResponseError, match=match) as raised:
        azure.make_disk("d1", disk_body(None, **change))
    assert code_of(raised) == "InvalidParameter"


def test_a_disk_put_again_from_another_source_is_refused(azure):
    first, second = azure.take("s1"), azure.take("s2")
    azure.make_disk("d1", disk_body(first.id))
    assert azure.make_disk("d1", disk_body(first.id, tags={"a": "b"})).tags == {"a": "b"}
    with pytest.raises(ResourceExistsError) as raised:
        azure.make_disk("d1", disk_body(second.id))
    assert code_of(raised) == "PropertyChangeNotAllowed"


def test_deleting_a_disk_takes_its_bytes_and_leaves_its_snapshots(azure):
    disk = azure.cloud.add_disk("free", HOME, "production", GIB)
    disk.image.write(0, b"kept")
    snapshot = azure.sdk.snapshots.begin_create_or_update("production", "s1", snapshot_body(disk.id)).result()
    azure.sdk.disks.begin_delete("production", "free").result()
    assert azure.ask("GET", f"{PATH}/free").status == 404
    assert azure.ask("DELETE", f"{PATH}/free").status == 204
    assert azure.cloud.snapshot_image(snapshot.id).read(0, 4) == b"kept"


def test_a_disk_whose_snapshot_is_under_way_cannot_be_deleted(azure):
    disk = azure.cloud.add_disk("free", HOME, "production", GIB)
    client = azure.client(is_impatient=False)
    client.snapshots.begin_create_or_update("production", "s1", snapshot_body(disk.id), polling=False)
    with pytest.raises(ResourceExistsError) as raised:
        client.disks.begin_delete("production", "free")
    assert code_of(raised) == "Conflict"


def test_a_disk_that_was_never_made_is_of_no_use(azure):
    azure.cloud.faults.fail_operation("PUT", "/disks/broken")
    with pytest.raises(HttpResponseError):
        azure.make_disk("broken", disk_body(None))
    assert azure.sdk.disks.get("production", "broken").provisioning_state == "Failed"
    broken = azure.id("disks", "broken")
    read = {"access": "Read", "durationInSeconds": 60}
    attach = {"dataDisksToAttach": [{"diskId": broken}]}
    for method, path, body in (
        ("PUT", azure.id("snapshots", "s1"), snapshot_body(broken)),
        ("POST", f"{broken}/beginGetAccess", read),
        ("POST", f"{azure.web.id}/attachDetachDataDisks", attach),
    ):
        answer = azure.ask(method, path, body)
        assert (answer.status, json.loads(answer.body)["error"]["code"]) == (409, "OperationNotAllowed")
    azure.sdk.disks.begin_delete("production", "broken").result()
    assert azure.make_disk("broken", disk_body(None)).provisioning_state == "Succeeded"


class TestUltraAndPremiumV2:
    """§5: background copies of snapshots, hydration of disks."""

    @pytest.fixture
    def fast(self, azure):
        spec = DiskSpec(4 * GIB, sku="PremiumV2_LRS")
        return azure.cloud.add_disk("fast", HOME, "production", spec, zones=["1"])

    def take(self, azure, name, **properties):
        return azure.ask(
            "PUT",
            f"resourceGroups/production/providers/Microsoft.Compute/snapshots/{name}",
            snapshot_body(azure.id("disks", "fast"), **properties),
        )

    def test_a_snapshot_completes_in_the_background_before_it_can_be_used(self, azure, fast):
        fast.image.write(0, b"x")
        self.take(azure, "s1")
        azure.pass_time(seconds=6)
        snapshot = azure.sdk.snapshots.get("production", "s1")
        assert snapshot.provisioning_state == "Succeeded"
        assert 0 < snapshot.completion_percent < 100
        body = disk_body(snapshot.id, sku="PremiumV2_LRS", zones=["1"])
        with pytest.raises(ResourceExistsError) as raised:
            azure.make_disk("d1", body)
        assert code_of(raised) == "SimulatorSnapshotIncomplete"
        azure.pass_time(seconds=6)
        assert azure.sdk.snapshots.get("production", "s1").completion_percent == 100
        disk = azure.client(is_impatient=False).disks
        disk.begin_create_or_update("production", "d1", body, polling=False)
        azure.pass_time(seconds=2)
        assert 0 < azure.sdk.disks.get("production", "d1").completion_percent < 100
        azure.pass_time(minutes=1)
        assert azure.sdk.disks.get("production", "d1").completion_percent == 100

    def test_its_snapshots_are_incremental_only(self, azure, fast):
        answer = self.take(azure, "s1", incremental=False)
        assert json.loads(answer.body)["error"]["code"] == "InvalidParameter"

    def test_three_may_be_pending(self, azure, fast):
        statuses = [self.take(azure, f"s{number}").status for number in range(4)]
        assert statuses == [202, 202, 202, 409]

    def test_growing_the_disk_fails_the_pending_ones(self, azure, fast):
        self.take(azure, "s1")
        azure.pass_time(seconds=2)
        azure.ask("PATCH", f"{PATH}/fast", {"properties": {"diskSizeGB": 8}})
        azure.pass_time(seconds=2)
        assert azure.sdk.snapshots.get("production", "s1").provisioning_state == "Failed"
