"""The story app on a clock that stands still: what Durable Functions do."""

import threading
from datetime import timedelta

import azure.durable_functions as df
import pytest

from local_host.app import describe_app
from local_host.dispatcher import StuckError
from local_host.history import EventType
from local_host.host_files import HostSettings
from local_host.versions import Versions
from tests.local_host.conftest import START

GIVEN = {"round": 1, "rounds": 2, "jobs": 6, "patience": 3600, "barrier": True}


def test_rounds_end_with_every_sum_right(story):
    instance = story.start_orchestration("rounds", GIVEN)
    story.run_until(START + timedelta(minutes=30))
    assert story.status(instance)["customStatus"] == {"round": 1, "phase": "race"}
    story.raise_event(instance, "approve", {"by": "me"})
    story.run_until(START + timedelta(hours=3))
    status = story.status(instance)
    assert status["runtimeStatus"] == "Completed"
    assert status["output"] == [{"total": 15, "approved": True}, {"total": 15, "approved": False}]


def test_continue_as_new_keeps_the_id_and_starts_a_new_history(story):
    instance = story.start_orchestration("ticking", 0, "tick")
    story.settle()
    first = story.history(instance)[1]["OrchestrationInstance"]
    story.run_until(START + timedelta(seconds=1))
    later = story.history(instance)[1]["OrchestrationInstance"]
    assert first["InstanceId"] == later["InstanceId"] == "tick"
    assert first["ExecutionId"] != later["ExecutionId"]
    assert story.status(instance)["customStatus"]["count"] >= 4
    assert story.status(instance)["createdTime"] > "2026-03-01T00:00:00Z"


def test_a_sub_orchestration_is_named_after_its_parents_execution(story):
    instance = story.start_orchestration("rounds", {**GIVEN, "jobs": 1, "rounds": 1})
    story.settle()
    execution_id = story.history(instance)[1]["OrchestrationInstance"]["ExecutionId"]
    children = [status["instanceId"] for status in story.statuses(prefix=execution_id)]
    assert children == [f"{execution_id}:1"]


def test_event_data_from_the_client_arrives_as_json_text(story):
    instance = story.start_orchestration("echo", {"a": [1]})
    story.settle()
    story.raise_event(instance, "say", {"b": 2})
    story.settle()
    assert story.status(instance)["output"] == [{"a": [1]}, '{"b": 2}']


def test_a_long_run_jumps_from_one_due_thing_to_the_next(story):
    instance = story.start_orchestration("rounds", {**GIVEN, "rounds": 1, "patience": 86400 * 5})
    story.run_until(START + timedelta(days=90))
    assert story.status(instance)["output"] == [{"total": 15, "approved": False}]
    assert story.clock.now() == START + timedelta(days=90)


def test_an_orchestrator_that_waits_leaves_the_host_at_rest(story):
    instance = story.start_orchestration("echo")
    story.settle()
    assert story.status(instance)["runtimeStatus"] == "Running"


def test_a_host_that_does_not_rest_says_what_is_going_on(run):
    app = df.DFApp()
    held = threading.Event()

    @app.orchestration_trigger(context_name="context")
    def waiting(context):
        yield context.call_activity("hold", None)

    @app.activity_trigger(input_name="nothing")
    def hold(nothing: str) -> None:
        held.wait(30)

    host = run(app)
    host.start_orchestration("waiting", instance_id="w")
    with pytest.raises(StuckError, match=r"activities running: .*hold for 'w'"):
        host.settle(timeout=0.3)
    held.set()
    host.settle()


def test_a_custom_status_that_a_later_episode_does_not_set_is_cleared(run):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def setting_once(context):
        context.set_custom_status("busy")
        yield context.wait_for_external_event("go")
        context.set_custom_status("")  # falsy: the SDK does not send it, and Azure keeps none then
        yield context.wait_for_external_event("stop")

    host = run(app)
    instance = host.start_orchestration("setting_once")
    host.settle()
    assert host.status(instance)["customStatus"] == "busy"
    host.raise_event(instance, "go")
    host.settle()
    assert host.status(instance)["customStatus"] is None


def test_dates_in_outputs_come_back_as_dotnet_writes_them(run):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def dated(context):
        return ["2026-03-01T00:00:00.500000Z", "2026-03-01T02:00:00.000000+02:00", "2026-03-01", "not a date"]

    host = run(app)
    instance = host.start_orchestration("dated")
    host.settle()
    assert host.status(instance)["output"] == [
        "2026-03-01T00:00:00.5Z",
        "2026-03-01T00:00:00+00:00",
        "2026-03-01",
        "not a date",
    ]


def test_timers_of_more_than_six_days_are_chained_by_the_sdk(run):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def patient(context):
        yield context.create_timer(context.current_utc_datetime + timedelta(days=10))
        return str(context.current_utc_datetime.date())

    host = run(app)
    instance = host.start_orchestration("patient")
    host.run_until(START + timedelta(days=11))
    created = [e["FireAt"][:10] for e in host.history(instance) if e["EventType"] == EventType.TIMER_CREATED]
    assert created == ["2026-03-04", "2026-03-07", "2026-03-11"]
    assert host.status(instance)["output"] == "2026-03-11"


def test_a_large_fan_out_completes_in_order(run):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def fan(context):
        return (yield context.task_all([context.call_activity("square", n) for n in range(60)]))

    @app.activity_trigger(input_name="n")
    def square(n: int) -> int:
        return n * n

    host = run(app)
    instance = host.start_orchestration("fan")
    host.settle()
    assert host.status(instance)["output"] == [n * n for n in range(60)]


def test_activities_run_side_by_side_up_to_the_number_of_workers(run):
    app = df.DFApp()
    running, most = [], []
    both = threading.Barrier(2, timeout=10)

    @app.orchestration_trigger(context_name="context")
    def fan(context):
        yield context.task_all([context.call_activity("meet", n) for n in range(6)])

    @app.activity_trigger(input_name="n")
    def meet(n: int) -> None:
        running.append(n)
        most.append(len(running))
        both.wait()  # one alone would wait for ever
        running.remove(n)

    host = run(app, workers=2)
    instance = host.start_orchestration("fan")
    host.settle()
    assert host.status(instance)["runtimeStatus"] == "Completed"
    assert max(most) == 2


def test_an_async_activity_uses_the_durable_client(run):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def asking(context):
        return (yield context.call_activity("ask", "asking-"))

    @app.activity_trigger(input_name="prefix")
    @app.durable_client_input(client_name="client")
    async def ask(prefix, client):
        found = await client.get_status_by(instance_id_prefix=prefix)
        return [status.instance_id for status in found]

    host = run(app)
    host.start_orchestration("asking", instance_id="asking-1")
    host.settle()
    assert host.status("asking-1")["output"] == ["asking-1"]


def test_an_activity_may_be_renamed_and_take_the_context(story):
    app_function = story.app.activities["renamed"]
    assert app_function.name == "known_by_another_name"
    assert app_function.needs_context


def test_a_failing_activity_tells_the_orchestrator_why(run):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def careful(context):
        try:
            yield context.call_activity("fail", None)
        except Exception as error:
            return str(error).splitlines()[0]

    @app.activity_trigger(input_name="nothing")
    def fail(nothing: str) -> None:
        raise ValueError("boom")

    host = run(app)
    instance = host.start_orchestration("careful")
    host.settle()
    assert host.status(instance)["output"] == "Activity function 'fail' failed:  ValueError: boom "


def test_a_failing_orchestrator_is_failed_with_its_message(run):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def doomed(context):
        yield context.call_activity("nothing", None)
        raise ValueError("no way")

    @app.activity_trigger(input_name="nothing")
    def nothing(nothing: str) -> None:
        return None

    @app.orchestration_trigger(context_name="context")
    def parent(context):
        try:
            yield context.call_sub_orchestrator("doomed")
        except Exception as error:
            return str(error).splitlines()[0]

    host = run(app)
    instance, of_parent = host.start_orchestration("doomed"), host.start_orchestration("parent")
    host.settle()
    assert host.status(instance)["runtimeStatus"] == "Failed"
    assert host.status(instance)["output"] == "Orchestrator function 'doomed' failed: no way"
    assert host.status(of_parent)["output"] == "Orchestrator function 'doomed' failed: no way "


def test_custom_classes_travel_by_their_json(run):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def moving(context):
        return (yield context.call_activity("move", Point(1))).x

    @app.activity_trigger(input_name="point")
    def move(point: Point) -> Point:
        return Point(point.x + 1)

    host = run(app)
    instance = host.start_orchestration("moving")
    host.settle()
    assert host.status(instance)["output"] == 2


class Point:
    def __init__(self, x):
        self.x = x

    @staticmethod
    def to_json(point):
        return {"x": point.x}

    @staticmethod
    def from_json(data):
        return Point(data["x"])


def test_versions_are_seen_by_the_orchestrator(run):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def versioned(context):
        child = None
        if context.version == "2.0":
            child = yield context.call_sub_orchestrator("versioned", version="1.0")
        return [context.version, child]

    loaded = describe_app(app, settings=HostSettings(versions=Versions("2.0")))
    host = run(loaded)
    instance = host.start_orchestration("versioned")
    host.settle()
    assert host.status(instance)["output"] == ["2.0", ["1.0", None]]
