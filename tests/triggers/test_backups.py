"""POST backups takes a restore point, and the same request twice takes it once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.operations import OperationState
from domain.requests import BackupRequest
from durable import from_wire
from tests.triggers.harness import Api


def started(api: Api) -> list[BackupRequest]:
    """Return what every started backup was started with."""
    assert {orchestrator for orchestrator, _ in api.client.started.values()} <= {"backup_vm"}
    return [from_wire(BackupRequest, request) for _, request in api.client.started.values()]


def ask(api: Api, body: Any, key: str | None = None, **options: Any) -> Any:
    headers = {**({"Idempotency-Key": key} if key is not None else {}), **options.pop("headers", {})}
    return api.ask("POST", "backups", body, headers=headers, **options)


def test_a_backup_is_written_down_and_started(api):
    vm = api.add_vm("web")
    answer = ask(api, {"vm": vm})
    assert answer.status == 202
    assert answer.headers["Location"] == f"/api/v1/operations/{answer.body['id']}"
    assert int(answer.headers["Retry-After"]) > 0
    (operation,) = api.operations()
    assert (operation.id, operation.kind, operation.who) == (answer.body["id"], "backup", "development")
    (request,) = started(api)
    assert (request.vm_id, request.policy.name, request.attempt) == (vm, "daily", 1)
    assert f"{request.slot:%H:%M:%S}" == "16:00:00"
    assert request.operation == operation.id


def test_what_is_written_down_is_enough_to_start_it_after_a_crash(api):
    ask(api, {"vm": api.add_vm("web")})
    (operation,) = api.operations()
    assert api.client.started == {operation.instance: (operation.orchestrator, operation.request)}


def test_a_vm_may_be_named_by_its_key(api):
    vm = api.add_vm("web")
    point = api.add_point(vm, api.clock.now() - timedelta(days=1))
    answer = ask(api, {"vm": point.vm.key})
    assert answer.status == 202
    assert [request.vm_id for request in started(api)] == [vm]


def test_an_id_in_another_case_is_the_same_vm(api):
    vm = api.add_vm("web")
    ask(api, {"vm": vm.upper().replace("/SUBSCRIPTIONS/", "/subscriptions/")})
    assert [request.vm_id for request in started(api)] == [vm]


def test_the_policy_of_the_order_comes_before_the_tag(api):
    answer = ask(api, {"vm": api.add_vm("web", tags={"tidemark-policy": "gone"}), "policy": "daily"})
    assert answer.status == 202
    assert [request.policy.name for request in started(api)] == ["daily"]


def test_a_slot_that_has_failed_is_taken_under_the_next_attempt(api):
    vm = api.add_vm("web")
    slot = api.clock.now().replace(second=0)
    api.add_point(vm, slot, state="failed")
    answer = ask(api, {"vm": vm})
    assert answer.status == 202
    assert [(request.slot, request.attempt) for request in started(api)] == [(slot, 2)]


def test_a_slot_that_has_its_point_is_not_taken_twice(api):
    vm = api.add_vm("web")
    point = api.add_point(vm, api.clock.now().replace(second=0), state="available")
    answer = ask(api, {"vm": vm})
    assert answer.status == 409
    assert "was taken in this minute; ask again in the next" in answer.body["detail"]
    assert api.ask("GET", answer.body["restorePoint"]).body["id"] == point.id
    assert (api.operations(), api.client.started) == ([], {})
    api.clock.advance(timedelta(minutes=1))
    assert ask(api, {"vm": vm}).status == 202


def test_a_busy_vm_is_told_with_the_operation_that_keeps_it_busy(api):
    vm = api.add_vm("web")
    operation = ask(api, {"vm": vm}).body["id"]
    api.add_point(vm, api.clock.now().replace(second=0), state="begun", operation=operation)
    api.clock.advance(timedelta(minutes=1))
    answer = ask(api, {"vm": vm})
    assert (answer.status, answer.media_type) == (409, "application/problem+json")
    assert answer.body["operation"] == f"/api/v1/operations/{operation}"
    assert api.ask("GET", answer.body["operation"]).body["id"] == operation
    assert [found.id for found in api.operations()] == [operation]
    assert len(api.client.started) == 1


def test_a_vm_that_the_schedule_keeps_busy_is_told_with_the_restore_point(api):
    vm = api.add_vm("web")
    point = api.add_point(vm, api.clock.now().replace(second=0), state="begun")
    answer = ask(api, {"vm": vm})
    assert answer.status == 409
    assert "operation" not in answer.body
    assert api.ask("GET", answer.body["restorePoint"]).body["id"] == point.id
    assert (api.operations(), api.client.started) == ([], {})


@pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=1), timedelta(hours=8)])
def test_a_vm_is_busy_from_the_moment_that_a_backup_is_accepted(api, later):
    vm = api.add_vm("web")
    first = ask(api, {"vm": vm}, key="first").body["id"]
    api.clock.advance(later)  # eight hours later it is another day
    answer = ask(api, {"vm": vm}, key="second")
    assert answer.status == 409
    assert answer.body["operation"] == f"/api/v1/operations/{first}"
    assert len(api.client.started) == 1


def test_a_vm_is_busy_although_the_overview_does_not_know_yet(api):
    vm = api.add_vm("web")
    point = api.add_point(vm, api.clock.now().replace(second=0), state="begun", overview=False)
    answer = ask(api, {"vm": vm})
    assert answer.status == 409
    assert answer.body["restorePoint"] == f"/api/v1/restore-points/{point.id}"


def test_another_vm_is_not_busy(api):
    ask(api, {"vm": api.add_vm("web")})
    assert ask(api, {"vm": api.add_vm("db")}).status == 202


def test_a_busy_vm_is_told_with_the_operation_that_runs_not_with_one_that_lost_to_it(api):
    vm = api.add_vm("web")
    first = ask(api, {"vm": vm}, key="first").body["id"]
    (operation,) = api.operations()
    operations = api.connected.catalogue.operations
    # A second request was accepted for the same point, and died before it was told that it came too late.
    loser = replace(operation, id=f"{operation.id[:-20]}{'0' * 20}", state=OperationState.ACCEPTED)
    operations.accept(loser)
    operations.alter(first, lambda known: known.running())
    answer = ask(api, {"vm": vm}, key="third")
    assert answer.status == 409
    assert answer.body["operation"] == f"/api/v1/operations/{first}"


@pytest.mark.parametrize("is_broken", [True, False])
def test_a_busy_vm_is_told_although_the_host_does_not_tell_who_keeps_it(api, is_broken):
    vm = api.add_vm("web")
    first = ask(api, {"vm": vm}, key="first").body["id"]
    api.client.is_broken, api.client.statuses = is_broken, {}
    answer = ask(api, {"vm": vm}, key="second")
    assert (answer.status, answer.body["operation"]) == (409, f"/api/v1/operations/{first}")


def test_a_backup_that_the_host_does_not_start_is_accepted_and_left_to_the_watch(api):
    vm = api.add_vm("web")
    api.client.is_broken = True
    answer = ask(api, {"vm": vm})
    assert (answer.status, answer.body["state"]) == (202, "accepted")
    assert [operation.state for operation in api.operations()] == [OperationState.ACCEPTED]


def test_a_repeated_request_starts_what_the_host_did_not_start_before(api):
    vm = api.add_vm("web")
    api.client.is_broken = True
    first = ask(api, {"vm": vm})
    api.client.is_broken = False
    assert ask(api, {"vm": vm}).body == first.body
    assert [request.operation for request in started(api)] == [first.body["id"]]


def test_neither_settings_nor_keys_are_in_an_answer(api):
    answer = ask(api, {"vm": api.add_vm("web")})
    detail = api.ask("GET", answer.headers["Location"]).body
    for told in (answer.body, detail):
        assert "blob.core.windows.net" not in str(told)
        assert "request" not in told
