"""beginGetAccess and endGetAccess (azure-semantics §4.1); what a SAS reads is tested with the data plane."""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobClient

from simulator.transport import transport
from tests.simulator.conftest import GIB, code_of

PATH = "resourceGroups/production/providers/Microsoft.Compute/snapshots"


def grant(azure, name, seconds=3600, **more):
    body = {"access": "Read", "durationInSeconds": seconds, **more}
    return azure.sdk.snapshots.begin_grant_access("production", name, body).result().access_sas


def blob(azure, sas):
    return BlobClient.from_blob_url(
        sas, transport=transport(azure.cloud), api_version="2020-10-02", retry_total=0
    )


def state(azure, name):
    return azure.sdk.snapshots.get("production", name).disk_state


def test_a_sas_names_a_stored_policy_and_reads_the_bytes(azure):
    """§4.1: si=, no se, no sp; §1.3: 202 with an empty body, the SAS is read from Location."""
    azure.web.disk("data").image.write(0, b"precious")
    azure.take("s1")
    began = azure.ask("POST", f"{PATH}/s1/beginGetAccess", {"access": "Read", "durationInSeconds": 60})
    assert (began.status, began.body) == (202, b"")
    azure.pass_time(seconds=1)
    path = began.headers["location"].partition("management.azure.com")[2]
    sas = json.loads(azure.ask("GET", path, version=None).body)["accessSAS"]
    assert "&si=" in sas
    assert "&se=" not in sas
    assert "&sp=" not in sas
    assert blob(azure, sas).download_blob(offset=0, length=8).readall() == b"precious"


def test_granting_and_revoking_change_the_disk_state(azure):
    """§4.1: ActiveSAS, after endGetAccess Unattached; revoking kills the SAS."""
    azure.take("s1")
    sas = grant(azure, "s1")
    assert state(azure, "s1") == "ActiveSAS"
    assert azure.sdk.snapshots.begin_revoke_access("production", "s1").result() is None
    assert state(azure, "s1") == "Unattached"
    with pytest.raises(ClientAuthenticationError):
        blob(azure, sas).get_blob_properties()


def test_an_access_ends_by_itself(azure):
    """§4.1: the expiry is not in the URL; checklist 4: 403 after it."""
    azure.take("s1")
    sas = grant(azure, "s1", seconds=120)
    assert blob(azure, sas).get_blob_properties().size == 64 * GIB + 512
    azure.pass_time(seconds=120)
    assert state(azure, "s1") == "Unattached"
    with pytest.raises(ClientAuthenticationError):
        blob(azure, sas).get_blob_properties()


def test_granting_again_returns_the_same_sas(azure):
    """§4.1: documented for disk restore points, NOT FOUND for snapshots: own choice."""
    azure.take("s1")
    assert grant(azure, "s1") == grant(azure, "s1")


def test_five_snapshots_of_a_family_can_be_open(azure):
    """§4.1: at most 5; a diff export uses two of them. Own code."""
    for number in range(6):
        azure.take(f"s{number}")
        azure.pass_time(minutes=1)
    for number in range(5):
        grant(azure, f"s{number}")
    with pytest.raises(ResourceExistsError) as raised:
        grant(azure, "s5")
    assert code_of(raised) == "SimulatorTooManyAccesses"
    azure.take("other", disk="os")
    grant(azure, "other")
    azure.sdk.snapshots.begin_revoke_access("production", "s0").result()
    assert grant(azure, "s5")


def test_two_grants_at_once_cannot_get_past_the_limit(azure):
    """The limit holds when the operation ends, too: the loser's operation fails, its snapshot does not."""
    for number in range(6):
        azure.take(f"s{number}")
        azure.pass_time(minutes=1)
    for number in range(4):
        grant(azure, f"s{number}")
    body = {"access": "Read", "durationInSeconds": 60}
    began = [azure.ask("POST", f"{PATH}/s{number}/beginGetAccess", body) for number in (4, 5)]
    assert [each.status for each in began] == [202, 202]
    azure.pass_time(seconds=1)
    assert [state(azure, "s4"), state(azure, "s5")] == ["ActiveSAS", "Unattached"]
    assert azure.sdk.snapshots.get("production", "s5").provisioning_state == "Succeeded"


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"networkAccessPolicy": "DenyAll"}, "SimulatorAccessNotPermitted"),
        ({"networkAccessPolicy": "AllowPrivate"}, "SimulatorAccessNotPermitted"),
        ({"publicNetworkAccess": "Disabled"}, "SimulatorAccessNotPermitted"),
        ({"dataAccessAuthMode": "AzureActiveDirectory"}, "SimulatorAccessNotPermitted"),
    ],
)
def test_a_closed_snapshot_is_opened_by_patch_first(azure, settings, code):
    """§4.1: DenyAll forbids export, AllowPrivate and dataAccessAuthMode ask for more than a SAS."""
    azure.take("s1", **settings)
    with pytest.raises(ResourceExistsError) as raised:
        grant(azure, "s1")
    assert code_of(raised) == code
    opened = {
        "networkAccessPolicy": "AllowAll",
        "publicNetworkAccess": "Enabled",
        "dataAccessAuthMode": "None",
    }
    azure.sdk.snapshots.begin_update("production", "s1", {"properties": opened}).result()
    assert grant(azure, "s1")


@pytest.mark.parametrize(
    "body",
    [
        {"access": "Read"},
        {"durationInSeconds": 60},
        {"access": "Read", "durationInSeconds": 0},
        {"access": "Read", "durationInSeconds": 5_184_001},
        {"access": "Everything", "durationInSeconds": 60},
    ],
)
def test_an_access_that_azure_does_not_give_is_refused(azure, body):
    """§4.1: at most 60 days."""
    azure.take("s1")
    answer = azure.ask("POST", f"{PATH}/s1/beginGetAccess", body)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "InvalidParameter")


def test_the_disk_of_a_running_machine_is_not_opened(azure):
    """§4.1: a running VM's disk cannot be exported; the message of public reports."""
    with pytest.raises(ResourceExistsError, match="currently attached to running VM") as raised:
        azure.sdk.disks.begin_grant_access(
            "production", "web-data", {"access": "Read", "durationInSeconds": 60}
        )
    assert code_of(raised) == "Conflict"


def test_an_open_disk_keeps_its_machine_from_starting_and_itself_from_being_deleted(azure):
    """§4.1: "There is an active shared access signature outstanding for disk …"."""
    azure.sdk.virtual_machines.begin_deallocate("production", "web").result()
    azure.sdk.disks.begin_grant_access(
        "production", "web-data", {"access": "Read", "durationInSeconds": 600}
    ).result()
    assert azure.sdk.disks.get("production", "web-data").disk_state == "ActiveSAS"
    with pytest.raises(ResourceExistsError, match="active shared access signature outstanding for disk"):
        azure.sdk.virtual_machines.begin_start("production", "web")
    azure.sdk.disks.begin_revoke_access("production", "web-data").result()
    azure.sdk.virtual_machines.begin_start("production", "web").result()


def test_an_open_snapshot_is_not_deleted(azure):
    azure.take("s1")
    grant(azure, "s1")
    with pytest.raises(ResourceExistsError, match="active shared access signature outstanding for snapshot"):
        azure.sdk.snapshots.begin_delete("production", "s1")


def test_a_snapshot_is_never_opened_for_writing(azure):
    azure.take("s1")
    with pytest.raises(HttpResponseError) as raised:
        azure.sdk.snapshots.begin_grant_access(
            "production", "s1", {"access": "Write", "durationInSeconds": 60}
        )
    assert code_of(raised) == "OperationNotAllowed"
