"""What is too large, of the wrong kind or not supported fails at once instead of hanging.

The numbers are those of the durable contract: its rules (§2.4), what was found by running (§3), its
pitfalls (§7).
"""

import pytest

from local_host import traps
from local_host.replay import SdkState, _answer
from tests.local_host.client import call
from tests.local_host.flaky import outcome


def test_a_yield_of_nothing_fails_instead_of_hanging(run, flaky):
    @flaky.orchestrator
    def confused(context):
        yield None

    status = outcome(run(flaky.app), "confused")
    assert status["runtimeStatus"] == "Failed"
    assert "waits for nothing that can come" in status["output"]


def test_2_4_12_a_custom_status_above_16_kb_fails_as_in_azure(run, flaky):
    @flaky.orchestrator
    def verbose(context):
        context.set_custom_status("é" * 9000)  # 18 KB in UTF-16
        yield context.call_activity("flaky", "a")

    status = outcome(run(flaky.app), "verbose")
    assert status["runtimeStatus"] == "Failed"
    assert "must not exceed 16 KB. The current payload size is 17 KB" in status["output"]


def test_2_4_12_a_custom_status_that_grows_too_large_later_names_the_cause(run, flaky):
    """Azure says only that the workflow is not deterministic, because no action could be replayed."""

    @flaky.orchestrator
    def verbose(context):
        yield context.call_activity("flaky", "a")
        context.set_custom_status("x" * 9000)
        yield context.call_activity("flaky", "b")

    status = outcome(run(flaky.app), "verbose")
    assert status["output"].startswith("Non-Deterministic workflow detected")
    assert "must not exceed 16 KB" in status["output"]


def test_a_yield_of_something_else_names_the_cause(run, flaky):
    @flaky.orchestrator
    def confused(context):
        yield context.call_activity("flaky", "a")
        yield 5

    status = outcome(run(flaky.app), "confused")
    assert status["runtimeStatus"] == "Failed"
    assert "'int' object has no attribute" in status["output"]


def test_2_4_12_a_custom_status_of_16_kb_is_fine(run, flaky):
    @flaky.orchestrator
    def verbose(context):
        context.set_custom_status("x" * 8190)
        return (yield context.call_activity("flaky", "a"))

    assert outcome(run(flaky.app), "verbose")["output"] == "a"


def test_2_4_12_more_actions_than_allowed_fail(run, flaky, monkeypatch):
    monkeypatch.setattr("local_host.extension.MAX_ACTIONS", 5)

    @flaky.orchestrator
    def greedy(context):
        yield context.task_all([context.call_activity("flaky", str(n)) for n in range(6)])

    status = outcome(run(flaky.app), "greedy")
    assert status["runtimeStatus"] == "Failed"
    assert "more than 5 actions" in status["output"]


def test_2_1_schema_v1_is_refused():
    with pytest.raises(traps.TrapError, match="replay schema V1"):
        _answer({"actions": [[], []]}, None, SdkState())


def test_2_3_more_than_one_action_list_is_refused():
    with pytest.raises(traps.TrapError, match="2 action lists"):
        _answer({"actions": [[], []], "schemaVersion": 2}, None, SdkState())


def test_2_1_an_array_as_plain_input_fails_in_get_input(run, flaky):
    """§7.7: over plain HTTP the input may be an object or a string only."""

    @flaky.orchestrator
    def reading(context):
        return context.get_input()

    host = run(flaky.app)
    call("POST", f"{host.url}/durabletask/orchestrators/reading/it", [1, 2])
    host.settle()
    assert "must be str, bytes or bytearray, not list" in host.status("it")["output"]
