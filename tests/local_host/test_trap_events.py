"""External events that come early, twice or never, and what continue-as-new does to them.

The numbers are those of the durable contract: its rules (§2.4), what was found by running (§3), its
pitfalls (§7).
"""

import json
from datetime import timedelta

import azure.durable_functions as df
import pytest

from local_host.extension import Identity
from local_host.history import EventType, event, execution_started
from local_host.replay import replay
from tests.local_host.conftest import START
from tests.local_host.flaky import outcome


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


def test_a_loop_of_continue_as_new_without_a_wait_fails(run, flaky):
    @flaky.orchestrator
    def spinning(context):
        context.continue_as_new((context.get_input() or 0) + 1)

    status = outcome(run(flaky.app), "spinning")
    assert status["runtimeStatus"] == "Failed"
    assert "continued as new 1000 times" in status["output"]
