"""Long-running operations on the wire (azure-semantics §1.2 and §1.3)."""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import HttpResponseError

from tests.simulator.conftest import code_of, snapshot_body

SNAPSHOT = "resourceGroups/production/providers/Microsoft.Compute/snapshots/s1"
MACHINE = "resourceGroups/production/providers/Microsoft.Compute/virtualMachines/web"


def follow(azure, url):
    _, _, path = url.partition("management.azure.com")
    return azure.ask("GET", path, version=None)


def begin_snapshot(azure):
    return azure.ask("PUT", SNAPSHOT, snapshot_body(azure.web.disk("data").id))


def test_a_snapshot_put_answers_202_with_the_request_and_no_unique_id(azure):
    """§1.3: the body echoes the request, is Updating and has no uniqueId yet; there is no Retry-After."""
    answer = begin_snapshot(azure)
    body = json.loads(answer.body)
    assert answer.status == 202
    assert body["properties"]["provisioningState"] == "Updating"
    assert body["properties"]["creationData"]["sourceResourceId"] == azure.web.disk("data").id
    assert "uniqueId" not in body["properties"]
    assert "osType" not in body["properties"]
    assert "retry-after" not in answer.headers


def test_the_two_urls_of_a_disk_operation_differ_by_monitor(azure):
    """§1.3: DiskOperations in the region, p=…, api-version, and thousands of signed characters."""
    answer = begin_snapshot(azure)
    followed, monitored = answer.headers["azure-asyncoperation"], answer.headers["location"]
    start = (
        f"https://management.azure.com/subscriptions/{azure.cloud.subscription}/providers/Microsoft.Compute"
    )
    assert followed.startswith(f"{start}/locations/westeurope/DiskOperations/")
    assert "&api-version=2025-01-02&t=" in followed
    assert followed.replace("&api-version", "&monitor=true&api-version") == monitored
    assert 1500 < len(followed) < 8000


def test_an_operation_tells_its_start_while_it_runs_and_its_output_when_done(azure):
    """§1.3: the two bodies of an operation."""
    url = begin_snapshot(azure).headers["azure-asyncoperation"]
    running = json.loads(follow(azure, url).body)
    assert running == {
        "startTime": "2026-01-01T12:00:00.0000000+00:00",
        "status": "InProgress",
        "name": running["name"],
    }
    azure.pass_time(seconds=1)
    done = json.loads(follow(azure, url).body)
    assert done["status"] == "Succeeded"
    assert done["endTime"] == "2026-01-01T12:00:01.0000000+00:00"
    assert done["properties"]["output"]["properties"]["uniqueId"]


def test_the_location_url_answers_202_until_it_answers_the_result(azure):
    """§1.2: 202 is running, any other 2xx is done."""
    url = begin_snapshot(azure).headers["location"]
    running = follow(azure, url)
    assert (running.status, running.body, running.headers["location"]) == (202, b"", url)
    azure.pass_time(seconds=1)
    done = follow(azure, url)
    assert (done.status, json.loads(done.body)["name"]) == (200, "s1")


def test_a_failed_operation_is_told_with_http_200(azure):
    """§1.3: the SDK raises with status_code 200 and the code of the operation."""
    azure.cloud.faults.fail_operation("PUT", "/snapshots/", code="InternalExecutionError", message="No.")
    with pytest.raises(HttpResponseError) as raised:
        azure.take("s1")
    assert (raised.value.status_code, code_of(raised)) == (200, "InternalExecutionError")
    assert azure.sdk.snapshots.get("production", "s1").provisioning_state == "Failed"


def test_machine_operations_are_not_disk_operations(azure):
    """§1.3: virtual machines use /operations/; deallocate answers 202 with both URLs."""
    answer = azure.ask("POST", f"{MACHINE}/deallocate")
    assert (answer.status, answer.body) == (202, b"")
    assert "/locations/westeurope/operations/" in answer.headers["azure-asyncoperation"]
    assert "monitor=true" in answer.headers["location"]


def test_a_poller_can_be_resumed_from_its_token_without_a_second_put(azure):
    """§1.4: continuation_token resumes the operation."""
    snapshots, body = azure.sdk.snapshots, snapshot_body(azure.web.disk("data").id)
    token = snapshots.begin_create_or_update("production", "s1", body).continuation_token()
    resumed = azure.sdk.snapshots.begin_create_or_update("production", "s1", body, continuation_token=token)
    assert resumed.result().provisioning_state == "Succeeded"
    puts = [count for (method, route), count in azure.cloud.meter.calls.items() if method == "PUT"]
    assert puts == [1]


def test_state_is_a_function_of_the_clock(azure):
    """§1.4: started with polling=False, the state is read from the resource whenever somebody looks."""
    azure.client(is_impatient=False).snapshots.begin_create_or_update(
        "production", "s1", snapshot_body(azure.web.disk("data").id), polling=False
    )
    get = azure.sdk.snapshots.get
    assert get("production", "s1").provisioning_state == "Updating"
    azure.pass_time(milliseconds=999)
    assert get("production", "s1").provisioning_state == "Updating"
    azure.pass_time(milliseconds=1)
    assert get("production", "s1").provisioning_state == "Succeeded"


def test_a_second_change_during_an_operation_is_a_conflict(azure):
    """§8: 409 Conflict with "concurrent request" in the message."""
    begin_snapshot(azure)
    answer = azure.ask("DELETE", SNAPSHOT)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (409, "Conflict")
    assert "concurrent request" in json.loads(answer.body)["error"]["message"]


def test_an_unknown_operation_is_not_found(azure):
    url = begin_snapshot(azure).headers["azure-asyncoperation"]
    assert follow(azure, url.replace("DiskOperations/", "DiskOperations/0")).status == 404
    assert follow(azure, url.replace("westeurope", "eastus")).status == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", SNAPSHOT, "snapshot", 202),
        ("PATCH", MACHINE, {"tags": {}}, 200),
        ("DELETE", SNAPSHOT, None, 204),
        ("DELETE", MACHINE, None, 202),
        ("POST", f"{MACHINE}/start", None, 202),
        ("POST", f"{MACHINE}/powerOff", None, 202),
    ],
)
def test_the_first_answer_has_the_status_that_the_sdk_accepts(azure, method, path, body, status):
    """§1.2: the table of statuses."""
    body = snapshot_body(azure.web.disk("data").id) if body == "snapshot" else body
    assert azure.ask(method, path, body).status == status
