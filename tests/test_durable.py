"""What orchestrators may rely on: failures are repeated when their time has come, and looks come to an end.

All of it runs on the local host, on a clock that stands still until the host has nothing to do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clock import ManualClock
from domain.errors import Refused, Transient
from durable import (
    Context,
    Done,
    Failed,
    Outcome,
    Pace,
    Steps,
    activity,
    call,
    gather,
    insist,
    orchestration,
    poll,
)
from durable.patience import LONGEST_NAMED, LONGEST_REPEATING, MOST_REPETITIONS, Attempt
from local_host.app import describe_app
from local_host.determinism import check_history
from local_host.host import LocalHost

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PACE = Pace(first=timedelta(seconds=5), longest=5 * MINUTE, within=2 * HOUR)

Answers = list[int | Exception]


@dataclass
class Asking:
    """An app whose one activity answers as it was told to, per item; the last answer is repeated for ever."""

    directory: Path
    script: dict[str, Answers] = field(default_factory=dict)
    asked: dict[str, list[timedelta]] = field(default_factory=lambda: defaultdict(list))
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))

    def run(self, name: str, items: Any, meanwhile: Callable[[LocalHost], None] = lambda host: None) -> Any:
        """Run an orchestration to its end; return its reply. Its history must replay.

        `meanwhile` happens after a minute.
        """
        app = describe_app(self._app())
        with LocalHost(app, self.directory / "host.sqlite", self.clock) as host:
            instance = host.start_orchestration(name, items)
            host.run_until(START + MINUTE)
            meanwhile(host)
            host.run_until(START + timedelta(days=14))
            status, history = host.status(instance), host.history(instance)
        assert check_history(app, history) == []
        assert status is not None
        assert status["runtimeStatus"] == "Completed", status["output"]
        return status["output"]

    def _answer(self, item: str) -> int:
        self.asked[item].append(self.clock.now() - START)
        answers = self.script[item]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _app(self) -> df.DFApp:
        steps, app = df.Blueprint(), df.DFApp()

        @activity(steps)
        def ask(item: str) -> int:
            return self._answer(item)

        @orchestration(steps)
        def gathering(context: Context, items: list[str]) -> Steps[list[int | str]]:
            return told((yield from gather(context, ask, items)))

        @orchestration(steps)
        def calling(context: Context, item: str) -> Steps[int]:
            return (yield from call(context, ask, item))

        @orchestration(steps)
        def parting(context: Context, items: list[str]) -> Steps[list[int | str]]:
            return told((yield from gather(context, calling, items)))

        @orchestration(steps)
        def insisting(context: Context, item: str) -> Steps[int]:
            return (yield from insist(context, ask, item))

        @orchestration(steps)
        def polling(context: Context, known: dict[str, int | str]) -> Steps[list[int | str]]:
            begun: list[Outcome[int]] = [
                Done(seen) if isinstance(seen, int) else Failed("Refused", seen) for seen in known.values()
            ]
            latest = yield from poll(
                context, ask, list(known), known=begun, until=lambda percent: percent >= 100, pace=PACE
            )
            return told(latest)

        app.register_functions(steps)
        return app


def told(outcomes: list[Outcome[int]]) -> list[int | str]:
    """Return the values of what succeeded, and the reasons of what did not."""
    return [
        outcome.value if isinstance(outcome, Done) else outcome.message + ", transient" * outcome.is_transient
        for outcome in outcomes
    ]


@pytest.fixture
def asking(tmp_path: Path) -> Asking:
    return Asking(tmp_path)


def busy(wait: timedelta | None = None) -> Transient:
    return Transient("TooManyRequests", "too many requests", wait)


def test_a_transient_failure_is_asked_again_after_waits_that_double(asking):
    asking.script["one"] = [busy(), busy(), busy(), 7]
    assert asking.run("calling", "one") == {"done": 7}
    assert [span.total_seconds() for span in asking.asked["one"]] == [0, 5, 15, 35]


def test_what_is_refused_is_not_asked_again(asking):
    asking.script["one"] = [Refused("QuotaExceeded", "no disk left")]
    assert asking.run("calling", "one") == {"failed": {"code": "QuotaExceeded", "message": "no disk left"}}
    assert len(asking.asked["one"]) == 1


def test_what_stays_transient_is_given_up_after_ten_repetitions_and_says_that_it_may_pass(asking):
    asking.script["one"] = [busy()]
    (told,) = asking.run("gathering", ["one"])["done"]
    assert told == "too many requests (still so after many tries), transient"
    assert len(asking.asked["one"]) == 1 + MOST_REPETITIONS


@pytest.mark.parametrize(
    ("named", "asked_again"),
    [
        (20 * MINUTE, 20 * MINUTE),  # the longest that Azure documents
        (90 * MINUTE, 90 * MINUTE),  # longer than our own patience: Azure knows better
        (6 * HOUR, 6 * HOUR),
        (48 * HOUR, 6 * HOUR),  # nobody documents such a time: asked at our limit
        (timedelta(seconds=1), timedelta(seconds=5)),  # never sooner than our own back-off
    ],
)
def test_the_time_that_azure_names_passes_before_anybody_gives_up(asking, named, asked_again):
    asking.script["one"] = [busy(named), 7]
    assert asking.run("calling", "one") == {"done": 7}
    assert asking.asked["one"] == [timedelta(0), asked_again]


def test_a_time_named_at_the_last_repetition_is_waited_for_too(asking):
    asking.script["one"] = [*(busy() for _ in range(MOST_REPETITIONS)), busy(20 * MINUTE), 7]
    assert asking.run("calling", "one") == {"done": 7}
    assert asking.asked["one"][-1] - asking.asked["one"][-2] == 20 * MINUTE


def test_a_time_that_azure_names_again_and_again_is_not_waited_for_without_end(asking):
    asking.script["one"] = [busy(2 * HOUR)]
    (told,) = asking.run("gathering", ["one"])["done"]
    assert told.endswith("transient")
    assert asking.asked["one"] == [timedelta(0), 2 * HOUR]


def test_one_that_must_wait_long_does_not_keep_another_waiting(asking):
    asking.script |= {"throttled": [busy(20 * MINUTE), 1], "cut off": [busy(), 2], "well": [3]}
    assert asking.run("gathering", ["throttled", "cut off", "well"])["done"] == [1, 2, 3]
    assert asking.asked == {
        "throttled": [timedelta(0), 20 * MINUTE],
        "cut off": [timedelta(0), timedelta(seconds=5)],
        "well": [timedelta(0)],
    }


def test_insisting_outlasts_an_outage_of_a_day(asking):
    asking.script["one"] = [*(busy(2 * HOUR) for _ in range(2 * 9)), 7]
    assert asking.run("insisting", "one") == {"done": 7}
    assert asking.asked["one"][-1] >= timedelta(days=1)


def test_one_that_is_ended_from_outside_keeps_nobody_from_what_the_others_came_to(asking):
    asking.script |= {"slow": [busy(20 * MINUTE), 1], "ended": [busy(20 * MINUTE), 2], "quick": [3]}

    def end_one(host: LocalHost) -> None:
        children = (each for each in host.statuses() if each["name"] == "calling")
        [ended] = [child["instanceId"] for child in children if "ended" in str(child["input"])]
        host.terminate(ended, "by hand")

    done = asking.run("parting", ["slow", "ended", "quick"], end_one)["done"]
    assert (done[0], done[2]) == (1, 3)
    assert done[1].startswith("it was ended from outside: ")
    assert "by hand" in done[1]


def test_nothing_to_gather_is_an_empty_list(asking):
    assert asking.run("gathering", []) == {"done": []}


def test_more_than_can_be_gathered_at_once_is_an_error_of_the_caller(asking):
    assert "the most is 100" in asking.run("gathering", ["one"] * 101)["failed"]["message"]


def test_things_are_looked_at_until_all_are_over_and_only_those_that_are_not(asking):
    asking.script |= {"slow": [10, 60, 100], "fast": [100]}
    known = {"slow": 0, "fast": 0, "ready": 100, "refused": "no"}
    assert asking.run("polling", known)["done"] == [100, 100, 100, "no"]
    assert [span.total_seconds() for span in asking.asked["slow"]] == [5, 15, 35]
    assert [span.total_seconds() for span in asking.asked["fast"]] == [5]
    assert set(asking.asked) == {"slow", "fast"}


def test_what_is_over_from_the_beginning_costs_no_look_and_no_time(asking):
    assert asking.run("polling", {"ready": 100, "refused": "no"})["done"] == [100, "no"]
    assert not asking.asked


def test_nothing_to_look_at_is_an_empty_list(asking):
    assert asking.run("polling", {})["done"] == []


def test_looks_grow_rarer_up_to_the_longest_pause_and_end(asking):
    asking.script["stuck"] = [99]
    assert asking.run("polling", {"stuck": 0})["done"] == [99]
    pauses = [later - earlier for earlier, later in pairwise(asking.asked["stuck"])]
    assert pauses[:2] == [timedelta(seconds=10), timedelta(seconds=20)]
    assert max(pauses) == pauses[-1] == PACE.longest
    assert PACE.within <= asking.asked["stuck"][-1] < PACE.within + PACE.longest


def test_a_look_that_is_refused_ends_the_looking_at_that_thing_alone(asking):
    asking.script |= {"gone": [Refused("NotThere", "it is gone")], "slow": [50, 100]}
    assert asking.run("polling", {"gone": 0, "slow": 0})["done"] == ["it is gone", 100]
    assert len(asking.asked["gone"]) == 1


def test_a_look_that_got_no_answer_for_an_hour_is_made_again(asking):
    asking.script["far"] = [*(busy() for _ in range(1 + MOST_REPETITIONS)), 100]
    assert asking.run("polling", {"far": 0})["done"] == [100]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, 0.0, 1.0, 1200.0, 3600.0, 7200.0, 21600.0, 1e6]),
            st.floats(min_value=0, max_value=60),
        ),
        min_size=40,
        max_size=40,
    )
)
def test_asking_ends_but_never_before_a_named_time_has_come_once(answers):
    now, attempt, waited = START, Attempt.first(START), []
    for named, seconds in answers:
        if attempt.due is None:
            break
        now = max(now, attempt.due) + timedelta(seconds=seconds)
        attempt = attempt.replied({"transient": {"delay_seconds": named}}, now)
        if attempt.due:
            waited.append((named or 0, attempt.due - now))
    assert attempt.due is None
    assert len(waited) <= MOST_REPETITIONS + 1
    assert all(wait >= min(timedelta(seconds=asked), LONGEST_NAMED) for asked, wait in waited)
    assert now - START <= LONGEST_REPEATING + LONGEST_NAMED + 12 * MINUTE
    if answers[len(waited)][0]:  # given up although a time was named: one past our patience was waited for
        assert attempt.has_overrun
