"""A lost region: the simulator's own choice of behaviour, as simulator.regions and the design say."""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import AzureError
from azure.storage.blob import BlobClient

from simulator.transport import transport
from simulator.wire import ConnectionDropped
from tests.simulator.conftest import GIB, HOME, RECOVERY, copy_body, disk_body

SNAPSHOTS = "resourceGroups/{}/providers/Microsoft.Compute/snapshots/{}"


def outcome(azure, method, path, body=None):
    """Return what a client gets: a status, or the word "dropped"."""
    try:
        return azure.ask(method, path, body).status
    except ConnectionDropped:
        return "dropped"


def test_requests_for_a_lost_region_get_503_or_no_answer(azure):
    azure.take("s1")
    azure.cloud.lose_region(HOME)
    outcomes = {outcome(azure, "GET", SNAPSHOTS.format("production", "s1")) for _ in range(40)}
    assert outcomes == {503, "dropped"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_nothing_can_be_done_in_a_lost_region(azure, method):
    azure.cloud.lose_region("West Europe")
    path = "resourceGroups/production/providers/Microsoft.Compute/disks/web-data"
    assert outcome(azure, method, path, disk_body(None)) in (503, "dropped")


def test_a_group_located_there_is_lost_even_with_resources_elsewhere(azure):
    """The list of a group's resources is kept where the group is."""
    far = azure.cloud.add_disk("far", RECOVERY, "production", GIB)
    azure.cloud.lose_region(HOME)
    assert outcome(azure, "GET", far.id) in (503, "dropped")
    assert outcome(azure, "GET", "resourceGroups/production") in (503, "dropped")


def test_a_resource_there_is_lost_even_in_a_group_elsewhere(azure):
    there = azure.cloud.add_disk("there", HOME, "recovery", GIB)
    azure.cloud.lose_region(HOME)
    assert outcome(azure, "GET", there.id) in (503, "dropped")
    assert outcome(azure, "GET", "resourceGroups/recovery") == 200
    new = "resourceGroups/recovery/providers/Microsoft.Compute/disks/new"
    assert outcome(azure, "PUT", new, disk_body(None, HOME)) in (503, "dropped")


def test_lists_leave_the_lost_region_out(azure):
    azure.cloud.add_disk("far", RECOVERY, "recovery", GIB)
    azure.cloud.add_disk("there", HOME, "recovery", GIB)
    azure.cloud.lose_region(HOME)
    assert [disk.name for disk in azure.sdk.disks.list()] == ["far"]
    assert [disk.name for disk in azure.sdk.disks.list_by_resource_group("recovery")] == ["far"]
    assert list(azure.sdk.virtual_machines.list_all()) == []
    groups = json.loads(azure.ask("GET", "resourcegroups").body)["value"]
    assert [group["name"] for group in groups] == ["recovery"]


def test_running_operations_never_end(azure):
    began = azure.ask("POST", f"{azure.web.id}/deallocate")
    azure.cloud.lose_region(HOME)
    azure.pass_time(days=30)
    path = began.headers["azure-asyncoperation"].partition("management.azure.com")[2].partition("?")[0]
    assert outcome(azure, "GET", path) in (503, "dropped")
    azure.cloud.restore_region(HOME)
    assert json.loads(azure.ask("GET", path).body)["status"] == "Succeeded"
    assert azure.web.power == "deallocated"


def test_an_operation_in_a_lost_region_does_not_end_behind_its_back(azure):
    azure.ask("POST", f"{azure.web.id}/deallocate")
    azure.cloud.lose_region(HOME)
    azure.pass_time(days=30)
    azure.ask("GET", "resourceGroups/recovery")
    assert azure.web.power == "deallocating"


def test_a_copy_out_of_it_stops_at_its_percent_without_an_error(azure):
    source = azure.take("s1").id
    azure.ask("PUT", SNAPSHOTS.format("recovery", "c1"), copy_body(source))
    azure.pass_time(seconds=5 + 15)
    azure.cloud.lose_region(HOME)
    azure.pass_time(days=1)
    copy = azure.sdk.snapshots.get("recovery", "c1")
    assert (copy.provisioning_state, copy.completion_percent, copy.copy_completion_error) == (
        "Succeeded",
        50.0,
        None,
    )
    azure.cloud.restore_region(HOME)
    azure.pass_time(seconds=14)
    assert azure.sdk.snapshots.get("recovery", "c1").completion_percent < 100
    azure.pass_time(seconds=1)
    assert azure.sdk.snapshots.get("recovery", "c1").completion_percent == 100


def test_a_copy_accepted_before_the_loss_never_begins(azure):
    source = azure.take("s1").id
    azure.ask("PUT", SNAPSHOTS.format("recovery", "c1"), copy_body(source))
    azure.cloud.lose_region(HOME)
    azure.pass_time(days=1)
    copy = azure.sdk.snapshots.get("recovery", "c1")
    assert (copy.provisioning_state, copy.completion_percent) == ("Succeeded", 0.0)
    azure.cloud.restore_region(HOME)
    azure.pass_time(hours=1)
    assert azure.sdk.snapshots.get("recovery", "c1").completion_percent == 100


def test_a_copy_out_of_a_lost_region_does_not_start(azure):
    source = azure.take("s1").id
    azure.cloud.lose_region(HOME)
    assert outcome(azure, "PUT", SNAPSHOTS.format("recovery", "c1"), copy_body(source)) in (503, "dropped")


def test_its_sas_hosts_refuse(azure):
    azure.take("s1")
    read = {"access": "Read", "durationInSeconds": 3600}
    sas = azure.sdk.snapshots.begin_grant_access("production", "s1", read).result().access_sas
    blob = BlobClient.from_blob_url(
        sas, transport=transport(azure.cloud), api_version="2020-10-02", retry_total=0
    )
    azure.cloud.lose_region(HOME)
    with pytest.raises(AzureError):
        blob.get_blob_properties()
    azure.cloud.restore_region(HOME)
    assert blob.get_blob_properties().size == 64 * GIB + 512


def test_what_was_copied_in_time_can_be_restored(azure):
    azure.web.disk("data").image.write(777, b"precious")
    copied = azure.copy("c1", azure.take("s1").id)
    azure.cloud.lose_region(HOME)
    disk = azure.make_disk("restored", disk_body(copied.id, RECOVERY), "recovery")
    assert azure.cloud.disk(disk.id).image.read(777, 8) == b"precious"


def test_a_region_that_does_not_exist_cannot_be_lost(azure):
    with pytest.raises(ValueError, match="'atlantis' is not a region"):
        azure.cloud.lose_region("atlantis")
