"""One episode of an orchestration: new messages in, what to write and what to start out. Touches no storage.

An episode replays the function once, plays its answer against the history, and, where the function continued
as new, goes straight on with the next generation in the same work item, as the Durable Task Framework does.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from local_host import drift, traps
from local_host.durable_task import Action, Kind
from local_host.executor import Completion, Decision, Executor
from local_host.extension import Extension, Identity, KnownFunctions
from local_host.history import (
    SCHEDULING,
    Event,
    EventType,
    event,
    execution_started,
    started_event,
    timestamp,
)
from local_host.replay import SdkAnswer, replay
from local_host.versions import MISMATCH, OUTPUT

log = logging.getLogger("local_host")

_END = EventType.EXECUTION_COMPLETED
MAX_GENERATIONS = 1000
"""Generations without a wait in between, after which a loop is taken for endless (our own choice)."""


@dataclass
class Past:
    """The history of an execution so far: as events, and as the JSON text that the SDK gets, one for one."""

    events: list[Event] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def extended(self, events: list[Event]) -> Past:
        """The past of the next episode; what is past has been played."""
        played = [{**item, "IsPlayed": True} for item in events]
        return Past([*self.events, *played], [*self.texts, *map(json.dumps, played)])


@dataclass(frozen=True)
class Orchestrators:
    """The orchestrator functions by name, in lower case, and all the names that they may call."""

    handles: dict[str, Callable[..., Any]]
    known: KnownFunctions


@dataclass
class Episode:
    """What became of one episode. `events` are to be appended to the history of `execution_id`."""

    execution_id: str
    events: list[Event]
    actions: list[tuple[str, Action]]
    """What to start, each with the execution that asked for it."""
    started: Event
    """The ExecutionStarted event of the execution."""
    status: str
    output: str | None = None
    custom_status: str | None = None
    failure_details: dict[str, Any] | None = None
    """What it failed of, where the framework itself says so: then its parent gets no reason."""
    generations: int = 0
    """How often it continued as new; if it did, the earlier history goes."""
    notes: list[str] = field(default_factory=list)
    """What the developer should read in the log."""

    @property
    def is_over(self) -> bool:
        """True once the instance has ended."""
        return self.status not in ("Running", "Suspended")

    def failed(self, trap: traps.TrapError, now: datetime) -> Episode:
        """The same episode, ended by a trap that only the store could see; nothing is started."""
        kept = [item for item in self.events if item["EventType"] not in SCHEDULING]
        end = event(EventType.EXECUTION_COMPLETED, now, OrchestrationStatus="Failed", Result=str(trap))
        return replace(
            self,
            events=[*kept[:-1], end, kept[-1]],
            actions=[],
            status="Failed",
            output=str(trap),
            notes=[*self.notes, str(trap)],
        )


def play(
    orchestrators: Orchestrators, identity: Identity, past: Past, messages: list[Event], now: datetime
) -> Episode:
    """Play new events on top of `past`; one of the two has the ExecutionStarted event."""
    carried_status: str | None = None
    actions: list[tuple[str, Action]] = []
    for generation in range(MAX_GENERATIONS):
        turn = _Turn(orchestrators, identity, past, [event(EventType.ORCHESTRATOR_STARTED, now), *messages])
        decision = turn.decide()
        actions += [(identity.execution_id, action) for action in decision.actions]
        status = decision.custom_status or carried_status
        completion = decision.completion
        if completion is None or completion.status != "ContinuedAsNew":
            return turn.episode(decision, actions, status, generation, now)
        carried_status = status
        identity, messages = _next_generation(turn, identity, decision, now)
        past = Past()
    trap = traps.endless_generations(MAX_GENERATIONS)
    return turn.episode(Decision(completion=Completion("Failed", str(trap))), [], None, generation, now)


def refuse(identity: Identity, past: Past, messages: list[Event], now: datetime) -> Episode:
    """Fail an instance of a version that this host does not execute; what arrived stays in its history."""
    started = started_event(past.events[:2]) or started_event(messages)
    assert started is not None
    end = event(
        EventType.EXECUTION_COMPLETED, now, OrchestrationStatus="Failed", Result=None, FailureDetails=MISMATCH
    )
    return Episode(
        execution_id=identity.execution_id,
        events=[
            event(EventType.ORCHESTRATOR_STARTED, now),
            *messages,
            end,
            event(EventType.ORCHESTRATOR_COMPLETED, now),
        ],
        actions=[],
        started=started,
        status="Failed",
        output=OUTPUT,
        failure_details=MISMATCH,
    )


def is_refused(events: list[Event]) -> bool:
    """Whether these are the events of an episode that `refuse` made: no orchestrator was called in it."""
    return any(item.get("FailureDetails") == MISMATCH for item in events if item["EventType"] == _END)


def _next_generation(
    turn: _Turn, identity: Identity, decision: Decision, now: datetime
) -> tuple[Identity, list[Event]]:
    """Same instance id, new execution id, a history that starts anew; late events are carried over."""
    assert decision.completion is not None
    following = Identity(identity.instance_id, uuid.uuid4().hex, identity.parent_instance_id)
    old = turn.started
    started = execution_started(
        now,
        identity.instance_id,
        following.execution_id,
        old["Name"],
        decision.completion.output,
        old.get("Version"),
        old.get("ParentInstance"),
    )
    return following, [started, *decision.carried]


class _Turn:
    """One replay of one execution."""

    def __init__(
        self, orchestrators: Orchestrators, identity: Identity, past: Past, new_events: list[Event]
    ) -> None:
        self._orchestrators = orchestrators
        self._identity = identity
        self._past = past
        self._new_events = new_events
        started = started_event(past.events[:2]) or started_event(new_events)
        if started is None:
            raise ValueError(f"The history of '{identity.instance_id}' has no ExecutionStarted event.")
        self.started: Event = started
        self.notes: list[str] = []

    def decide(self) -> Decision:
        """Replay, play, compare; a trap, or an error of the host itself, fails the instance."""
        try:
            answer = self._replay()
            executor = Executor(Extension(self._identity, self._orchestrators.known), answer)
            decision = executor.play([*self._past.events, *self._new_events])
            drift.check_early_events(answer)
            if decision.completion is None and not decision.is_suspended:
                drift.check(answer, executor, self._new_events)
                self._note_delays(answer, executor)
            return decision
        except traps.TrapError as trap:
            self.notes.append(str(trap))
            return Decision(completion=Completion("Failed", str(trap)))
        except Exception as error:
            log.exception("the local host itself failed to play '%s'", self._identity.instance_id)
            problem = (
                f"The local host itself failed: {type(error).__name__}: {error}. Its log has the details."
            )
            return Decision(completion=Completion("Failed", problem))

    def _replay(self) -> SdkAnswer:
        name = self.started["Name"]
        self._orchestrators.known.check(name, "orchestrator")
        return replay(
            self._orchestrators.handles[name.lower()],
            self._identity,
            [*self._past.texts, *map(json.dumps, self._new_events)],
            self.started.get("Input"),
            is_replaying=bool(self._past.events),
        )

    def _note_delays(self, answer: SdkAnswer, executor: Executor) -> None:
        still_open = executor.extension.tasks.open
        if (answer.is_done or answer.error) and still_open:
            tasks = ", ".join(str(executor.extension.tasks.all[task_id]) for task_id in still_open)
            self.notes.append(traps.FINISHED_BUT_OPEN.format(open=tasks))
        if drift.cancelled_long_timers(answer):
            self.notes.append(traps.LONG_TIMER_CANCELLED)

    def episode(
        self,
        decision: Decision,
        actions: list[tuple[str, Action]],
        custom_status: str | None,
        generations: int,
        now: datetime,
    ) -> Episode:
        """Put the decision into the form that is stored."""
        own = [action for execution_id, action in actions if execution_id == self._identity.execution_id]
        events = [*self._new_events, *(scheduling_event(action, now) for action in own)]
        completion = decision.completion
        status, output = "Suspended" if decision.is_suspended else "Running", None
        if completion is not None:
            status, output = completion.status, completion.output
            events.append(
                event(EventType.EXECUTION_COMPLETED, now, OrchestrationStatus=status, Result=output)
            )
        events.append(event(EventType.ORCHESTRATOR_COMPLETED, now))
        return Episode(
            execution_id=self._identity.execution_id,
            events=events,
            actions=actions,
            started=self.started,
            status=status,
            output=output,
            custom_status=custom_status,
            generations=generations,
            notes=self.notes,
        )


def scheduling_event(action: Action, now: datetime) -> Event:
    """The event by which history records that something was asked for."""
    if action.kind is Kind.ACTIVITY:
        return event(
            EventType.TASK_SCHEDULED, now, action.id, Name=action.name, Version="", Input=action.input
        )
    if action.kind is Kind.TIMER:
        assert action.fire_at is not None
        return event(EventType.TIMER_CREATED, now, action.id, FireAt=timestamp(action.fire_at))
    if action.kind is Kind.SUB_ORCHESTRATION:
        return event(
            EventType.SUB_ORCHESTRATION_CREATED,
            now,
            action.id,
            Name=action.name,
            Version=action.version,
            InstanceId=action.target,
            Input=action.input,
        )
    return event(
        EventType.EVENT_SENT, now, action.id, InstanceId=action.target, Name=action.name, Input=action.input
    )
