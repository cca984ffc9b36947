"""An instance as the Durable HTTP API shows it (StatusResponsePayload and DurableClient of the extension)."""

from __future__ import annotations

import json
from typing import Any

from local_host.history import EVENT_NAMES, Event, EventType
from local_host.instances import Instance

_ANSWERS = {
    EventType.TASK_COMPLETED: EventType.TASK_SCHEDULED,
    EventType.TASK_FAILED: EventType.TASK_SCHEDULED,
    EventType.SUB_ORCHESTRATION_COMPLETED: EventType.SUB_ORCHESTRATION_CREATED,
    EventType.SUB_ORCHESTRATION_FAILED: EventType.SUB_ORCHESTRATION_CREATED,
}
_HIDDEN = {EventType.ORCHESTRATOR_STARTED, EventType.ORCHESTRATOR_COMPLETED}
_STARTED_HIDES = ("Name", "OrchestrationInstance", "ParentInstance", "Version", "Tags")


def status_json(
    instance: Instance, show_input: bool, history: list[Event] | None = None, show_output: bool = False
) -> dict[str, Any]:
    """The status document; history is under `historyEvents`, where SDK 1.x does not look."""
    document = {
        "name": instance.name,
        "instanceId": instance.instance_id,
        "runtimeStatus": instance.status,
        "input": _token(instance.input) if show_input else None,
        "customStatus": _token(instance.custom_status),
        "output": _token(instance.output),
        "createdTime": f"{instance.created_at[:19]}Z",
        "lastUpdatedTime": f"{instance.updated_at[:19]}Z",
    }
    if history is not None:
        document["historyEvents"] = _shown_history(history, show_input, show_output)
    return document


def _token(text: str | None) -> Any:
    """JSON as it is; text that is no JSON, such as the reason of a failure, as a string."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _shown_history(history: list[Event], show_input: bool, show_output: bool) -> list[dict[str, Any]]:
    """Answers take over name, time and input of what they answer, which is left out then."""
    scheduled = {(item["EventType"], item["EventId"]): item for item in history if item["EventId"] >= 0}
    answered = {_answered_by(item) for item in history}
    shown = []
    for item in history:
        kind = EventType(item["EventType"])
        if kind in _HIDDEN or (kind, item["EventId"]) in answered:
            continue
        shown.append(
            _shown(item, kind, scheduled.get(_answered_by(item) or (-1, -1)), show_input, show_output)
        )
    return shown


def _answered_by(item: Event) -> tuple[int, int] | None:
    """(type, id) of the event that scheduled what this one answers."""
    kind = _ANSWERS.get(item["EventType"])
    return None if kind is None else (kind, item["TaskScheduledId"])


def _shown(
    item: Event, kind: EventType, scheduled: Event | None, show_input: bool, show_output: bool
) -> dict[str, Any]:
    shown = {
        name: value for name, value in item.items() if name not in ("EventId", "IsPlayed", "TaskScheduledId")
    }
    shown["EventType"] = EVENT_NAMES[kind]
    if kind is EventType.EXECUTION_STARTED:
        shown["FunctionName"] = item["Name"]
        shown = {name: value for name, value in shown.items() if name not in _STARTED_HIDES}
    if kind is EventType.TIMER_FIRED:
        shown.pop("TimerId")
    if scheduled is not None:
        shown["ScheduledTime"], shown["FunctionName"] = scheduled["Timestamp"], scheduled["Name"]
        shown["Input"] = scheduled["Input"]
    if "Result" in shown:
        shown["Result"] = _token(shown["Result"])
        if not show_output:
            del shown["Result"]
    if not show_input:
        shown.pop("Input", None)
    return shown
