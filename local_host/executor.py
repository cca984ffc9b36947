"""Delivers one execution's history to the extension and decides what the episode leads to.

Emulates TaskOrchestrationExecutor of DurableTask.Core: events one by one, in order; an instance completes,
fails or continues as new only when no task is open; suspended instances park what arrives; termination wins
over everything.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local_host import traps
from local_host.durable_task import CONFIRMATIONS, Action, NonDeterministicError, TaskFailedError
from local_host.extension import Extension
from local_host.history import Event, EventType, moment
from local_host.promises import Awaiting, Promise, run
from local_host.replay import SdkAnswer
from local_host.tokens import as_newtonsoft_reads

MAX_CUSTOM_STATUS_KB = 16


@dataclass(frozen=True)
class Completion:
    """How an execution ended.

    `output` is the text that Azure stores: JSON of the result, or plain words of a failure; for
    ContinuedAsNew the next input.
    """

    status: str
    output: str | None


@dataclass
class Decision:
    """What one episode leads to."""

    actions: list[Action] = field(default_factory=list)
    """Asked for in this episode, in order of their ids."""
    completion: Completion | None = None
    carried: list[Event] = field(default_factory=list)
    """Events that arrived after continue-as-new was reached, for the next generation."""
    is_suspended: bool = False
    custom_status: str | None = None
    """JSON text, or None where the code sets none: then Azure clears it."""


class OrchestrationFailure(Exception):
    """The orchestrator function raised; the text is the output of the failed instance."""


class Executor:
    """Plays one execution: all of its past events and the new ones, against one answer of the SDK."""

    def __init__(self, extension: Extension, answer: SdkAnswer) -> None:
        self.extension = extension
        self.main: Promise | None = None
        self._answer = answer
        self._name = ""
        self._is_suspended = False
        self._parked_events: list[Event] = []
        self._parked_actions: dict[int, Action] = {}
        self._terminated: Event | None = None
        self._decision = Decision()

    def play(self, events: list[Event]) -> Decision:
        """Deliver the events and decide.

        Raises traps.TrapError where Azure would hang; non-determinism is a decision: the instance fails.
        """
        decision = self._decision
        try:
            for event in events:
                self._deliver(event)
                if self.extension.trap:
                    raise self.extension.trap
            decision.completion = self._completion()
        except NonDeterministicError as error:
            text = f"Non-Deterministic workflow detected: {error}{self._cause()}"
            decision.completion = Completion("Failed", text)
        decision.actions = [action for _, action in sorted(self.extension.tasks.unconfirmed.items())]
        decision.is_suspended = self._is_suspended
        return decision

    def _cause(self) -> str:
        """What went wrong really, where Azure blames the history because no action could be replayed."""
        error = self.main.error if self.main is not None else None
        return f" (The cause: {error})" if isinstance(error, OrchestrationFailure) else ""

    def _completion(self) -> Completion | None:
        if self._terminated is not None:
            return Completion("Terminated", self._terminated.get("Input"))
        if self.extension.tasks.open or self.main is None or not self.main.is_done:
            return None
        if isinstance(self.main.error, traps.TrapError):
            raise self.main.error
        if self.main.error is not None:
            return Completion("Failed", str(self.main.error))
        if self.extension.continued_with is not None:
            return Completion("ContinuedAsNew", self.extension.continued_with)
        return Completion("Completed", self.main.value)

    def _run_main(self) -> Awaiting:
        """Replay the SDK's actions, then take over its outcome (ScheduleDurableTaskEvents)."""
        answer = self._answer
        if answer.crash is not None:
            raise OrchestrationFailure(f"Orchestrator function '{self._name}' failed: {answer.crash}")
        self._decision.custom_status = self._custom_status(answer.custom_status)
        yield from self.extension.carry_out(answer.actions)
        if answer.error:
            raise OrchestrationFailure(f"Orchestrator function '{self._name}' failed: {answer.error}")
        if not answer.is_done:
            yield Promise()  # Task.Delay(Timeout.Infinite): there is more to come
        return None if answer.output is None else json.dumps(as_newtonsoft_reads(answer.output))

    def _custom_status(self, status: Any) -> str | None:
        if status is None:
            return None
        text = json.dumps(as_newtonsoft_reads(status), separators=(",", ":"), ensure_ascii=False)
        size_kb = len(text.encode("utf-16-le")) // 1024
        if size_kb > MAX_CUSTOM_STATUS_KB:
            raise OrchestrationFailure(
                f"Orchestrator function '{self._name}' failed: The UTF-16 size of the JSON-serialized "
                f"payload must not exceed {MAX_CUSTOM_STATUS_KB} KB. The current payload size is {size_kb} "
                "KB. (Set a smaller custom status: ids and counts, no contents.)"
            )
        return text

    def _deliver(self, event: Event) -> None:
        kind = EventType(event["EventType"])
        if self._is_suspended and kind not in _HEARD_WHILE_SUSPENDED:
            if kind is not EventType.EXECUTION_SUSPENDED:
                self._parked_events.append(event)
        elif kind in CONFIRMATIONS:
            self.extension.tasks.confirm(event)
        elif kind in _DELIVERIES:
            _DELIVERIES[kind](self, event)

    def _start(self, event: Event) -> None:
        self._name = event["Name"]
        self.main = run(self._run_main())

    def _tick(self, event: Event) -> None:
        self.extension.now = moment(event["Timestamp"])

    def _complete(self, event: Event) -> None:
        self.extension.tasks.answer(event["TaskScheduledId"], event.get("Result"))

    def _fail(self, event: Event) -> None:
        self.extension.tasks.answer(event["TaskScheduledId"], error=TaskFailedError(event.get("Reason")))

    def _fire(self, event: Event) -> None:
        self.extension.tasks.answer(event["TimerId"])

    def _raise_event(self, event: Event) -> None:
        if self.extension.continued_with is not None:
            self._decision.carried.append(event)
        else:
            self.extension.events.raise_event(event["Name"], event.get("Input"))

    def _terminate(self, event: Event) -> None:
        self._terminated = self._terminated or event

    def _suspend(self, event: Event) -> None:
        self._is_suspended = True
        unconfirmed = self.extension.tasks.unconfirmed
        self._parked_actions.update(unconfirmed)
        unconfirmed.clear()

    def _resume(self, event: Event) -> None:
        self._is_suspended = False
        self.extension.tasks.unconfirmed.update(self._parked_actions)
        self._parked_actions.clear()
        parked, self._parked_events = self._parked_events, []
        for waiting in parked:
            self._deliver(waiting)


_HEARD_WHILE_SUSPENDED = {
    EventType.EXECUTION_RESUMED,
    EventType.EXECUTION_TERMINATED,
    EventType.ORCHESTRATOR_STARTED,
}

_DELIVERIES: dict[EventType, Callable[[Executor, Event], None]] = {
    EventType.ORCHESTRATOR_STARTED: Executor._tick,
    EventType.EXECUTION_STARTED: Executor._start,
    EventType.TASK_COMPLETED: Executor._complete,
    EventType.TASK_FAILED: Executor._fail,
    EventType.SUB_ORCHESTRATION_COMPLETED: Executor._complete,
    EventType.SUB_ORCHESTRATION_FAILED: Executor._fail,
    EventType.TIMER_FIRED: Executor._fire,
    EventType.EVENT_RAISED: Executor._raise_event,
    EventType.EXECUTION_TERMINATED: Executor._terminate,
    EventType.EXECUTION_SUSPENDED: Executor._suspend,
    EventType.EXECUTION_RESUMED: Executor._resume,
}
