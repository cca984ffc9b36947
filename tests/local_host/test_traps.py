"""Every trap of Durable Functions for Python 1.x: code that Azure would leave hanging fails here at once, and
says why.

The numbers are those of the durable contract: its rules (§2.4), what was found by running (§3), its pitfalls
(§7).
"""

import asyncio
import json
from datetime import timedelta

import azure.durable_functions as df
import pytest

from local_host import traps
from local_host.extension import Identity
from local_host.history import EventType, event, execution_started
from local_host.replay import SdkState, _answer, replay
from tests.local_host.client import call
from tests.local_host.conftest import START

RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=1000, max_number_of_attempts=3)


class Flaky:
    """Activities that fail as often as told."""

    def __init__(self):
        self.app = df.DFApp()
        self.failures: dict[str, int] = {}

        @self.app.activity_trigger(input_name="name")
        def flaky(name: str) -> str:
            if self.failures.get(name, 0) > 0:
                self.failures[name] -= 1
                raise ValueError(f"{name} fails")
            return name

    def orchestrator(self, function):
        return self.app.orchestration_trigger(context_name="context")(function)


@pytest.fixture
def flaky():
    return Flaky()


def outcome(host, name, *steps, days=1):
    """Start an orchestrator, let `steps` happen while it waits, and return its final status."""
    host.start_orchestration(name, instance_id="it")
    host.settle()
    for step in steps:
        step()
        host.settle()
    host.run_until(host.clock.now() + timedelta(days=days))
    return host.status("it")


def test_3_task_any_over_retries_drifts_and_fails(run, flaky):
    """Issue 603 of the SDK: the retry's timer takes the id that the SDK gives to the next activity."""
    flaky.failures = {"a": 1}

    @flaky.orchestrator
    def race(context):
        tasks = [context.call_activity_with_retry("flaky", RETRY, name) for name in ("a", "b")]
        yield context.task_any(tasks)
        yield context.task_all(tasks)
        return (yield context.task_all([context.call_activity("flaky", "c")]))

    status = outcome(run(flaky.app), "race")
    assert status["runtimeStatus"] == "Failed"
    assert "Non-Deterministic" in status["output"] or "drifted apart" in status["output"]


def test_3_a_caught_task_all_beside_a_retrying_sibling_drifts_and_fails(run, flaky):
    flaky.failures = {"a": 1, "b": 1}

    @flaky.orchestrator
    def gather(context):
        tasks = [context.call_activity("flaky", "a"), context.call_activity_with_retry("flaky", RETRY, "b")]
        try:
            yield context.task_all(tasks)
        except Exception:
            context.set_custom_status("failed early")
        return (yield context.call_activity("flaky", "c"))

    status = outcome(run(flaky.app, workers=1), "gather")
    assert status["runtimeStatus"] == "Failed"
    assert "drifted apart" in status["output"]
    assert "sub-orchestration of its own" in status["output"]


def test_2_4_4_retries_alone_take_the_ids_of_the_extension(run, flaky):
    """Failure, timer, attempt; after the last failure one more timer. SDK and extension agree."""
    flaky.failures = {"a": 3}

    @flaky.orchestrator
    def retrying(context):
        try:
            yield context.call_activity_with_retry("flaky", RETRY, "a")
        except Exception as error:
            context.set_custom_status(str(error).split("\n")[0])
        return (yield context.call_activity("flaky", "b"))

    host = run(flaky.app)
    status = outcome(host, "retrying")
    assert (status["output"], "a fails" in status["customStatus"]) == ("b", True)
    scheduled = [
        (item["EventId"], EventType(item["EventType"]).name)
        for item in host.history("it")
        if item["EventId"] >= 0
    ]
    task, timer = EventType.TASK_SCHEDULED.name, EventType.TIMER_CREATED.name
    assert scheduled == [(0, task), (1, timer), (2, task), (3, timer), (4, task), (5, timer), (6, task)]


def test_2_4_3_the_extension_waits_for_all_children_of_a_failed_task_all(run, flaky):
    """The SDK goes on at the first failure; what it asks for next starts only when the last child has
    ended."""
    flaky.failures = {"a": 1}

    @flaky.orchestrator
    def gather(context):
        slow = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        try:
            yield context.task_all([context.call_activity("flaky", "a"), slow])
        except Exception:
            return (yield context.call_activity("flaky", "b"))

    host = run(flaky.app)
    host.start_orchestration("gather", instance_id="it")
    host.settle()
    names = [
        item.get("Input") for item in host.history("it") if item["EventType"] == EventType.TASK_SCHEDULED
    ]
    assert names == ['["\\"a\\""]']
    host.run_until(START + timedelta(hours=2))
    assert host.status("it")["output"] == "b"


def test_2_4_6_an_instance_stays_running_while_a_lost_timer_is_open(run, flaky, caplog):
    @flaky.orchestrator
    def race(context):
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=4))
        task = context.call_activity("flaky", "a")
        yield context.task_any([timer, task])
        return task.result

    host = run(flaky.app)
    host.start_orchestration("race", instance_id="it")
    host.run_until(START + timedelta(hours=3))
    assert host.status("it")["runtimeStatus"] == "Running"
    assert "Cancel the losing timer" in caplog.text
    host.run_until(START + timedelta(hours=4))
    assert host.status("it")["output"] == "a"


def test_2_4_6_a_cancelled_timer_does_not_hold_the_instance(run, flaky):
    @flaky.orchestrator
    def race(context):
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=4))
        task = context.call_activity("flaky", "a")
        yield context.task_any([timer, task])
        timer.cancel()
        return task.result

    host = run(flaky.app)
    host.start_orchestration("race", instance_id="it")
    host.settle()
    assert host.status("it")["output"] == "a"


def test_a_cancelled_timer_of_more_than_six_days_holds_it_all_the_same(run, flaky, caplog):
    @flaky.orchestrator
    def race(context):
        timer = context.create_timer(context.current_utc_datetime + timedelta(days=30))
        task = context.call_activity("flaky", "a")
        yield context.task_any([timer, task])
        timer.cancel()
        return task.result

    host = run(flaky.app)
    host.start_orchestration("race", instance_id="it")
    host.settle()
    assert host.status("it")["runtimeStatus"] == "Running"
    assert "more than 6 days was cancelled" in caplog.text
    host.run_until(START + timedelta(days=4))
    assert host.status("it")["output"] == "a"


def rounds_of_a_race(barrier):
    app = df.DFApp()

    @app.activity_trigger(input_name="nothing")
    def pause(nothing: str) -> None:
        return None

    @app.orchestration_trigger(context_name="context")
    def rounds(context):
        seen = context.get_input() or []
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        event = context.wait_for_external_event("go")
        winner = yield context.task_any([timer, event])
        if winner == event:
            timer.cancel()
        seen.append("event" if winner == event else "timeout")
        if len(seen) == 3:
            return seen
        if barrier:
            yield context.call_activity("pause", None)
        context.continue_as_new(seen)

    return app


@pytest.mark.parametrize(
    ("barrier", "expected"),
    [(False, ["event", "event", "event"]), (True, ["event", "timeout", "timeout"])],
)
def test_7_2_an_event_that_won_a_race_comes_again_after_continue_as_new_without_a_barrier(
    run, barrier, expected
):
    """§2.4.7 and §2.4.8 together: the cancelled timer ends WhenAny early on replay, so continue-as-new is
    reached before the event is delivered, and carried over. One more yielded activity prevents it."""
    host = run(rounds_of_a_race(barrier))
    status = outcome(host, "rounds", lambda: host.raise_event("it", "go"))
    assert status["output"] == expected


def test_2_4_8_events_that_were_only_buffered_are_lost_by_continue_as_new(run):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def losing(context):
        if context.get_input():
            timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
            event = context.wait_for_external_event("early")
            winner = yield context.task_any([timer, event])
            return "got it" if winner == event else "lost"
        yield context.create_timer(context.current_utc_datetime + timedelta(minutes=5))
        context.continue_as_new(True)

    host = run(app)
    status = outcome(host, "losing", lambda: host.raise_event("it", "early"))
    assert status["output"] == "lost"


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


def early_events(waits, pause=True):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def waiting(context):
        if pause:
            yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        got = []
        for _ in range(waits):
            got.append((yield context.wait_for_external_event("e")))
        return got

    return app


def test_7_5_two_early_events_of_one_name_lose_the_first(run):
    host = run(early_events(waits=2))
    status = outcome(
        host, "waiting", lambda: (host.raise_event("it", "e", "one"), host.raise_event("it", "e", "two"))
    )
    assert status["runtimeStatus"] == "Failed"
    assert "Several events 'e' were raised before" in status["output"]


def test_7_5_one_early_event_must_not_satisfy_two_waits(run):
    host = run(early_events(waits=2))
    status = outcome(host, "waiting", lambda: host.raise_event("it", "e", "one"))
    assert status["runtimeStatus"] == "Failed"
    assert "One early event 'e' has satisfied two waits" in status["output"]


def test_7_5_what_the_sdk_does_with_early_events():
    """The bug itself, in the SDK alone: the last of two is handed to both waits."""
    now = START
    history = [
        event(EventType.ORCHESTRATOR_STARTED, now),
        execution_started(now, "it", "x", "waiting", None),
        event(EventType.TIMER_CREATED, now, 0, FireAt=now.isoformat()),
        event(EventType.ORCHESTRATOR_COMPLETED, now),
        event(EventType.ORCHESTRATOR_STARTED, now),
        *(event(EventType.EVENT_RAISED, now, Name="e", Input=json.dumps(text)) for text in ("one", "two")),
        event(EventType.TIMER_FIRED, now, TimerId=0, FireAt=now.isoformat()),
    ]
    handle = early_events(waits=2).get_functions()[0].get_user_function()
    answer = replay(handle, Identity("it", "x"), [json.dumps(item) for item in history], None, True)
    assert (answer.is_done, answer.output) == (True, ["two", "two"])


def test_7_5_a_single_early_event_is_taken_once(run):
    host = run(early_events(waits=1))
    assert outcome(host, "waiting", lambda: host.raise_event("it", "e", 1))["output"] == ["1"]


def test_2_4_10_events_in_turn_are_fine_and_their_case_matters(run):
    host = run(early_events(waits=2, pause=False))
    status = outcome(
        host, "waiting", lambda: host.raise_event("it", "e", 1), lambda: host.raise_event("it", "E", 2)
    )
    assert status["runtimeStatus"] == "Failed"
    assert "The event 'E' was raised while the orchestrator waits for 'e'" in status["output"]


def test_a_task_all_that_failed_beside_an_event_would_wait_for_it_for_ever(run, flaky):
    flaky.failures = {"a": 1}

    @flaky.orchestrator
    def gather(context):
        try:
            yield context.task_all(
                [context.call_activity("flaky", "a"), context.wait_for_external_event("e")]
            )
        except Exception:
            return "gave up"

    status = outcome(run(flaky.app), "gather")
    assert status["runtimeStatus"] == "Failed"
    assert "the SDK has finished, the extension waits for the event 'e'" in status["output"]


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


def test_2_4_9_a_retried_sub_orchestration_reuses_the_id_it_was_given(run, flaky):
    flaky.failures = {"a": 1}

    @flaky.orchestrator
    def child(context):
        return (yield context.call_activity("flaky", "a"))

    @flaky.orchestrator
    def parent(context):
        return (yield context.call_sub_orchestrator_with_retry("child", RETRY, instance_id="kid"))

    host = run(flaky.app)
    assert outcome(host, "parent")["output"] == "a"
    assert [status["instanceId"] for status in host.statuses()] == ["it", "kid"]


def test_7_8_async_functions_share_one_loop(run):
    app = df.DFApp()
    loops = []

    @app.activity_trigger(input_name="given")
    async def note(given: str) -> None:
        loops.append(asyncio.get_running_loop())

    @app.orchestration_trigger(context_name="context")
    def noting(context):
        yield context.task_all([context.call_activity("note", None) for _ in range(2)])

    for database in ("one.sqlite", "two.sqlite"):
        host = run(app, database)
        host.start_orchestration("noting")
        host.settle()
    assert len(loops) == 4
    assert len(set(map(id, loops))) == 1


def test_a_loop_of_continue_as_new_without_a_wait_fails(run, flaky):
    @flaky.orchestrator
    def spinning(context):
        context.continue_as_new((context.get_input() or 0) + 1)

    status = outcome(run(flaky.app), "spinning")
    assert status["runtimeStatus"] == "Failed"
    assert "continued as new 1000 times" in status["output"]


def test_a_retry_interval_above_six_days_fails(run, flaky):
    @flaky.orchestrator
    def patient(context):
        yield context.call_activity_with_retry("flaky", df.RetryOptions(7 * 86_400_000, 2), "a")

    status = outcome(run(flaky.app), "patient")
    assert "more than 6 days" in status["output"]


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


def test_safe_retries_live_in_a_sub_orchestration(run, flaky):
    """The pattern that the message of the drift trap recommends."""
    flaky.failures = {"1": 1, "3": 5}

    @flaky.orchestrator
    def item(context):
        try:
            return {"ok": (yield context.call_activity_with_retry("flaky", RETRY, context.get_input()))}
        except Exception:
            return {"ok": None}

    @flaky.orchestrator
    def safe(context):
        waiting = [context.call_sub_orchestrator("item", str(n)) for n in range(5)]
        all_of_them = list(waiting)
        while waiting:
            done = yield context.task_any(waiting)
            waiting.remove(done)
        yield context.call_activity("flaky", "end")
        return [task.result["ok"] for task in all_of_them]

    assert outcome(run(flaky.app), "safe")["output"] == ["0", "1", "2", None, "4"]


def test_call_http_that_polls_drifts(run, web_site):
    """The extension polls after a 202 and takes ids for it; Python's SDK does not know."""
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def calling(context):
        yield context.call_http("GET", f"{web_site}/accepted")
        yield context.create_timer(context.current_utc_datetime + timedelta(days=2))

    status = outcome(run(app), "calling")
    assert status["runtimeStatus"] == "Failed"
    assert "waits for a timer under id 1, but the extension has a timer" in status["output"]


def test_call_http_that_answers_at_once_is_fine(run, web_site):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def calling(context):
        response = yield context.call_http("POST", f"{web_site}/echo", {"a": 1}, {"X-Name": "value"})
        return [response["statusCode"], response["content"]]

    assert outcome(run(app), "calling")["output"] == [200, '{"a": 1} value']


def test_call_http_with_a_token_fails_with_a_reason(run, web_site):
    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def calling(context):
        token = df.ManagedIdentityTokenSource("https://management.core.windows.net/")
        yield context.call_http("GET", f"{web_site}/echo", token_source=token)

    assert "needs a managed identity" in outcome(run(app), "calling")["output"]
