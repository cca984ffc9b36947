"""The seam with Durable Functions: orchestrators read like prose and stay typed.

Plain JSON crosses the boundary, one request in and one result out; pydantic converts. Every failure of a
step crosses it as a value: `call` repeats what is transient by durable timers and raises `StepFailed` for the
rest, `gather` returns the outcomes of many. The SDK's own retries are not used: it and the Durable extension
number tasks independently, and a failure inside `task_all` lets the two drift apart, after which the instance
hangs (Azure/azure-functions-durable-python issue 603).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from typing import Any, Generic, Literal, TypeAlias, TypeVar, get_type_hints, overload

import azure.durable_functions as df
from pydantic import TypeAdapter

from domain.errors import StepFailed, TidemarkError, Transient

Request = TypeVar("Request")
Result = TypeVar("Result")
Context: TypeAlias = df.DurableOrchestrationContext
Client: TypeAlias = df.DurableOrchestrationClient
Steps: TypeAlias = Generator[Any, Any, Result]

Orchestrator: TypeAlias = Callable[[Context, Request], Steps[Result]]
ClientActivity: TypeAlias = Callable[[Request, Client], Awaitable[Result]]

MOST_CHILDREN = 100  # a fan-out that completes one by one costs time quadratic in its size
MOST_REPETITIONS = 10
LONGEST_REPEATING = timedelta(hours=1)
MOST_INSISTING = 24
BETWEEN_INSISTING = timedelta(hours=1)
_FIRST_DELAY = timedelta(seconds=5)
_LONGEST_DELAY = timedelta(minutes=5)

_log = logging.getLogger("tidemark.durable")


@dataclass(frozen=True)
class Done(Generic[Result]):
    """A step did what it was asked for."""

    value: Result


@dataclass(frozen=True)
class Failed:
    """A step failed for good, or was still failing after all repetitions (`is_transient`)."""

    code: str
    message: str
    is_transient: bool = False


Outcome: TypeAlias = "Done[Result] | Failed"


class _Step:
    """A function that is registered under its name, with what it takes and returns."""

    def __init__(self, kind: Literal["activity", "orchestration"], function: Callable[..., Any]) -> None:
        self.kind = kind
        self.function = function

    @property
    def name(self) -> str:
        return self.function.__name__

    @cached_property
    def request_type(self) -> Any:
        hints = get_type_hints(self.function)
        return next(hint for name, hint in hints.items() if name not in ("return", "context", "client"))

    @cached_property
    def result_type(self) -> Any:
        hint = get_type_hints(self.function)["return"]
        return hint.__args__[2] if self.kind == "orchestration" else hint


_STEPS: dict[Callable[..., Any], _Step] = {}


def activity(blueprint: df.Blueprint) -> Callable[[Callable[[Request], Result]], Callable[[Request], Result]]:
    """Register a function of one request as the activity of its name, and leave it callable as it is."""

    def register(function: Callable[[Request], Result]) -> Callable[[Request], Result]:
        step = _STEPS[function] = _Step("activity", function)

        def run(request: dict) -> dict:
            try:
                return _done(step, function(from_wire(step.request_type, request)))
            except Exception as failure:
                return _failure(step, failure)

        run.__name__ = step.name
        blueprint.activity_trigger(input_name="request")(run)
        return function

    return register


def client_activity(
    blueprint: df.Blueprint,
) -> Callable[[ClientActivity[Request, Result]], ClientActivity[Request, Result]]:
    """Register an async function of one request and the durable client as the activity of its name."""

    def register(function: ClientActivity[Request, Result]) -> ClientActivity[Request, Result]:
        step = _STEPS[function] = _Step("activity", function)

        async def run(request: dict, client) -> dict:  # type: ignore[no-untyped-def]  # the binding forbids it
            try:
                return _done(step, await function(from_wire(step.request_type, request), client))
            except Exception as failure:
                return _failure(step, failure)

        run.__name__ = step.name
        bound = blueprint.durable_client_input(client_name="client")(run)
        blueprint.activity_trigger(input_name="request")(bound)
        return function

    return register


def orchestration(
    blueprint: df.Blueprint,
) -> Callable[[Orchestrator[Request, Result]], Orchestrator[Request, Result]]:
    """Register a generator of one request as the orchestration of its name.

    Whatever it raises becomes a `Failed` outcome, so that a parent never sees an exception.
    """

    def register(function: Orchestrator[Request, Result]) -> Orchestrator[Request, Result]:
        step = _STEPS[function] = _Step("orchestration", function)

        def run(context: df.DurableOrchestrationContext):  # type: ignore[no-untyped-def]  # a generator that also returns
            try:
                result = yield from function(context, from_wire(step.request_type, context.get_input()))
            except Exception as failure:
                return _failure(step, failure)
            return _done(step, result)

        run.__name__ = step.name
        blueprint.orchestration_trigger(context_name="context")(run)
        return function

    return register


@overload
def call(context: Context, step: Orchestrator[Request, Result], request: Request) -> Steps[Result]: ...
@overload
def call(context: Context, step: Callable[[Request], Result], request: Request) -> Steps[Result]: ...
@overload
def call(context: Context, step: ClientActivity[Request, Result], request: Request) -> Steps[Result]: ...
def call(context: Context, step: Callable[..., Any], request: Any) -> Steps[Any]:
    """Run one step and return its result; raises StepFailed when it fails for good."""
    (outcome,) = yield from gather(context, step, [request])
    if isinstance(outcome, Failed):
        raise StepFailed(step.__name__, outcome.code, outcome.message, outcome.is_transient)
    return outcome.value


@overload
def insist(context: Context, step: Orchestrator[Request, Result], request: Request) -> Steps[Result]: ...
@overload
def insist(context: Context, step: Callable[[Request], Result], request: Request) -> Steps[Result]: ...
@overload
def insist(context: Context, step: ClientActivity[Request, Result], request: Request) -> Steps[Result]: ...
def insist(context: Context, step: Callable[..., Any], request: Any) -> Steps[Any]:
    """Run one step like `call`, for what must not be left undone: outlast an outage of a day.

    What was done before it would be lost, or stand in the books as under way for ever.
    """
    for _ in range(MOST_INSISTING):
        try:
            return (yield from call(context, step, request))
        except StepFailed as failure:
            if not failure.is_transient:
                raise
        yield from wait(context, BETWEEN_INSISTING)
    return (yield from call(context, step, request))


def gather(context: Context, step: Callable[..., Any], requests: Sequence[Any]) -> Steps[list[Outcome[Any]]]:
    """Run one step per request, side by side; return the outcomes in the order of the requests.

    Transient failures are repeated, at most ten times and within an hour. Takes at most 100 requests.
    """
    if len(requests) > MOST_CHILDREN:
        raise ValueError(f"{len(requests)} {step.__name__} at once; the most is {MOST_CHILDREN}: use pages")
    known = _STEPS[step]
    replies: dict[int, dict[str, Any]] = {}
    waiting = list(range(len(requests)))
    until = context.current_utc_datetime + LONGEST_REPEATING
    for repetition in range(1 + MOST_REPETITIONS):
        if not waiting:
            break
        answers = yield context.task_all([_task(context, known, requests[place]) for place in waiting])
        replies.update(zip(waiting, answers, strict=True))
        waiting = [place for place in waiting if "transient" in replies[place]]
        delay = _delay([replies[place]["transient"] for place in waiting], repetition)
        if not waiting or context.current_utc_datetime + delay > until or repetition == MOST_REPETITIONS:
            break
        yield context.create_timer(context.current_utc_datetime + delay)
    return [_outcome(known, replies[place]) for place in range(len(requests))]


def wait(context: Context, span: timedelta) -> Steps[None]:
    """Let time pass."""
    yield context.create_timer(context.current_utc_datetime + span)


def restart(context: Context, request: Any) -> None:
    """Begin the orchestration anew with another input and an empty history; return right after it."""
    context.continue_as_new(to_wire(request))


def to_wire(value: Any) -> Any:
    """Return a dataclass (or a plain value) as plain JSON data."""
    kind: Any = type(value)
    return _adapter(kind).dump_python(value, mode="json")


def from_wire(kind: Any, data: Any) -> Any:
    """Rebuild a value of a type from what `to_wire` returned; raises ValueError if it does not fit."""
    return _adapter(kind).validate_python(data)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _task(context: Context, step: _Step, request: Any) -> Any:
    if step.kind == "activity":
        return context.call_activity(step.name, to_wire(request))
    return context.call_sub_orchestrator(step.name, to_wire(request))


def _done(step: _Step, result: Any) -> dict[str, Any]:
    return {"done": _adapter(step.result_type).dump_python(result, mode="json")}


def _failure(step: _Step, failure: Exception) -> dict[str, Any]:
    if isinstance(failure, Transient):
        seconds = failure.retry_after.total_seconds() if failure.retry_after else None
        return {"transient": {"code": failure.code, "message": str(failure), "delay_seconds": seconds}}
    if isinstance(failure, TidemarkError):
        return {"failed": {"code": failure.code, "message": str(failure)}}
    _log.error("%s failed unexpectedly", step.name, exc_info=failure)
    return {"failed": {"code": "UnexpectedError", "message": f"{type(failure).__name__}: {failure}"}}


def _outcome(step: _Step, reply: dict[str, Any]) -> Outcome[Any]:
    if "done" in reply:
        return Done(from_wire(step.result_type, reply["done"]))
    if "failed" in reply:
        return Failed(reply["failed"]["code"], reply["failed"]["message"])
    told = reply["transient"]
    return Failed(told["code"], f"{told['message']} (still so after many tries)", is_transient=True)


def _delay(transient: Sequence[dict[str, Any]], repetition: int) -> timedelta:
    """Wait as long as Azure asks, where it asks; else twice as long as the last time."""
    asked = max((told["delay_seconds"] or 0.0 for told in transient), default=0.0)
    own = min(_FIRST_DELAY * 2**repetition, _LONGEST_DELAY)
    return max(timedelta(seconds=asked), own)
