"""Snapshots that Azure refuses, in its words, and what a refusal leaves behind."""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from tests.simulator.conftest import GIB, HOME, code_of, disk_body, snapshot_body

PATH = "resourceGroups/production/providers/Microsoft.Compute/snapshots"


def read(azure, name):
    return json.loads(azure.ask("GET", f"{PATH}/{name}").body)


def test_the_same_name_with_another_source_is_refused(azure):
    """§8: 409, the message has "existing disk"."""
    azure.take("s1")
    with pytest.raises(ResourceExistsError, match="existing disk") as raised:
        azure.take("s1", disk="os")
    assert code_of(raised) == "PropertyChangeNotAllowed"


def test_the_same_name_in_another_region_is_refused(azure):
    """§2.3: a name is unique per resource group across regions."""
    azure.take("s1")
    answer = azure.ask("PUT", f"{PATH}/s1", snapshot_body(azure.web.disk("data").id, "northeurope"))
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (409, "InvalidResourceLocation")


def test_a_missing_snapshot_is_not_found_in_azures_words(azure):
    """§8: the recorded 404."""
    answer = azure.ask("GET", f"{PATH}/none")
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["code"]) == (404, "ResourceNotFound")
    assert answer.headers["x-ms-failure-cause"] == "gateway"
    assert error["message"] == (
        "The Resource 'Microsoft.Compute/snapshots/none' under resource group 'production' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )


def test_a_snapshot_of_a_disk_that_is_not_there_is_refused(azure):
    body = snapshot_body(azure.id("disks", "none"))
    with pytest.raises(ResourceNotFoundError) as raised:
        azure.sdk.snapshots.begin_create_or_update("production", "s1", body)
    assert code_of(raised) == "NotFound"


def test_a_snapshot_lies_in_the_region_of_its_disk(azure):
    with pytest.raises(HttpResponseError) as raised:
        azure.sdk.snapshots.begin_create_or_update(
            "recovery", "s1", snapshot_body(azure.web.disk("data").id, "northeurope")
        )
    assert code_of(raised) == "SimulatorRegionMismatch"


def test_an_incremental_snapshot_stays_in_the_subscription_of_its_disk(azure):
    """§3, rules: it cannot be created outside the disk's subscription."""
    other = azure.cloud.add_subscription()
    azure.cloud.add_resource_group("elsewhere", HOME, subscription=other)
    path = f"/subscriptions/{other}/resourceGroups/elsewhere/providers/Microsoft.Compute/snapshots/s1"
    answer = azure.ask("PUT", path, snapshot_body(azure.web.disk("data").id))
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "InvalidParameter")


@pytest.mark.parametrize("name", ["has.dot", "has space", "x" * 81, "ümlaut"])
def test_a_name_that_azure_does_not_take_is_refused(azure, name):
    """§2.3: letters, digits, underscore, hyphen; at most 80."""
    with pytest.raises(HttpResponseError, match="name") as raised:
        azure.take(name)
    assert code_of(raised) == "InvalidParameter"


def test_a_name_of_eighty_characters_is_taken(azure):
    assert azure.take("x" * 80).name == "x" * 80


@pytest.mark.parametrize(
    "tags", [{str(number): "" for number in range(51)}, {"x" * 513: ""}, {"x": "y" * 257}]
)
def test_tags_beyond_azures_limits_are_refused(azure, tags):
    azure.take("s1")
    with pytest.raises(HttpResponseError) as raised:
        azure.sdk.snapshots.begin_update("production", "s1", {"tags": tags})
    assert code_of(raised) == "InvalidParameter"


def test_a_change_that_failed_leaves_the_data_as_it_was(azure):
    snapshot = azure.take("s1")
    azure.cloud.faults.fail_operation("PATCH", "/snapshots/s1")
    with pytest.raises(HttpResponseError):
        azure.sdk.snapshots.begin_update("production", "s1", {"tags": {}}).result()
    assert azure.sdk.snapshots.get("production", "s1").provisioning_state == "Failed"
    assert azure.make_disk("d1", disk_body(snapshot.id)).provisioning_state == "Succeeded"


def test_a_refused_change_changes_nothing(azure):
    azure.take("s1")
    key = azure.cloud.add_disk_encryption_set("key", HOME, "production")
    other = {"tags": {"a": "b"}, "properties": {"encryption": {"diskEncryptionSetId": key}}}
    with pytest.raises(ResourceExistsError):
        azure.sdk.snapshots.begin_update("production", "s1", other)
    assert azure.sdk.snapshots.get("production", "s1").tags == {}


def test_an_eighth_snapshot_within_five_minutes_is_refused_and_leaves_a_failed_one(azure):
    """§5: 7 per disk per 5 minutes; checklist 7: a Failed resource stays behind. Own code."""
    client = azure.client(is_impatient=False)
    for number in range(7):
        client.snapshots.begin_create_or_update(
            "production", f"s{number}", snapshot_body(azure.web.disk("data").id), polling=False
        )
    azure.pass_time(minutes=4, seconds=59)
    with pytest.raises(ResourceExistsError) as raised:
        azure.take("s7")
    assert code_of(raised) == "SimulatorSnapshotRateExceeded"
    assert azure.sdk.snapshots.get("production", "s7").provisioning_state == "Failed"
    azure.take("other-disk", disk="os")
    azure.pass_time(seconds=1)
    assert azure.take("s8").provisioning_state == "Succeeded"


def test_the_leftover_of_a_limit_has_to_be_deleted_before_its_name_can_be_used(azure):
    """§5: a Failed resource is left behind; listing shows it."""
    azure.cloud.faults.fail_operation("PUT", "/snapshots/")
    with pytest.raises(HttpResponseError):
        azure.take("s1")
    assert [each.provisioning_state for each in azure.sdk.snapshots.list()] == ["Failed"]
    with pytest.raises(ResourceExistsError, match="Failed"):
        azure.take("s1")
    azure.sdk.snapshots.begin_delete("production", "s1").result()
    assert azure.take("s1").provisioning_state == "Succeeded"


def test_the_501st_snapshot_of_a_disk_is_refused(azure):
    """§5: 500 per disk, SnapshotsLimitReached, a Failed snapshot stays behind."""
    disk = azure.web.disk("data")
    for number in range(500):
        azure.ask("PUT", f"{PATH}/s{number}", snapshot_body(disk.id))
        azure.pass_time(minutes=1)
    answer = azure.ask("PUT", f"{PATH}/s500", snapshot_body(disk.id))
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (409, "SnapshotsLimitReached")
    assert read(azure, "s500")["properties"]["provisioningState"] == "Failed"
    azure.ask("DELETE", f"{PATH}/s250")
    azure.pass_time(minutes=1)
    assert azure.ask("PUT", f"{PATH}/s501", snapshot_body(disk.id)).status == 202


def test_all_snapshots_of_a_disk_use_one_encryption_set(azure):
    """§5: a disk and all its incremental snapshots must use the same disk encryption set."""
    key = azure.cloud.add_disk_encryption_set("key", HOME, "production")
    with pytest.raises(ResourceExistsError) as raised:
        azure.take("s1", encryption={"diskEncryptionSetId": key})
    assert code_of(raised) == "SimulatorEncryptionMismatch"


def test_an_ephemeral_os_disk_has_no_snapshots(azure):
    """§5: ephemeral OS disk, no snapshot."""
    vm = azure.cloud.add_virtual_machine("brief", HOME, "production", {"os": GIB}, has_ephemeral_os_disk=True)
    with pytest.raises(ResourceExistsError) as raised:
        azure.sdk.snapshots.begin_create_or_update("production", "s1", snapshot_body(vm.disk("os").id))
    assert code_of(raised) == "SimulatorEphemeralDisk"


@pytest.mark.parametrize("option", ["Import", "Upload", "Restore"])
def test_what_is_not_simulated_says_so(azure, option):
    body = {"location": HOME, "properties": {"creationData": {"createOption": option}}}
    answer = azure.ask("PUT", f"{PATH}/s1", body)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "SimulatorNotSimulated")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "LocationRequired"),
        ({"location": "atlantis"}, "LocationNotAvailableForResourceType"),
        ({"location": HOME}, "InvalidParameter"),
        ({"location": HOME, "properties": 5}, "InvalidRequestContent"),
        ({"location": HOME, "properties": {"creationData": {"createOption": "Magic"}}}, "InvalidParameter"),
        ({"location": HOME, "properties": {"creationData": {"createOption": "Copy"}}}, "InvalidParameter"),
        ([], "InvalidRequestContent"),
    ],
)
def test_bad_input_is_refused_with_azures_codes(azure, body, code):
    answer = azure.ask("PUT", f"{PATH}/s1", body)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, code)
    assert azure.ask("GET", f"{PATH}/s1").status == 404


def test_a_disk_that_is_being_deleted_is_not_snapshotted(azure):
    disk = azure.cloud.add_disk("free", HOME, "production", GIB)
    azure.ask("DELETE", disk.id)
    answer = azure.ask("PUT", f"{PATH}/s1", snapshot_body(disk.id))
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (409, "Conflict")


def test_instant_access_is_not_simulated_and_says_so(azure):
    body = snapshot_body(azure.web.disk("data").id)
    body["properties"]["creationData"]["instantAccessDurationMinutes"] = 60
    answer = azure.ask("PUT", f"{PATH}/s1", body)
    assert json.loads(answer.body)["error"]["code"] == "SimulatorNotSimulated"
