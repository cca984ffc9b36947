"""Orchestrator code that Azure accepts and then leaves hanging, or fails with a riddle: said plainly here.

Azure's Durable extension and the Python SDK number tasks independently and never compare. Where they drift
apart, or where the extension swallows an error, an instance stays Running for ever without a word. The local
host fails the instance at once instead. Every message says what was found, what Azure would do, and what to
write instead.
"""

from __future__ import annotations

HANGS = "In Azure the instance would stay Running for ever, without an error."


class TrapError(Exception):
    """Code that would hang or go wrong silently in Azure; the text says why and what to do instead."""


def unknown_function(name: str, kind: str, known: list[str]) -> TrapError:
    """The extension throws inside a task whose errors it swallows (contract §2.4.13)."""
    return TrapError(
        f"The function '{name}' doesn't exist, is disabled, or is not an {kind} function. {HANGS} "
        f"Registered {kind} functions: {', '.join(sorted(known)) or 'none'}."
    )


def same_instance_id(instance_id: str) -> TrapError:
    """Thrown and swallowed like an unknown function."""
    return TrapError(
        f"A sub-orchestration was given the instance id '{instance_id}' of its own parent. {HANGS} "
        "Give it another id, or none."
    )


def reserved_instance_id(instance_id: str) -> TrapError:
    """Thrown and swallowed like an unknown function."""
    return TrapError(
        f"A sub-orchestration was given the instance id '{instance_id}': ids that start with @ belong to "
        f"entities. {HANGS} Give it another id, or none."
    )


def instance_id_in_use(instance_id: str, status: str) -> TrapError:
    """Azure does not de-duplicate the ids of sub-orchestrations."""
    return TrapError(
        f"A sub-orchestration was given the instance id '{instance_id}', which is in use (it is {status}). "
        "Azure does not notice: the start is dropped or two executions share one id, and the parent may "
        "wait for ever. Start it with the client's start_new, or let the id be derived."
    )


def too_many_actions(limit: int) -> TrapError:
    """maxOrchestrationActions; the exception lands in a swallowed task."""
    return TrapError(
        f"The orchestrator asked for more than {limit} actions in one execution (maxOrchestrationActions). "
        f"{HANGS} Continue as new long before, or split the work over sub-orchestrations."
    )


def long_retry_interval(milliseconds: int) -> TrapError:
    """Storage limits a delay to six days; the exception lands in a swallowed task."""
    return TrapError(
        f"first_retry_interval_in_milliseconds is {milliseconds}, more than 6 days. {HANGS} "
        "Wait with a durable timer instead."
    )


def endless_generations(count: int) -> TrapError:
    """Generations run in one work item; Azure would never leave it."""
    return TrapError(
        f"The orchestrator continued as new {count} times without waiting for anything in between. In Azure "
        "this work item would never end and block its worker. Wait for an activity or a timer in every "
        "generation."
    )


def old_schema() -> TrapError:
    """Only seen with an SDK older than 1.1 or one told to speak V1."""
    return TrapError(
        "The SDK answered in replay schema V1 (no schemaVersion). The local host speaks V2 and V3, as the "
        "SDK does since 1.1. Update azure-functions-durable."
    )


def malformed_actions(count: int) -> TrapError:
    """The extension insists on one inner list."""
    return TrapError(
        f"The SDK answered with {count} action lists; schema V2 and V3 have exactly one. The extension "
        "refuses this."
    )


def drift(task_id: int, awaited: str, scheduled: str) -> TrapError:
    """SDK and extension disagree on an id (azure-functions-durable-python issue 603, closed as wontfix)."""
    return TrapError(
        f"Task ids have drifted apart: the SDK waits for {awaited} under id {task_id}, but the extension has "
        f"{scheduled} there. In Azure the instance hangs or fails as non-deterministic. Usual cause: SDK "
        "retry options beside task_any, or beside a task_all whose failure is caught. Put the retry into a "
        "sub-orchestration of its own that returns its outcome as a value, or retry with durable timers."
    )


def deadlock(sdk: str, extension: str) -> TrapError:
    """Nothing is under way and neither side can go on."""
    return TrapError(
        f"Nothing is under way, yet the orchestration is not finished: the SDK {sdk}, the extension "
        f"{extension}. {HANGS} Usual causes: an external event that arrived before it was awaited, used "
        "twice; a task_all with a wait for an event whose failure was caught; a yield of something that is "
        "not a task."
    )


def lost_event(name: str) -> TrapError:
    """TaskOrchestrationExecutor keeps one early event per name."""
    return TrapError(
        f"Several events '{name}' were raised before the orchestrator waited for them. SDK 1.x keeps the "
        "last alone, so the others are lost and later waits get wrong data. Use a name of its own for every "
        "event, or wait before they can arrive."
    )


def reused_event(name: str) -> TrapError:
    """The SDK never forgets an early event, so a second wait gets it again, while the extension waits."""
    return TrapError(
        f"One early event '{name}' has satisfied two waits: SDK 1.x never forgets it, while the extension "
        f"waits for a second one. {HANGS} Use a name of its own for every event, or wait before it can "
        "arrive."
    )


def event_case(raised: str, awaited: str) -> TrapError:
    """The extension compares names without case, the SDK with it."""
    return TrapError(
        f"The event '{raised}' was raised while the orchestrator waits for '{awaited}'. The extension "
        "ignores case and takes it, the SDK does not and goes on waiting. Raise it with the same spelling."
    )


LONG_TIMER_CANCELLED = (
    "A durable timer of more than 6 days was cancelled. SDK 1.x does not pass that on: the instance stays "
    "Running until the current part of the timer (up to 3 days) fires. Chain shorter timers if it must end "
    "sooner."
)

FINISHED_BUT_OPEN = (
    "The orchestrator function has returned, but the instance stays Running until every open task has "
    "ended: {open}. Azure does the same. Cancel the losing timer of a race."
)
