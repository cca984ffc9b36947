"""The bench counts what an orchestration costs, whatever the host keeps of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import azure.durable_functions as df
import pytest

from bench.counting import ledger
from clock import ManualClock
from local_host.host import LocalHost

START = datetime(2026, 3, 1, tzinfo=UTC)


def app() -> df.DFApp:
    made = df.DFApp()

    @made.activity_trigger(input_name="number")
    def step(number: int) -> int:
        return number

    @made.orchestration_trigger(context_name="context")
    def round_by_round(context):
        left = context.get_input()
        yield context.call_activity("step", left)
        yield context.create_timer(context.current_utc_datetime + timedelta(minutes=1))
        if left:
            context.continue_as_new(left - 1)

    @made.orchestration_trigger(context_name="context")
    def side_by_side(context):
        yield context.task_all([context.call_activity("step", number) for number in range(3)])

    return made


@pytest.fixture
def host(tmp_path: Path) -> Iterator[LocalHost]:
    with LocalHost(app(), tmp_path / "host.db", clock=ManualClock(START)) as running:
        yield running


def test_every_execution_counts_though_the_host_keeps_only_the_last(host):
    with ledger() as opened:
        host.start_orchestration("round_by_round", 2, "rounds")
        host.run_until(START + timedelta(minutes=5))

    done = opened.instances["rounds"]
    assert done.orchestrator == "round_by_round"
    assert done.steps == {"step": 3}
    # started: 4 events, answered: 4, the timer has fired and the execution ends: 4
    assert list(done.events.values()) == [12, 12, 12]
    assert len(host.history("rounds")) == 12


def test_answers_count_as_if_each_had_come_alone(host):
    with ledger() as opened:
        host.start_orchestration("side_by_side", None, "three")
        host.settle()

    # started with three tasks: 6 events, two answers that are not the last: 3 each, the last: 4
    assert opened.instances["three"].events.total() == 16
    assert opened.instances["three"].steps.total() == 3


def test_watches_are_left_out_and_a_closed_ledger_counts_no_more(host):
    with ledger() as opened:
        host.start_orchestration("side_by_side", None, "three")
        host.start_orchestration("round_by_round", 0, "rounds")
        host.run_until(START + timedelta(minutes=5))
    host.start_orchestration("side_by_side", None, "later")
    host.settle()

    assert [done.orchestrator for done in opened.all_but("side_by_side")] == ["round_by_round"]
    assert opened.instances.keys() == {"three", "rounds"}
