"""A host that ends, or dies, and starts again on the same database."""

import asyncio
import sqlite3
import threading
from datetime import timedelta

import azure.durable_functions as df
import azure.functions as func
import pytest

from local_host.history import EventType
from local_host.host import LocalHost
from local_host.store import DatabaseInUseError, Store
from tests.local_host.client import call
from tests.local_host.conftest import START


@pytest.fixture
def app():
    app = df.DFApp()
    app.runs = []
    app.hold = threading.Event()

    @app.orchestration_trigger(context_name="context")
    def slow(context):
        first = yield context.call_activity("work", "first")
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        second = yield context.call_activity("work", "second")
        return [first, second, str(context.new_guid())[:0]]

    @app.activity_trigger(input_name="name")
    def work(name: str) -> str:
        app.runs.append(name)
        app.hold.wait(20)
        return name

    return app


def output(host):
    return (host.status("s") or {}).get("output")


def test_an_activity_under_way_runs_again_and_nothing_else_does(app, tmp_path, clock):
    host = LocalHost(app, tmp_path / "h.sqlite", clock)
    host.start()
    host.start_orchestration("slow", instance_id="s")
    while not app.runs:
        threading.Event().wait(0.005)
    host.stop()  # the activity is running; its answer is not wanted any more
    app.hold.set()
    with LocalHost(app, tmp_path / "h.sqlite", clock) as host:
        host.run_until(START + timedelta(hours=2))
        assert output(host) == ["first", "second", ""]
    assert app.runs == ["first", "first", "second"]


def test_a_durable_timer_that_came_due_while_the_host_was_down_fires(app, tmp_path, clock):
    app.hold.set()
    with LocalHost(app, tmp_path / "h.sqlite", clock) as host:
        host.start_orchestration("slow", instance_id="s")
        host.settle()
    clock.advance(timedelta(days=1))
    with LocalHost(app, tmp_path / "h.sqlite", clock) as host:
        host.settle()
        assert output(host) == ["first", "second", ""]
    assert app.runs == ["first", "second"]


def test_two_hosts_cannot_share_a_database(app, tmp_path, clock):
    with (
        LocalHost(app, tmp_path / "h.sqlite", clock),
        pytest.raises(DatabaseInUseError, match="Another local host is running"),
    ):
        LocalHost(app, tmp_path / "h.sqlite", clock)


def test_a_transaction_that_fails_leaves_nothing(tmp_path):
    store = Store(tmp_path / "s.sqlite")

    def fail_half_way():
        with store.transaction() as database:
            database.execute("INSERT INTO keys VALUES ('a', 'b')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with store.reading() as database:
        assert database.execute("SELECT count(*) FROM keys").fetchone() == (0,)
    store.close()


def test_queries_use_the_indexes(tmp_path):
    """A million instances must not make the next message slower to find."""
    Store(tmp_path / "s.sqlite").close()
    database = sqlite3.connect(tmp_path / "s.sqlite")
    for query in (
        "SELECT min(visible_at) FROM messages",
        "SELECT instance_id FROM messages WHERE visible_at <= 5 GROUP BY instance_id",
        "SELECT id FROM messages WHERE instance_id = 'x' AND visible_at <= 5 ORDER BY visible_at, id",
        "SELECT * FROM instances WHERE instance_id >= 'a' AND instance_id < 'b' ORDER BY instance_id",
        "SELECT * FROM instances WHERE status IN ('Running') AND created_at >= 'x'",
    ):
        plan = " ".join(row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {query}"))
        assert "SEARCH" in plan or "COVERING INDEX" in plan, (query, plan)
    database.close()


def test_purging_a_running_instance_stops_it(story):
    instance = story.start_orchestration("ticking", 0)
    story.settle()
    purged = call("DELETE", f"{story.url}/durabletask/instances/{instance}").json
    assert purged == {"instancesDeleted": 1}
    story.run_until(START + timedelta(minutes=1))
    assert story.status(instance) is None


def test_functions_that_are_gone_after_a_restart_fail_what_waits_for_them(app, tmp_path, clock):
    host = LocalHost(app, tmp_path / "h.sqlite", clock)
    host.start()
    host.start_orchestration("slow", instance_id="s")
    while not app.runs:
        threading.Event().wait(0.005)
    host.stop()
    app.hold.set()
    changed = df.DFApp()

    @changed.orchestration_trigger(context_name="context")
    def slow(context):
        yield context.call_activity("work", "first")

    with LocalHost(changed, tmp_path / "h.sqlite", clock) as host:
        host.settle()
        status = host.status("s") or {}
    assert status["runtimeStatus"] == "Failed"
    assert "The function 'work' doesn't exist" in status["output"]


def test_an_async_function_under_way_is_cancelled_at_the_end(tmp_path, clock):
    app = func.FunctionApp()
    started = threading.Event()

    @app.timer_trigger(schedule="0 0 * * * *", arg_name="timer", run_on_startup=True)
    async def endless(timer: func.TimerRequest) -> None:
        started.set()
        await asyncio.sleep(3600)

    with LocalHost(app, tmp_path / "h.sqlite", clock):
        assert started.wait(10)


def test_the_start_is_played_before_an_event_that_came_at_once(tmp_path, clock, story):
    host = LocalHost(story.app, tmp_path / "early.sqlite", clock)
    host.start_orchestration("echo", "hello", "e")
    host.raise_event("e", "say", "early")  # the instance is Pending, nothing has been played
    host.start()
    host.settle()
    status = host.status("e") or {}
    host.stop()
    assert status["output"] == ["hello", '"early"']


def test_answers_to_an_earlier_execution_of_an_id_are_dropped(app, tmp_path, clock):
    with LocalHost(app, tmp_path / "h.sqlite", clock) as host:
        for _ in range(2):
            host.start_orchestration("slow", instance_id="s")
            runs = len(app.runs)
            while len(app.runs) == runs:
                threading.Event().wait(0.005)
            if runs == 0:
                call("POST", f"{host.url}/durabletask/instances/s/terminate?reason=again")
                while (host.status("s") or {})["runtimeStatus"] != "Terminated":
                    threading.Event().wait(0.005)
        app.hold.set()  # both activities answer now, the old one and the new one
        host.run_until(START + timedelta(hours=2))
        assert output(host) == ["first", "second", ""]
        answers = [e for e in host.history("s") if e["EventType"] == EventType.TASK_COMPLETED]
        assert [answer["TaskScheduledId"] for answer in answers] == [0, 2]
