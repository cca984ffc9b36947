"""Retries, lost timers and failed fan-outs: where numbering drifts, the orchestration fails and says why.

The numbers are those of the durable contract: its rules (§2.4), what was found by running (§3), its
pitfalls (§7).
"""

from datetime import timedelta

import azure.durable_functions as df

from local_host.history import EventType
from tests.local_host.conftest import START
from tests.local_host.flaky import RETRY, outcome


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


def test_a_retry_interval_above_six_days_fails(run, flaky):
    @flaky.orchestrator
    def patient(context):
        yield context.call_activity_with_retry("flaky", df.RetryOptions(7 * 86_400_000, 2), "a")

    status = outcome(run(flaky.app), "patient")
    assert "more than 6 days" in status["output"]


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
