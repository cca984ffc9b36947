"""Planted faults (azure-semantics §8 and checklist 7), and the meter."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.blob import BlobClient

from simulator.transport import transport
from simulator.wire import ConnectionDropped
from tests.simulator.conftest import GIB, code_of, snapshot_body

SNAPSHOT = "resourceGroups/production/providers/Microsoft.Compute/snapshots/s1"


def put(azure, name="s1"):
    return azure.ask("PUT", SNAPSHOT.replace("s1", name), snapshot_body(azure.web.disk("data").id))


def exists(azure, name="s1"):
    return azure.ask("GET", SNAPSHOT.replace("s1", name)).status == 200


def test_a_planted_429_has_the_documented_body_and_no_effect(azure):
    azure.cloud.faults.fail("PUT", "/snapshots/", status=429, retry_after=20)
    answer = put(azure)
    assert (answer.status, answer.headers["retry-after"]) == (429, "20")
    assert json.loads(answer.body)["details"][0]["code"] == "TooManyRequests"
    assert not exists(azure)
    assert put(azure).status == 202
    azure.cloud.faults.verify_all_met()


def test_a_call_can_fail_after_having_executed(azure):
    """§8: may have executed: GET by deterministic name first."""
    azure.cloud.faults.fail("PUT", "/snapshots/", status=500, after_executing=True)
    with pytest.raises(HttpResponseError) as raised:
        azure.take("s1")
    assert (raised.value.status_code, code_of(raised)) == (500, "InternalServerError")
    assert exists(azure)


@pytest.mark.parametrize("after_executing", [False, True])
def test_a_connection_can_be_dropped_before_or_after(azure, after_executing):
    azure.cloud.faults.drop("PUT", "/snapshots/", after_executing=after_executing)
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        azure.take("s1")
    assert exists(azure) is after_executing


def test_a_delay_passes_in_virtual_time(azure):
    azure.cloud.faults.delay("PUT", "/snapshots/", by=timedelta(minutes=2))
    before = azure.clock.now()
    put(azure)
    assert azure.clock.now() - before == timedelta(minutes=2)


def test_skip_and_times_count_the_calls_that_match(azure):
    azure.cloud.faults.fail("GET", r"/snapshots/s1$", status=503, skip=1, times=2)
    put(azure)
    statuses = [azure.ask("GET", SNAPSHOT).status for _ in range(4)]
    assert statuses == [200, 503, 503, 200]
    assert azure.ask("GET", f"{SNAPSHOT}x").status == 404


def test_a_fault_has_a_code_a_message_or_a_whole_body(azure):
    azure.cloud.faults.fail("PUT", "s1", status=409, code="AnotherOperationInProgress", message="Busy.")
    with pytest.raises(ResourceExistsError, match="Busy") as raised:
        azure.take("s1")
    assert code_of(raised) == "AnotherOperationInProgress"
    azure.cloud.faults.fail("PUT", "s1", status=409)
    assert "concurrent request" in json.loads(put(azure).body)["error"]["message"]
    azure.cloud.faults.fail("PUT", "s1", status=418, body={"tea": True})
    assert json.loads(put(azure).body) == {"tea": True}


def test_an_operation_that_another_overtook_is_canceled(azure):
    """§8: op status Canceled, code OperationPreempted; the SDK raises as for a failed one."""
    azure.cloud.faults.fail_operation("POST", "/deallocate", code="OperationPreempted", times=2)
    began = azure.ask("POST", f"{azure.web.id}/deallocate")
    azure.pass_time(minutes=1)
    path = began.headers["azure-asyncoperation"].partition("management.azure.com")[2]
    operation = json.loads(azure.ask("GET", path, version=None).body)
    assert (operation["status"], operation["error"]["code"]) == ("Canceled", "OperationPreempted")
    with pytest.raises(HttpResponseError) as raised:
        azure.sdk.virtual_machines.begin_deallocate("production", "web").result()
    assert code_of(raised) == "OperationPreempted"
    assert azure.web.power == "running"


def test_an_operation_that_is_refused_does_not_use_the_fault_up(azure):
    azure.cloud.faults.fail_operation("DELETE", "/disks/")
    assert azure.ask("DELETE", azure.web.disk("data").id).status == 409
    with pytest.raises(AssertionError, match="fail operation DELETE"):
        azure.cloud.faults.verify_all_met()


def test_the_data_plane_can_fail_too(azure):
    azure.take("s1")
    read = {"access": "Read", "durationInSeconds": 600}
    sas = azure.sdk.snapshots.begin_grant_access("production", "s1", read).result().access_sas
    blob = BlobClient.from_blob_url(
        sas, transport=transport(azure.cloud), api_version="2020-10-02", retry_total=0
    )
    azure.cloud.faults.drop("GET", "comp=pagelist")
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        list(blob.list_page_ranges())
    assert [each.start for each in blob.list_page_ranges()] == [64 * GIB]  # the footer


def test_faults_that_nobody_met_are_named(azure):
    azure.cloud.faults.fail("DELETE", "/disks/never", status=500, times=3)
    azure.cloud.faults.drop("GET", "/snapshots/s1")
    with pytest.raises(ConnectionDropped):
        azure.ask("GET", SNAPSHOT)
    with pytest.raises(AssertionError, match=r"fail DELETE '/disks/never' \(3 more\)") as raised:
        azure.cloud.faults.verify_all_met()
    assert "/snapshots/s1" not in str(raised.value)


def test_the_meter_counts_calls_by_route_and_the_time_inside(azure):
    put(azure)
    exists(azure)
    exists(azure, "other")
    template = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/snapshots/{}"
    assert azure.cloud.meter.calls == {("PUT", template): 1, ("GET", template): 2}
    assert 0 < azure.cloud.meter.seconds < 5
