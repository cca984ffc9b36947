"""Compares what the SDK believes with what the extension did, after an episode.

Both number tasks for themselves. As long as they agree, Azure works; where they do not, it hangs. The SDK's
ids are those of its context's open tasks; the extension's are in the task context.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from azure.durable_functions.models.actions.ActionType import ActionType as SdkActionType
from azure.durable_functions.models.actions.CallEntityAction import CallEntityAction
from azure.durable_functions.models.actions.CallHttpAction import CallHttpAction
from azure.durable_functions.models.actions.CreateTimerAction import CreateTimerAction
from azure.durable_functions.models.actions.NoOpAction import NoOpAction
from azure.durable_functions.models.Task import AtomicTask, CompoundTask, LongTimerTask, TaskState

from local_host import traps
from local_host.durable_task import Action, Kind
from local_host.executor import Executor
from local_host.history import Event, EventType
from local_host.replay import SdkAnswer

_KINDS = {
    SdkActionType.CALL_ACTIVITY: Kind.ACTIVITY,
    SdkActionType.CALL_ACTIVITY_WITH_RETRY: Kind.ACTIVITY,
    SdkActionType.CALL_HTTP: Kind.ACTIVITY,
    SdkActionType.CALL_SUB_ORCHESTRATOR: Kind.SUB_ORCHESTRATION,
    SdkActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY: Kind.SUB_ORCHESTRATION,
    SdkActionType.CREATE_TIMER: Kind.TIMER,
    SdkActionType.CALL_ENTITY: Kind.MESSAGE,
}


def check(answer: SdkAnswer, executor: Executor, new_events: list[Event]) -> None:
    """Raise traps.TrapError if SDK and extension have come apart, or if neither can ever go on."""
    _check_ids(answer, executor)
    _check_event_names(answer, new_events)
    _check_progress(answer, executor)


def check_early_events(answer: SdkAnswer) -> None:
    """Raise traps.TrapError if the function got wrong data from events that came early."""
    early_events = answer.state.early_events
    if early_events is not None and early_events.trap:
        raise early_events.trap


def _check_ids(answer: SdkAnswer, executor: Executor) -> None:
    """Every id that the SDK waits for must be what the extension took it for."""
    scheduled = executor.extension.tasks.all
    for task_id, task in answer.state.open_tasks.items():
        if not isinstance(task_id, int) or not isinstance(task, AtomicTask):
            continue
        kind, name = _expected(task)
        action = scheduled.get(task_id)
        if action is None and not isinstance(task._get_action(), NoOpAction):
            continue  # the extension still awaits an earlier action, and may come to the same id
        if action is None:
            raise traps.drift(task_id, _words(kind, name), "nothing")
        if action.kind is not kind or not _is_same(task._get_action(), action):
            raise traps.drift(task_id, _words(kind, name), str(action))


def _is_same(asked: Any, action: Action) -> bool:
    """Name, input and time of what the SDK asked for; of a retry it keeps none of them."""
    if isinstance(asked, CreateTimerAction):
        return action.fire_at == asked.fire_at.replace(tzinfo=UTC)  # SDK 1.x writes any time with a Z
    if isinstance(asked, NoOpAction | CallHttpAction | CallEntityAction):
        return True
    sent = json.loads(action.input or "null")
    if action.kind is Kind.ACTIVITY:
        sent = sent[0]
    return asked.function_name.lower() == (action.name or "").lower() and asked.to_json().get("input") == sent


def _expected(task: AtomicTask) -> tuple[Kind, str | None]:
    """What the SDK holds an id for. Its retries are NoOpActions, which say in words what they stand for."""
    action = task._get_action()
    if isinstance(action, NoOpAction):
        if "timer" in (action.metadata or ""):
            return Kind.TIMER, None
        return _kind_of_retried(task), None
    kind = _KINDS[SdkActionType(action.action_type)]
    return kind, getattr(action, "function_name", None)


def _kind_of_retried(task: AtomicTask) -> Kind:
    """A retry is of the kind of its first attempt, the first child of the retrying task."""
    first = task.parent.children[0]._get_action()
    return _KINDS[SdkActionType(first.action_type)]


def _words(kind: Kind, name: str | None) -> str:
    return f"{kind.value} '{name}'" if name else f"a {kind.value}"


def _check_event_names(answer: SdkAnswer, new_events: list[Event]) -> None:
    """The extension ignores case, the SDK does not."""
    awaited = {name for name, tasks in answer.state.open_tasks.items() if isinstance(name, str) and tasks}
    for event in new_events:
        if event["EventType"] == EventType.EVENT_RAISED and event["Name"] not in awaited:
            other = next((name for name in awaited if name.lower() == event["Name"].lower()), None)
            if other is not None:
                raise traps.event_case(event["Name"], other)


def _check_progress(answer: SdkAnswer, executor: Executor) -> None:
    """If nothing is under way, somebody outside must be able to move both sides on by raising an event."""
    if executor.extension.tasks.open or (executor.main is not None and executor.main.is_done):
        return
    extension_waits = executor.extension.awaited_events()
    sdk_waits = [] if answer.is_done else [name for name in _awaited(answer.state.current_task) if name]
    if _ANY_ENTITY in sdk_waits:
        return
    if extension_waits:
        can_move = {name.lower() for name in extension_waits} & {name.lower() for name in sdk_waits}
    else:
        can_move = set(sdk_waits)
    if not can_move:
        raise traps.deadlock(_sdk_state(answer), _extension_state(extension_waits))


def _awaited(task: Any) -> Iterator[str]:
    """Names of the external events under a task; the answer of an entity counts as one."""
    if isinstance(task, CompoundTask):
        for child in task.children:
            yield from _awaited(child)
    elif isinstance(task, AtomicTask) and task.state is TaskState.RUNNING:
        if isinstance(task.id, str):
            yield task.id
        elif task._api_name == "CallEntityAction":
            yield _ANY_ENTITY


_ANY_ENTITY = "an entity's answer"


def _sdk_state(answer: SdkAnswer) -> str:
    if answer.is_done:
        return "has finished"
    names = list(_awaited(answer.state.current_task))
    if names:
        return f"waits for the event '{names[0]}'"
    task = answer.state.current_task
    return f"waits for task {task.id}" if isinstance(task, AtomicTask) else "waits for nothing that can come"


def _extension_state(names: list[str]) -> str:
    return f"waits for the event '{names[0]}'" if names else "has nothing left to do"


def cancelled_long_timers(answer: SdkAnswer) -> bool:
    """True if the function cancelled a timer of more than six days, which SDK 1.x does not pass on."""
    tasks = [task.parent for task in answer.state.open_tasks.values() if isinstance(task, AtomicTask)]
    return any(isinstance(task, LongTimerTask) and task.is_canceled() for task in tasks)
