"""GET health, and what the API answers when something is wrong that the caller has not done."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime

import azure.durable_functions as df
import pytest

from domain.operations import OperationState
from gateways.connection import connect, use
from simulator.transport import transport
from tests.triggers.harness import Status


def lose_the_catalogue(api):
    """Point the app at a catalogue that nobody serves."""
    account = api.connected.settings.catalogue.rsplit("/", 1)[-1]
    nowhere = replace(api.connected.settings, catalogue=f"http://127.0.0.1:1/{account}")
    api.connected = connect(nowhere, clock=api.clock, transport=transport(api.cloud))
    use(api.connected)


def test_a_healthy_app_tells_what_it_works_with(api):
    seen = datetime(2026, 11, 22, 16, 0, 4, tzinfo=UTC)
    completed = df.OrchestrationRuntimeStatus.Completed
    api.client.statuses["backup_fleet"] = Status(completed, last_updated_time=seen)
    told = api.ask("GET", "health").body
    assert (told["policies"], told["locations"]) == (["daily"], ["west", "north"])
    assert told["watch"] == {"state": "Completed", "lastRun": "2026-11-22T16:00:04Z", "failure": None}
    assert {"tidemark", "python", "azure-functions-durable"} <= set(told["versions"])


def test_a_watch_that_never_ran_is_told_as_such(api):
    assert api.ask("GET", "health").body["watch"] == {"state": None, "lastRun": None, "failure": None}


def test_a_host_that_does_not_tell_of_the_watch_is_no_reason_to_be_silent(api):
    api.client.is_broken = True
    answer = api.ask("GET", "health")
    assert answer.status == 200
    assert "the host does not answer" in answer.body["watch"]["failure"]


@pytest.mark.parametrize("path", ["health", "vms", "operations"])
def test_a_catalogue_that_cannot_be_read_is_told_with_a_time_to_ask_again(api, path):
    lose_the_catalogue(api)
    answer = api.ask("GET", path)
    assert (answer.status, answer.media_type) == (503, "application/problem+json")
    assert int(answer.headers["Retry-After"]) > 0


def test_nothing_is_started_while_the_catalogue_cannot_be_written(api):
    vm = api.add_vm()
    lose_the_catalogue(api)
    assert api.ask("POST", "backups", {"vm": vm}).status == 503
    assert api.client.started == {}


def test_throttling_by_azure_is_passed_on_with_its_time(api):
    vm = api.add_vm()
    api.cloud.faults.fail("GET", "/virtualMachines/", status=429, code="TooManyRequests", retry_after=17)
    answer = api.ask("POST", "backups", {"vm": vm})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "17")
    assert (api.operations(), api.client.started) == ([], {})
    api.cloud.faults.verify_all_met()
    assert api.ask("POST", "backups", {"vm": vm}).status == 202  # asking again helped


def test_a_lost_home_region_is_a_reason_to_ask_again(api):
    vm = api.add_vm()
    api.cloud.lose_region("westeurope")
    assert api.ask("POST", "backups", {"vm": vm}).status == 503
    assert (api.operations(), api.client.started) == ([], {})


def test_what_azure_refuses_for_good_is_told_with_azures_word(api):
    vm = api.add_vm()
    api.cloud.faults.fail("GET", "/virtualMachines/", status=403, code="AuthorizationFailed")
    answer = api.ask("POST", "backups", {"vm": vm})
    assert (answer.status, answer.media_type) == (502, "application/problem+json")
    assert "AuthorizationFailed" in answer.body["detail"]
    assert (api.operations(), api.client.started) == ([], {})


def test_the_unexpected_is_told_without_internals_and_found_in_the_log(api, caplog):
    vm = api.add_vm()
    operation = api.ask("POST", "backups", {"vm": vm}).body["id"]
    # A row that no release has ever written.
    api.connected.catalogue.operations.alter(operation, lambda known: replace(known, request={"secret": 1}))
    with caplog.at_level(logging.ERROR, logger="tidemark"):
        answer = api.ask("GET", f"operations/{operation}")
    assert (answer.status, answer.media_type) == (500, "application/problem+json")
    assert "secret" not in str(answer.body)
    assert "asking again may help; if not, the function app's log" in answer.body["detail"]
    (record,) = caplog.records
    assert answer.body["incident"] in record.getMessage()
    assert record.exc_info
    assert [found.state for found in api.operations()] == [OperationState.ACCEPTED]


@pytest.mark.parametrize("path", ["vms", "vms/web", "openapi.json"])
def test_no_answer_is_kept_by_a_cache(api, path):
    assert api.ask("GET", path).headers["Cache-Control"] == "no-store"
