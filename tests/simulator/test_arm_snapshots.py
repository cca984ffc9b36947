"""Snapshots: taken, read, tagged and deleted, with the bytes and the identity of their disk."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from clock import SharedClock
from simulator.cloud import Cloud
from simulator.wire import Request
from tests.simulator.conftest import GIB, HOME, snapshot_body

PATH = "resourceGroups/production/providers/Microsoft.Compute/snapshots"


def read(azure, name):
    return json.loads(azure.ask("GET", f"{PATH}/{name}").body)


def test_a_finished_snapshot_looks_like_the_recorded_one(azure):
    """§2.1: the real GET of a finished incremental snapshot."""
    azure.take("s1")
    snapshot = read(azure, "s1")
    properties = snapshot["properties"]
    assert snapshot["type"] == "Microsoft.Compute/snapshots"
    assert snapshot["sku"] == {"name": "Standard_ZRS", "tier": "Standard"}
    assert properties["creationData"]["sourceUniqueId"] == azure.web.disk("data").unique_id
    assert (properties["diskSizeGB"], properties["diskSizeBytes"]) == (64, 64 * GIB)
    assert properties["encryption"] == {"type": "EncryptionAtRestWithPlatformKey"}
    assert properties["networkAccessPolicy"] == "AllowAll"
    assert properties["publicNetworkAccess"] == "Enabled"
    assert (properties["diskState"], properties["incremental"]) == ("Unattached", True)
    assert properties["timeCreated"].endswith("0+00:00")


def test_an_ordinary_snapshot_has_no_completion_percent(azure):
    """§2.1: completionPercent is absent although docs say it is always 100."""
    azure.take("s1")
    assert "completionPercent" not in read(azure, "s1")["properties"]
    assert azure.sdk.snapshots.get("production", "s1").completion_percent is None


def test_a_snapshot_holds_the_bytes_of_the_moment_at_which_it_ended(azure):
    """Own choice (simulator.arm.snapshot_taking): not of the request, which may have come too early."""
    image = azure.web.disk("data").image
    image.write(0, b"before")
    azure.ask("PUT", f"{PATH}/s1", snapshot_body(azure.web.disk("data").id))
    image.write(0, b"during")
    azure.pass_time(seconds=1)
    assert azure.sdk.snapshots.get("production", "s1").provisioning_state == "Succeeded"
    image.write(0, b"later!")
    assert azure.cloud.snapshot_image(azure.id("snapshots", "s1")).read(0, 6) == b"during"


def test_snapshots_of_one_disk_share_a_family_and_have_ids_of_their_own(azure):
    """§2.2: incrementalSnapshotFamilyId."""
    first, second, other = azure.take("s1"), azure.take("s2"), azure.take("o1", disk="os")
    assert first.incremental_snapshot_family_id == second.incremental_snapshot_family_id
    assert first.incremental_snapshot_family_id != other.incremental_snapshot_family_id
    assert len({first.unique_id, second.unique_id, other.unique_id}) == 3


def test_a_disk_made_anew_under_the_same_name_begins_another_family(azure):
    """§2.2 and checklist 8: another unique id, another family, the same sourceResourceId."""
    old = azure.cloud.add_disk("again", HOME, "production", GIB)
    sdk = azure.sdk
    first = sdk.snapshots.begin_create_or_update("production", "a1", snapshot_body(old.id)).result()
    sdk.disks.begin_delete("production", "again").result()
    new = azure.cloud.add_disk("again", HOME, "production", GIB)
    second = sdk.snapshots.begin_create_or_update("production", "a2", snapshot_body(new.id)).result()
    assert first.creation_data.source_resource_id == second.creation_data.source_resource_id
    assert first.creation_data.source_unique_id != second.creation_data.source_unique_id
    assert first.incremental_snapshot_family_id != second.incremental_snapshot_family_id


def test_what_a_restore_needs_is_carried_over_from_the_disk(azure):
    """§2.3: osType and hyperVGeneration."""
    snapshot = azure.take("o1", disk="os")
    assert (snapshot.os_type, snapshot.hyper_v_generation) == ("Linux", "V2")


def test_the_same_put_again_changes_nothing_but_the_tags(azure):
    """§8: snapshot PUT under the same name with the same source is idempotent."""
    first = azure.take("s1")
    azure.web.disk("data").image.write(0, b"new")
    body = snapshot_body(azure.web.disk("data").id.upper()) | {"tags": {"a": "b"}}
    again = azure.sdk.snapshots.begin_create_or_update("production", "s1", body).result()
    assert (again.unique_id, again.time_created) == (first.unique_id, first.time_created)
    assert again.tags == {"a": "b"}
    assert azure.cloud.snapshot_image(first.id).read(0, 3) == b"\0\0\0"


def test_patch_replaces_the_tags(azure):
    azure.take("s1")
    azure.sdk.snapshots.begin_update("production", "s1", {"tags": {"one": "1", "two": "2"}}).result()
    azure.sdk.snapshots.begin_update("production", "s1", {"tags": {"three": "3"}}).result()
    assert azure.sdk.snapshots.get("production", "s1").tags == {"three": "3"}


def test_deleting_twice_succeeds_twice(azure):
    azure.take("s1")
    azure.sdk.snapshots.begin_delete("production", "s1").result()
    assert azure.ask("DELETE", f"{PATH}/s1").status == 204
    assert azure.ask("GET", f"{PATH}/s1").status == 404


def test_deleting_a_middle_snapshot_leaves_the_later_ones_complete(azure):
    """§5 and checklist 8."""
    image = azure.web.disk("data").image
    for number in range(3):
        image.write(number * 4096, f"version {number}".encode())
        azure.take(f"s{number}")
    for name in ("s1", "s0"):
        azure.sdk.snapshots.begin_delete("production", name).result()
    left = azure.cloud.snapshot_image(azure.id("snapshots", "s2"))
    assert [left.read(at * 4096, 9) for at in range(3)] == [b"version 0", b"version 1", b"version 2"]


def test_an_empty_snapshot_is_full(azure):
    """The snapshot of recorded test_snapshot_access: createOption Empty, incremental false."""
    body = {"location": HOME, "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 1}}
    made = azure.sdk.snapshots.begin_create_or_update("production", "s1", body).result()
    assert (made.disk_size_bytes, made.incremental, made.sku.name) == (GIB, False, "Standard_LRS")


def test_what_is_written_after_a_snapshot_ended_is_not_in_it_though_nobody_had_looked(azure):
    """The clock moves past the end of the operation, then the disk is written to, then somebody asks."""
    kept = azure.web.disk("data").image
    azure.ask("PUT", f"{PATH}/s1", snapshot_body(azure.web.disk("data").id))
    azure.pass_time(minutes=5)
    kept.write(0, b"too late")
    assert azure.sdk.snapshots.get("production", "s1").provisioning_state == "Succeeded"
    assert azure.cloud.snapshot_image(azure.id("snapshots", "s1")).read(0, 8) == bytes(8)


def test_on_a_clock_that_moves_by_itself_the_handle_of_a_disk_settles_first(tmp_path):
    clock = SharedClock.create(tmp_path / "clock", datetime(2026, 1, 1, tzinfo=UTC), factor=0)
    cloud = Cloud(clock)
    disk = cloud.add_disk("d", HOME, "production", GIB)
    url = f"https://management.azure.com{disk.id.replace('/disks/d', '/snapshots/s')}?api-version=2025-01-02"
    body = json.dumps(snapshot_body(disk.id)).encode()
    assert cloud.handle(Request.of("PUT", url, {"authorization": "Bearer x"}, body)).status == 202
    clock.move_to(clock.now() + timedelta(minutes=1))
    disk.image.write(0, b"too late")
    assert cloud.snapshot_image(disk.id.replace("/disks/d", "/snapshots/s")).read(0, 8) == bytes(8)
    cloud.close()
