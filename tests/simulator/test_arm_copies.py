"""Cross-region copies (azure-semantics §3)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from simulator.tempo import Tempo
from tests.simulator.conftest import GIB, HOME, MIB, RECOVERY, code_of, copy_body, disk_body, snapshot_body

PATH = "resourceGroups/recovery/providers/Microsoft.Compute/snapshots"


@pytest.fixture
def tempo() -> Tempo:
    """A copy takes 100 seconds whatever it moves, so that its percentages are easy to tell."""
    return Tempo(copy_at_least=timedelta(seconds=100), copy_bytes_per_second=1 << 50)


def read(azure, name):
    return json.loads(azure.ask("GET", f"{PATH}/{name}").body)["properties"]


def accept(azure, name, source):
    """Start a copy and let exactly the time pass in which its operation ends."""
    answer = azure.ask("PUT", f"{PATH}/{name}", copy_body(source))
    assert answer.status == 202
    azure.pass_time(seconds=5)
    return answer


def test_the_operation_succeeds_with_nothing_copied(azure):
    """§3: Succeeded with completionPercent 0.0, which is missing in the operation's output."""
    answer = accept(azure, "c1", azure.take("s1").id)
    path = answer.headers["azure-asyncoperation"].partition("management.azure.com")[2]
    operation = json.loads(azure.ask("GET", path, version=None).body)
    assert operation["status"] == "Succeeded"
    assert "completionPercent" not in operation["properties"]["output"]["properties"]
    assert "/locations/northeurope/DiskOperations/" in path
    properties = read(azure, "c1")
    assert (properties["provisioningState"], properties["completionPercent"]) == ("Succeeded", 0.0)
    assert properties["snapshotAccessState"] == "Pending"


def test_the_percentage_follows_the_clock_up_to_100(azure):
    """§3: progress is a float on the target snapshot."""
    accept(azure, "c1", azure.take("s1").id)
    seen = []
    for _ in range(4):
        azure.pass_time(seconds=25)
        seen.append(read(azure, "c1")["completionPercent"])
    assert seen == [25.0, 50.0, 75.0, 100.0]


def test_a_copy_has_an_id_and_a_family_of_its_own(azure):
    """§2.2: sourceUniqueId is that of the source snapshot; later copies share one family (own choice)."""
    first, second = azure.take("s1"), azure.take("s2")
    copies = [azure.copy("c1", first.id), azure.copy("c2", second.id)]
    assert [each.creation_data.source_unique_id for each in copies] == [first.unique_id, second.unique_id]
    assert len({first.unique_id, second.unique_id, *(each.unique_id for each in copies)}) == 4
    families = {each.incremental_snapshot_family_id for each in (first, *copies)}
    assert len(families) == 2
    assert copies[0].incremental_snapshot_family_id == copies[1].incremental_snapshot_family_id


def test_a_copy_has_the_bytes_of_its_source(azure):
    azure.web.disk("data").image.write(12345, b"precious")
    copied = azure.copy("c1", azure.take("s1").id)
    assert azure.cloud.snapshot_image(copied.id).read(12345, 8) == b"precious"
    assert (copied.disk_size_bytes, copied.location) == (64 * GIB, RECOVERY)


def test_the_first_copy_moves_everything_and_later_ones_only_the_changes(azure):
    """§3, rules; what was moved only the simulator's own meter tells."""
    image = azure.web.disk("data").image
    image.write(0, b"x" * MIB)
    azure.copy("c1", azure.take("s1").id)
    image.write(8 * MIB, b"y" * 4096)
    azure.copy("c2", azure.take("s2").id)
    assert [(each.bytes_moved, each.whole) for each in azure.cloud.meter.copies] == [
        (MIB, True),
        (4096, False),
    ]
    assert azure.cloud.meter.bytes_copied() == MIB + 4096


def test_the_changes_are_counted_from_the_newest_copy_that_is_still_there(azure):
    """Own choice (simulator.arm.snapshot_copies), as for what pruning does to the next copy."""
    image = azure.web.disk("data").image
    for number in range(3):
        image.write(number * MIB, b"x" * 4096)
        azure.copy(f"c{number}", azure.take(f"s{number}").id)
        azure.pass_time(minutes=5)
    azure.sdk.snapshots.begin_delete("recovery", "c2").result()
    azure.copy("c2-again", azure.id("snapshots", "s2"))
    for name in ("c0", "c1", "c2-again"):
        azure.sdk.snapshots.begin_delete("recovery", name).result()
    azure.copy("c2-whole", azure.id("snapshots", "s2"))
    moved = [(each.bytes_moved, each.whole) for each in azure.cloud.meter.copies]
    assert moved[2:] == [(4096, False), (4096, False), (3 * 4096, True)]


def test_an_unfinished_copy_cannot_be_used_for_anything(azure):
    """§3: no disk, no SAS, no further copy below 100. Own code."""
    accept(azure, "c1", azure.take("s1").id)
    azure.pass_time(seconds=99)
    target = azure.id("snapshots", "c1", "recovery")
    sdk = azure.client(is_impatient=False)
    attempts = [
        lambda: sdk.disks.begin_create_or_update("recovery", "d", disk_body(target, RECOVERY)),
        lambda: sdk.snapshots.begin_grant_access(
            "recovery", "c1", {"access": "Read", "durationInSeconds": 60}
        ),
        lambda: sdk.snapshots.begin_create_or_update("production", "cc", copy_body(target, HOME)),
    ]
    for attempt in attempts:
        with pytest.raises(ResourceExistsError) as raised:
            attempt()
        assert code_of(raised) == "SimulatorSnapshotIncomplete"
    azure.pass_time(seconds=1)
    assert azure.make_disk("d", disk_body(target, RECOVERY), "recovery").provisioning_state == "Succeeded"


def test_snapshots_are_copied_in_the_order_of_their_creation(azure):
    """§3, rules. Own code."""
    first, second = azure.take("s1"), azure.take("s2")
    azure.copy("c2", second.id)
    with pytest.raises(ResourceExistsError) as raised:
        azure.begin_copy("c1", first.id)
    assert code_of(raised) == "SimulatorCopyOutOfOrder"
    assert azure.copy("c2-again", second.id).provisioning_state == "Succeeded"


def test_skipping_a_snapshot_is_allowed(azure):
    """Own choice: the order holds among those that are copied."""
    snapshots = [azure.take(f"s{number}") for number in range(3)]
    azure.copy("c0", snapshots[0].id)
    assert azure.copy("c2", snapshots[2].id).completion_percent == 100


def test_one_snapshot_of_a_disk_is_copied_at_a_time(azure):
    """§3, rules: only one copy per disk at a time, here in whatever region (own choice). Own code."""
    first, second, other = azure.take("s1"), azure.take("s2"), azure.take("o1", disk="os")
    accept(azure, "c1", first.id)
    azure.cloud.add_resource_group("third", "eastus")
    for group, region in (("recovery", RECOVERY), ("third", "eastus")):
        with pytest.raises(ResourceExistsError) as raised:
            azure.client(is_impatient=False).snapshots.begin_create_or_update(
                group, "c2", copy_body(second.id, region)
            )
        assert code_of(raised) == "SimulatorCopyAlreadyRunning"
    accept(azure, "oc1", other.id)
    azure.pass_time(minutes=2)
    assert azure.copy("c2", second.id).completion_percent == 100


def test_at_most_a_hundred_copies_run_into_a_region(azure):
    """§3, rules: 100 per subscription and region. Own code."""
    for number in range(101):
        disk = azure.cloud.add_disk(f"d{number}", HOME, "production", MIB)
        azure.ask(
            "PUT",
            f"resourceGroups/production/providers/Microsoft.Compute/snapshots/s{number}",
            snapshot_body(disk.id),
        )
    azure.pass_time(seconds=1)
    statuses = [
        azure.ask("PUT", f"{PATH}/c{number}", copy_body(azure.id("snapshots", f"s{number}")))
        for number in range(101)
    ]
    assert [each.status for each in statuses] == [202] * 100 + [409]
    assert json.loads(statuses[-1].body)["error"]["code"] == "SimulatorTooManyCopies"


def test_deleting_the_source_breaks_the_copy(azure):
    """§3, rules: copyCompletionError CopySourceNotFound; the operation had succeeded long before."""
    source = azure.take("s1")
    accept(azure, "c1", source.id)
    azure.pass_time(seconds=40)
    azure.ask("DELETE", "resourceGroups/production/providers/Microsoft.Compute/snapshots/s1")
    azure.pass_time(hours=5)
    properties = read(azure, "c1")
    assert properties["copyCompletionError"]["errorCode"] == "CopySourceNotFound"
    assert properties["completionPercent"] == 41.0
    assert properties["provisioningState"] == "Succeeded"
    assert azure.cloud.meter.copies == []
    assert azure.copy("c2", azure.take("s2").id).completion_percent == 100


def test_deleting_the_source_after_100_percent_harms_nobody(azure):
    source = azure.take("s1")
    azure.web.disk("data").image.write(0, b"x")
    copied = azure.copy("c1", source.id)
    azure.sdk.snapshots.begin_delete("production", "s1").result()
    assert azure.cloud.snapshot_image(copied.id).read(0, 1) == b"\0"


def test_deleting_the_target_cancels_the_copy(azure):
    """§3: deleting the target is presumably the way to cancel."""
    accept(azure, "c1", azure.take("s1").id)
    azure.sdk.snapshots.begin_delete("recovery", "c1").result()
    assert azure.copy("c2", azure.take("s2").id).completion_percent == 100
    assert len(azure.cloud.meter.copies) == 1


def test_only_incremental_snapshots_are_copied(azure):
    """§3, rules: the message that users see."""
    full = azure.take("full", incremental=False)
    with pytest.raises(HttpResponseError, match="only supported for an incremental snapshot") as raised:
        azure.begin_copy("c1", full.id)
    assert code_of(raised) == "InvalidParameter"


def test_a_disk_is_not_copied(azure):
    """§3, rules: "Entity not of expected type"."""
    with pytest.raises(HttpResponseError, match="Entity not of expected type") as raised:
        azure.begin_copy("c1", azure.web.disk("data").id)
    assert code_of(raised) == "InvalidParameter"


def test_a_copy_crosses_regions_but_not_subscriptions(azure):
    source = azure.take("s1")
    with pytest.raises(HttpResponseError) as raised:
        azure.begin_copy("c1", source.id, HOME, "production")
    assert code_of(raised) == "SimulatorRegionMismatch"
    other = azure.cloud.add_subscription()
    azure.cloud.add_resource_group("recovery", RECOVERY, subscription=other)
    path = f"/subscriptions/{other}/resourceGroups/recovery/providers/Microsoft.Compute/snapshots/c1"
    answer = azure.ask("PUT", path, copy_body(source.id))
    assert json.loads(answer.body)["error"]["code"] == "SimulatorNotSimulated"


def test_a_customer_managed_key_needs_a_set_for_the_target(azure):
    """§5: a cross-region copy of a CMK snapshot needs a disk encryption set in the target region."""
    west = azure.cloud.add_disk_encryption_set("west", HOME, "production")
    north = azure.cloud.add_disk_encryption_set("north", RECOVERY, "recovery")
    key = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": west}
    disk = azure.make_disk("secret", disk_body(None, encryption=key))
    source = azure.sdk.snapshots.begin_create_or_update("production", "s1", snapshot_body(disk.id)).result()
    assert source.encryption.disk_encryption_set_id == west
    with pytest.raises(ResourceExistsError) as raised:
        azure.begin_copy("c1", source.id)
    assert code_of(raised) == "SimulatorEncryptionMismatch"
    body = copy_body(source.id, encryption={**key, "diskEncryptionSetId": north})
    copied = azure.sdk.snapshots.begin_create_or_update("recovery", "c1", body).result()
    assert copied.encryption.disk_encryption_set_id == north


def test_a_copy_whose_operation_fails_counts_for_nothing(azure):
    source = azure.take("s1")
    azure.cloud.faults.fail_operation("PUT", "/snapshots/c1")
    with pytest.raises(HttpResponseError):
        azure.begin_copy("c1", source.id)
    assert azure.copy("c2", source.id).completion_percent == 100
    assert [each.whole for each in azure.cloud.meter.copies] == [True]
