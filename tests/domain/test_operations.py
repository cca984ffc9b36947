"""Operations: what was asked for ends once, and stays as it ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.operations import Operation, OperationState
from tests.domain.samples import NOW

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def operation() -> Operation:
    return Operation("id", "backup", "somebody", NOW, "web", "backup_vm", "backup:web", {})


def test_an_operation_runs_and_succeeds_with_what_came_of_it(operation):
    assert operation.state is OperationState.ACCEPTED
    running = operation.running()
    assert running.state is OperationState.RUNNING
    assert not running.state.is_over
    done = running.succeeded({"restorePoint": "x"}, LATER)
    assert (done.state, done.outcome, done.ended) == (OperationState.SUCCEEDED, {"restorePoint": "x"}, LATER)
    assert done.state.is_over


def test_an_operation_fails_with_a_reason_and_keeps_what_came_of_it_until_then(operation):
    failed = operation.running().failed("no disk came back", LATER, {"disks": []})
    assert (failed.state, failed.failure, failed.outcome) == (
        OperationState.FAILED,
        "no disk came back",
        {"disks": []},
    )
    assert operation.failed("never started", LATER).outcome == {}


def test_what_is_over_stays_as_it_ended(operation):
    for over in (operation.succeeded({"a": 1}, NOW), operation.failed("why", NOW)):
        assert over.running() == over
        assert over.succeeded({"b": 2}, LATER) == over
        assert over.failed("another reason", LATER) == over
