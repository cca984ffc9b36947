"""One replay of an orchestrator by the real Durable SDK.

The steps are those of `Orchestrator.create`'s handle (azure-functions-durable 1.7.0), which is what the
Python worker calls; they are taken one by one here to keep the SDK's context, because `drift` compares its
ids with the extension's. The context is built from JSON text, as in Azure, so that nothing passes which JSON
cannot carry.
"""

from __future__ import annotations

import functools
import importlib
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from azure.durable_functions.models.DurableOrchestrationContext import DurableOrchestrationContext
from azure.durable_functions.orchestrator import Orchestrator

from local_host import traps
from local_host.extension import Identity

# Every replay parses the timestamp of every event, which is four fifths of the SDK's time; the texts are the
# same
# from replay to replay, and parsing depends on nothing else, so remembering them changes nothing but the
# speed.
_history_event: Any = importlib.import_module("azure.durable_functions.models.history.HistoryEvent")
_history_event.dt_parse = functools.lru_cache(maxsize=65536)(_history_event.dt_parse)

_OUT_OF_PROC = "\n\n$OutOfProcData$:"


@dataclass(frozen=True)
class SdkState:
    """What the SDK knows at the end of a replay: its context and the task that the function waits for."""

    open_tasks: dict[Any, Any] = field(default_factory=dict)
    current_task: Any = None
    early_events: EarlyEvents | None = None


@dataclass(frozen=True)
class SdkAnswer:
    """What the SDK answers: all actions since the start, and the outcome so far.

    `error` is what the function raised; `crash` is anything else that went wrong, where there are no actions
    to replay.
    """

    actions: list[dict[str, Any]] = field(default_factory=list)
    is_done: bool = False
    output: Any = None
    error: str | None = None
    custom_status: Any = None
    crash: str | None = None
    state: SdkState = field(default_factory=SdkState)


class EarlyEvents(dict[Any, Callable[[], None]]):
    """Watches the SDK's `deferred_tasks`, where it keeps events that came before anyone waited for them.

    The SDK keeps one per name and never drops it. A second one that overwrites it is lost; one that is taken
    twice satisfies a wait that the extension does not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trap: traps.TrapError | None = None
        self._overwritten: set[Any] = set()
        self._taken: set[Any] = set()

    def __setitem__(self, name: Any, complete: Callable[[], None]) -> None:
        if name in self and name not in self._taken:
            self._overwritten.add(name)
        self._taken.discard(name)
        super().__setitem__(name, complete)

    def __getitem__(self, name: Any) -> Callable[[], None]:
        if isinstance(name, str):
            if name in self._overwritten:
                self.trap = self.trap or traps.lost_event(name)
            elif name in self._taken:
                self.trap = self.trap or traps.reused_event(name)
            self._taken.add(name)
        return super().__getitem__(name)


def replay(
    handle: Callable[..., Any],
    identity: Identity,
    history: Sequence[str],
    input_text: str | None,
    is_replaying: bool,
) -> SdkAnswer:
    """Run the function `handle` (as registered by the decorator) over a history of events in JSON text."""
    quiet_sdk_advice()
    early_events = EarlyEvents()
    context: Any = None
    orchestrator = Orchestrator(handle.orchestrator_function)  # type: ignore[attr-defined]  # set by the decorator
    try:
        context = DurableOrchestrationContext.from_json(
            _context_json(identity, history, input_text, is_replaying)
        )
        context._input_expected_type = getattr(handle, "_df_input_type", None)
        context.deferred_tasks = early_events
        answer, crash = json.loads(orchestrator.handle(context)), None
    except Exception as error:
        answer, crash = _failure(error)
    state = SdkState(
        dict(context.open_tasks) if context else {},
        orchestrator.task_orchestration_executor.current_task,
        early_events,
    )
    return _answer(answer, crash, state)


def quiet_sdk_advice() -> None:
    """Keep the SDK's advice out of the warnings, which a test may have made errors.

    Nothing is restored: filters are global, and restoring them from a thread would race with other threads.
    """
    warnings.filterwarnings("ignore", message="Potential duplicate Task completion")
    warnings.filterwarnings(
        "ignore", category=DeprecationWarning, message="azure.functions (df_loads|Durable JSON)"
    )


def _context_json(
    identity: Identity, history: Sequence[str], input_text: str | None, is_replaying: bool
) -> str:
    """The trigger's payload (contract §2.1); events are text already, so none is parsed to be written."""
    rest = json.dumps(
        {
            "input": None if input_text is None else json.loads(input_text),
            "instanceId": identity.instance_id,
            "isReplaying": is_replaying,
            "parentInstanceId": identity.parent_instance_id,
            "upperSchemaVersion": 1,
            "upperSchemaVersionNew": 3,
            "maximumShortTimerDuration": "6.00:00:00",
            "longRunningTimerIntervalDuration": "3.00:00:00",
            "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
        }
    )
    return f'{{"history":[{",".join(history)}],{rest[1:]}'


def _failure(error: Exception) -> tuple[dict[str, Any], str | None]:
    """A function that raised: the SDK hides its answer in the text of the exception."""
    text = str(error)
    found = text.find(_OUT_OF_PROC)
    if found >= 0:
        return json.loads(text[found + len(_OUT_OF_PROC) :]), None
    return {"actions": [[]], "schemaVersion": 2}, f"{type(error).__name__}: {error}"


def _answer(answer: dict[str, Any], crash: str | None, state: SdkState) -> SdkAnswer:
    if not answer.get("schemaVersion"):
        raise traps.old_schema()
    if len(answer["actions"]) != 1:
        raise traps.malformed_actions(len(answer["actions"]))
    return SdkAnswer(
        actions=answer["actions"][0],
        is_done=bool(answer.get("isDone")),
        output=answer.get("output"),
        error=answer.get("error"),
        custom_status=answer.get("customStatus"),
        crash=crash,
        state=state,
    )
