"""Timer triggers on a clock that is moved, and over restarts."""

from datetime import datetime, timedelta

import azure.durable_functions as df
import azure.functions as func
import pytest

from local_host.host import LocalHost
from local_host.host_files import HostFileError
from local_host.ncrontab import ScheduleError
from tests.local_host.conftest import START


def timer_app(schedule="0 0 2 * * *", **options):
    """An app with one timer; its runs are noted as (moment, past due)."""
    app, runs = func.FunctionApp(), []

    @app.timer_trigger(schedule=schedule, arg_name="timer", **options)
    def nightly(timer: func.TimerRequest) -> None:
        runs.append(timer)

    return app, runs


def past_due(runs):
    return [timer.past_due for timer in runs]


def test_a_timer_runs_at_every_occurrence(run):
    app, runs = timer_app()
    host = run(app)
    host.run_until(START + timedelta(days=90))
    assert past_due(runs) == [False] * 90


def test_occurrences_missed_by_a_jump_are_one_run_that_is_past_due(run, clock):
    app, runs = timer_app()
    host = run(app)
    clock.advance(timedelta(days=5))
    host.settle()
    assert past_due(runs) == [True]
    host.run_until(START + timedelta(days=6))
    assert past_due(runs) == [True, False]


def test_a_run_missed_while_the_host_was_down_comes_at_the_start(tmp_path, clock):
    app, runs = timer_app()
    with LocalHost(app, tmp_path / "t.sqlite", clock) as host:
        host.settle()
    clock.advance(timedelta(days=3))
    with LocalHost(app, tmp_path / "t.sqlite", clock) as host:
        host.settle()
        assert past_due(runs) == [True]
    with LocalHost(app, tmp_path / "t.sqlite", clock) as host:
        host.settle()
    assert len(runs) == 1
    assert runs[0].schedule_status["Next"] == "2026-03-01T02:00:00.0000000Z"


@pytest.mark.parametrize("app_and_runs", [timer_app(use_monitor=False), timer_app("*/30 * * * * *")])
def test_unmonitored_and_frequent_timers_forget_what_they_missed(tmp_path, clock, app_and_runs):
    app, runs = app_and_runs
    with LocalHost(app, tmp_path / "t.sqlite", clock) as host:
        host.settle()
    clock.advance(timedelta(days=3, seconds=1))
    with LocalHost(app, tmp_path / "t.sqlite", clock) as host:
        host.settle()
    assert runs == []


def test_run_on_startup_runs_at_every_start(tmp_path, clock):
    app, runs = timer_app(run_on_startup=True)
    for _ in range(2):
        with LocalHost(app, tmp_path / "t.sqlite", clock) as host:
            host.settle()
    assert past_due(runs) == [False, False]


def test_an_interval_counts_from_the_last_run(run):
    app, runs = timer_app("00:10:00")
    host = run(app)
    host.run_until(START + timedelta(hours=1))
    assert len(runs) == 6


def test_a_timer_that_fails_runs_again_at_the_next_occurrence(run, caplog):
    app, moments = func.FunctionApp(), []

    @app.timer_trigger(schedule="0 0 * * * *", arg_name="timer")
    def failing(timer: func.TimerRequest) -> None:
        moments.append(timer)
        raise ValueError("not tonight")

    run(app).run_until(START + timedelta(hours=3))
    assert len(moments) == 3
    assert "timer failing failed: ValueError: not tonight" in caplog.text


def test_an_async_timer_starts_an_orchestration(run):
    app = df.DFApp()

    @app.timer_trigger(schedule="0 */5 * * * *", arg_name="timer")
    @app.durable_client_input(client_name="client")
    async def tick(timer, client):
        await client.start_new("trivial")

    @app.orchestration_trigger(context_name="context")
    def trivial(context):
        return "done"

    host = run(app)
    host.run_until(START + timedelta(hours=1))
    assert [status["output"] for status in host.statuses()] == ["done"] * 12


def test_the_schedule_may_be_a_setting(run, monkeypatch):
    app, runs = timer_app("%NIGHT%")
    monkeypatch.setenv("NIGHT", "0 0 3 * * *")
    run(app).run_until(START + timedelta(hours=3))
    assert len(runs) == 1


def test_a_missing_setting_and_a_wrong_schedule_stop_the_start(run):
    with pytest.raises(HostFileError, match="names the setting NOWHERE, which is not set"):
        run(timer_app("%NOWHERE%")[0])
    with pytest.raises(ScheduleError, match="found 3"):
        run(timer_app("0 0 0")[0])


def test_a_time_zone_is_refused(run, monkeypatch):
    monkeypatch.setenv("WEBSITE_TIME_ZONE", "W. Europe Standard Time")
    with pytest.raises(ScheduleError, match="UTC only"):
        run(timer_app()[0])


def test_timers_can_be_left_out(tmp_path, clock):
    app, runs = timer_app()
    with LocalHost(app, tmp_path / "t.sqlite", clock, run_timers=False) as host:
        host.run_until(START + timedelta(days=3))
    assert runs == []


def test_two_runs_of_one_timer_never_overlap(run, clock):
    app = func.FunctionApp()
    overlaps: list[int] = []
    running: list[func.TimerRequest] = []

    @app.timer_trigger(schedule="* * * * * *", arg_name="timer")
    def slow(timer: func.TimerRequest) -> None:
        overlaps.append(len(running))
        running.append(timer)
        clock.advance(timedelta(seconds=3))  # three more occurrences pass meanwhile
        running.pop()

    host = run(app)
    clock.advance(timedelta(seconds=1))
    host.settle()
    assert overlaps == [0]
    assert host.clock.now() - START == timedelta(seconds=4)
    assert isinstance(host.clock.now(), datetime)
