"""Names that nobody registered, ids that are taken, code that was changed under a running instance.

The numbers are those of the durable contract: its rules (§2.4), what was found by running (§3), its
pitfalls (§7).
"""

from datetime import timedelta

import azure.durable_functions as df
import pytest

from local_host import traps
from tests.local_host.flaky import outcome


@pytest.mark.parametrize("call", ["call_activity", "call_sub_orchestrator", "signal", "call"])
def test_2_4_13_an_unknown_name_fails_at_once(run, call):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def calling(context):
        if call == "signal":
            context.signal_entity(df.EntityId("missing", "k"), "add")
        elif call == "call":
            yield context.call_entity(df.EntityId("missing", "k"), "add")
        else:
            yield getattr(context, call)("missing")

    status = outcome(run(app), "calling")
    assert status["runtimeStatus"] == "Failed"
    assert "The function 'missing' doesn't exist" in status["output"]
    assert traps.HANGS in status["output"]


def test_7_4_a_renamed_activity_must_be_called_by_its_new_name(run):
    """The SDK passes the name of the function, which is not registered."""
    app = df.DFApp()

    @app.activity_trigger(input_name="given", activity="new_name")
    def old_name(given: str) -> str:
        return "done"

    @app.orchestration_trigger(context_name="context")
    def calling(context):
        return (yield context.call_activity(context.get_input() or old_name, "x"))

    host = run(app)
    status = outcome(host, "calling")
    assert "The function 'old_name' doesn't exist" in status["output"]
    assert "Registered activity functions: new_name" in status["output"]
    by_new_name = host.start_orchestration("calling", "new_name")
    host.settle()
    assert host.status(by_new_name)["output"] == "done"


def test_7_4_names_are_known_in_any_case(run, flaky):
    @flaky.orchestrator
    def calling(context):
        return (yield context.call_activity("FLAKY", "a"))

    assert outcome(run(flaky.app), "calling")["output"] == "a"


def test_2_4_5_changed_code_fails_as_non_deterministic(run, flaky):
    names = iter(["a", "b", "c", "d"])

    @flaky.orchestrator
    def changing(context):
        if next(names) == "a":
            yield context.call_activity("flaky", "a")
        yield context.create_timer(context.current_utc_datetime + timedelta(minutes=1))

    status = outcome(run(flaky.app), "changing")
    assert status["runtimeStatus"] == "Failed"
    assert "Non-Deterministic workflow detected: a previous execution" in status["output"]
    assert "activity 'flaky' with id 0" in status["output"]


@pytest.mark.parametrize(("child", "problem"), [("it", "its own parent"), ("@a@b", "belong to entities")])
def test_a_sub_orchestration_with_a_forbidden_id_fails(run, flaky, child, problem):
    @flaky.orchestrator
    def parent(context):
        yield context.call_sub_orchestrator("parent", instance_id=child)

    status = outcome(run(flaky.app), "parent")
    assert status["runtimeStatus"] == "Failed"
    assert problem in status["output"]


def test_a_sub_orchestration_with_an_id_in_use_fails_its_parent(run, flaky):
    @flaky.orchestrator
    def waiting(context):
        yield context.wait_for_external_event("e")

    @flaky.orchestrator
    def parent(context):
        yield context.call_sub_orchestrator("waiting", instance_id="taken")

    host = run(flaky.app)
    host.start_orchestration("waiting", instance_id="taken")
    host.settle()
    status = outcome(host, "parent")
    assert status["runtimeStatus"] == "Failed"
    assert "'taken', which is in use (it is Running)" in status["output"]
    assert host.status("taken")["runtimeStatus"] == "Running"


def test_two_sub_orchestrations_with_one_id_fail_their_parent(run, flaky):
    @flaky.orchestrator
    def child(context):
        yield context.wait_for_external_event("e")

    @flaky.orchestrator
    def parent(context):
        yield context.task_all([context.call_sub_orchestrator("child", instance_id="same") for _ in range(2)])

    host = run(flaky.app)
    assert "'same', which is in use (it is starting)" in outcome(host, "parent")["output"]
    assert host.status("same") is None
