"""Re-executes a stored history against the code of today.

    problems = check_history(app, host.history(instance_id))
    assert not problems

Instances that run while a new version is deployed go on with the new code on the old history. This tells
beforehand whether that works: every episode of the history is played again, and must ask for the same things
in the same order.
"""

from __future__ import annotations

from typing import Any

from local_host.app import LoadedApp
from local_host.episode import Episode, Orchestrators, Past, is_refused, play
from local_host.extension import Identity
from local_host.history import SCHEDULING, Event, EventType, moment, started_event

_COMPARED = ("EventType", "EventId", "Name", "Input", "FireAt")
_WRITTEN = SCHEDULING | {EventType.EXECUTION_COMPLETED, EventType.ORCHESTRATOR_COMPLETED}
"""Events that an episode writes itself; all others came to it from outside."""


def check_history(app: LoadedApp, history: list[Event]) -> list[str]:
    """Play a history again, episode by episode; return what is different now, in words; empty if nothing is.

    `history` is a list of events as `LocalHost.history` returns them or the JSON file of them; it may end in
    the middle of an orchestration. Versions are not compared, and an episode in which the instance was
    refused for its version was no replay. Of an execution that continued as new only the latest generation is
    stored.
    """
    functions = app.durable_functions()
    started = started_event(history)
    if started is None:
        raise ValueError("This is no history: it has no ExecutionStarted event.")
    past = Past()
    for number, recorded in enumerate(_episodes(history), 1):
        if is_refused(recorded):
            return []
        problems = _differences(functions, started, past, recorded)
        if problems:
            return [f"{started['Name']}, episode {number}: {problem}" for problem in problems]
        past = past.extended(recorded)
    return []


def _episodes(history: list[Event]) -> list[list[Event]]:
    """Cut a history where its episodes begin."""
    episodes: list[list[Event]] = []
    for item in history:
        if item["EventType"] == EventType.ORCHESTRATOR_STARTED:
            episodes.append([])
        episodes[-1].append(item)
    return episodes


def _differences(functions: Orchestrators, started: Event, past: Past, recorded: list[Event]) -> list[str]:
    arrived = [item for item in recorded[1:] if item["EventType"] not in _WRITTEN]
    episode = play(functions, _identity(started), past, arrived, moment(recorded[0]["Timestamp"]))
    before = [item for item in recorded if item["EventType"] in SCHEDULING]
    now = [item for item in episode.events if item["EventType"] in SCHEDULING]
    problems = [
        f"asked for {_describe(old)}, asks for {_describe(new)} now"
        for old, new in zip(before, now, strict=False)
        if _essence(old) != _essence(new)
    ]
    problems += [f"asked for {_describe(old)}, does not now" for old in before[len(now) :]]
    problems += [f"asks for {_describe(new)} now, did not then" for new in now[len(before) :]]
    return problems + _different_end(recorded, episode)


def _different_end(recorded: list[Event], episode: Episode) -> list[str]:
    """An end that came or did not come, or came with another result."""
    ended = next((item for item in recorded if item["EventType"] == EventType.EXECUTION_COMPLETED), None)
    status, output = (ended["OrchestrationStatus"], ended["Result"]) if ended else (None, None)
    if episode.generations:
        return ["continues as new now, did not then"]
    new_status = episode.status if episode.is_over else None
    if (status, output) == (new_status, episode.output if episode.is_over else None):
        return []
    return [f"ended as {status} with {output}, ends as {new_status} with {episode.output} now"]


def _identity(started: Event) -> Identity:
    instance, parent = started["OrchestrationInstance"], started.get("ParentInstance")
    parent_id = parent["OrchestrationInstance"]["InstanceId"] if parent else None
    return Identity(instance["InstanceId"], instance["ExecutionId"], parent_id)


def _essence(item: Event) -> dict[str, Any]:
    return {name: item.get(name) for name in _COMPARED}


def _describe(item: Event) -> str:
    kind = EventType(item["EventType"]).name.lower().replace("_", " ")
    return " ".join(
        str(part) for part in (kind, item.get("Name"), item.get("Input"), item.get("FireAt")) if part
    )
