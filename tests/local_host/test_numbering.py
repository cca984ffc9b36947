"""SDK and extension agree on every program that has no trap in it, whatever the order in which answers come.

Random programs of activities, timers, sub-orchestrations, retries, task_all and task_any are played without
storage. The drift check must stay silent on all of them: a false alarm would fail an instance that works in
Azure.
"""

from __future__ import annotations

import random
from datetime import timedelta

import azure.durable_functions as df
from hypothesis import given, settings
from hypothesis import strategies as st

from local_host.durable_task import Action, Kind
from local_host.episode import Episode, Orchestrators, Past, play
from local_host.extension import Identity, KnownFunctions
from local_host.history import Event, EventType, event, execution_started
from tests.local_host.conftest import START

RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=10, max_number_of_attempts=3)
leaves = st.sampled_from(["activity", "retry", "timer", "sub"])
steps = st.one_of(
    leaves.map(lambda leaf: (leaf,)),
    st.lists(leaves, min_size=1, max_size=4).map(lambda children: ("all", children)),
    st.lists(st.sampled_from(["activity", "timer", "sub"]), min_size=1, max_size=4).map(lambda c: ("any", c)),
)
programs = st.lists(steps, min_size=1, max_size=6)


def task(context, kind):
    """One task of a program; the kinds are the names of the sampled leaves."""
    if kind == "timer":
        return context.create_timer(context.current_utc_datetime + timedelta(minutes=1))
    if kind == "retry":
        return context.call_activity_with_retry("work", RETRY, kind)
    return (
        context.call_activity("work", kind)
        if kind == "activity"
        else context.call_sub_orchestrator("child", kind)
    )


def orchestrator(program):
    """The program as an orchestrator. Only retried activities fail, and never as often as they may: beside
    siblings that still retry, a failure that is caught would be a trap."""

    def function(context):
        for kind, *children in program:
            if children:
                combine = context.task_all if kind == "all" else context.task_any
                yield combine([task(context, child) for child in children[0]])
            else:
                yield task(context, kind)
        return len(program)

    app = df.DFApp()
    app.orchestration_trigger(context_name="context")(function)
    return app.get_functions()[0].get_user_function()


class World:
    """Answers what an orchestration asks for, in random order and batches; fails retried activities once or
    twice."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._failures = 0
        self.open: list[Action] = []

    def answers(self) -> list[Event]:
        """Answer some of what is open."""
        self._chance.shuffle(self.open)
        count = self._chance.randint(1, len(self.open))
        answered, self.open = self.open[:count], self.open[count:]
        return [self._answer(action) for action in answered]

    def _answer(self, action: Action) -> Event:
        if action.kind is Kind.TIMER:
            return event(EventType.TIMER_FIRED, START, TimerId=action.id)
        if action.kind is Kind.SUB_ORCHESTRATION:
            return event(EventType.SUB_ORCHESTRATION_COMPLETED, START, TaskScheduledId=action.id, Result="1")
        if "retry" in (action.input or "") and self._failures < 2 and self._chance.random() < 0.4:
            self._failures += 1  # three attempts of one activity cannot all fail
            return event(EventType.TASK_FAILED, START, TaskScheduledId=action.id, Reason="no", Details="")
        return event(EventType.TASK_COMPLETED, START, TaskScheduledId=action.id, Result="1")


@settings(max_examples=150, deadline=None)
@given(programs, st.integers(0, 2**32))
def test_programs_without_a_trap_complete(program, seed):
    functions = Orchestrators(
        {"program": orchestrator(program)}, KnownFunctions(["work"], ["program", "child"])
    )
    identity, world, past = Identity("it", "x"), World(seed), Past()
    messages = [execution_started(START, "it", "x", "program", None)]
    episode: Episode | None = None
    while episode is None or not episode.is_over:
        episode = play(functions, identity, past, messages, START)
        past = past.extended(episode.events)
        world.open += [action for _, action in episode.actions]
        messages = world.answers() if world.open else []
    assert (episode.status, episode.output) == ("Completed", str(len(program)))
    ids = [action for item in past.events if (action := item["EventId"]) >= 0]
    assert ids == list(range(len(ids)))
