"""POST backups of a VM that another request, or the schedule, has begun to back up in between."""

from __future__ import annotations

import json
from dataclasses import replace

import azure.durable_functions as df
import pytest

from domain.operations import OperationState
from domain.requests import BackupRequest
from tests.triggers.harness import Status
from tests.triggers.test_backups import ask
from triggers import backups


def test_of_two_requests_that_both_found_the_vm_idle_one_is_told_that_it_is_busy(api):
    vm = api.add_vm("web")
    first = ask(api, {"vm": vm}, key="first").body["id"]
    (operation,) = api.operations()
    # The other one looked before the first was written down, and is started after it.
    api.connected.catalogue.operations.alter(first, lambda known: replace(known, subject="not seen"))
    answer = ask(api, {"vm": vm}, key="second")
    assert answer.status == 409
    assert answer.body["operation"] == f"/api/v1/operations/{first}"
    assert f"by operation {first}, which came first" in answer.body["detail"]
    states = {found.id: found.state for found in api.operations()}
    assert states.pop(first) is OperationState.ACCEPTED
    assert list(states.values()) == [OperationState.FAILED]  # and not accepted for ever
    assert api.client.started == {operation.instance: (operation.orchestrator, operation.request)}


@pytest.mark.parametrize(("state", "ended"), [("succeeded", "has succeeded"), ("failed", "has failed")])
def test_who_came_too_late_for_an_operation_that_is_over_is_told_so(api, state, ended):
    vm = api.add_vm("web")
    first = ask(api, {"vm": vm}, key="first").body["id"]
    api.connected.catalogue.operations.alter(
        first, lambda known: replace(known, subject="not seen", state=OperationState(state))
    )
    answer = ask(api, {"vm": vm}, key="second")
    assert answer.status == 409
    told = f"was begun by operation {first}, which came first and {ended}; ask again with another"
    assert f"{told} Idempotency-Key" in answer.body["detail"]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (None, "is being taken by the schedule, which came first; ask again when it is over"),
        (
            "available",
            "was begun by the schedule, which came first and has succeeded; ask again with another",
        ),
        ("failed", "was begun by the schedule, which came first and has failed; ask again with another"),
    ],
)
def test_who_came_too_late_for_the_schedule_is_told_how_far_it_is(api, monkeypatch, state, told):
    vm, slot = api.add_vm("web"), api.clock.now().replace(second=0)
    request = BackupRequest(vm, slot, 1, api.policy())
    # It looked before the point was there.
    monkeypatch.setattr(backups, "_points_of_idle", lambda vm, now: [])
    api.client.started[request.instance] = ("backup_vm", {})
    running = df.OrchestrationRuntimeStatus.Running
    api.client.statuses[request.instance] = Status(running, json.dumps({"operation": None}))
    if state:
        api.add_point(vm, slot, state=state)
    answer = ask(api, {"vm": vm})
    assert answer.status == 409
    assert told in answer.body["detail"]
