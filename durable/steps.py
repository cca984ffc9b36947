"""What an orchestrator does: call one step, gather many, poll until they are over, wait, begin anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, overload

from domain.errors import StepFailed
from durable.outcomes import Done, Failed, Outcome, ended_from_outside, outcome
from durable.patience import Attempt
from durable.registration import STEPS, ClientActivity, Context, Orchestrator, Step, Steps
from durable.wire import to_wire

Request = TypeVar("Request")
Result = TypeVar("Result")

MOST_CHILDREN = 100  # a fan-out that completes one by one costs time quadratic in its size
MOST_INSISTING = 24
BETWEEN_INSISTING = timedelta(hours=1)


@overload
def call(context: Context, step: Orchestrator[Request, Result], request: Request) -> Steps[Result]: ...
@overload
def call(context: Context, step: Callable[[Request], Result], request: Request) -> Steps[Result]: ...
@overload
def call(context: Context, step: ClientActivity[Request, Result], request: Request) -> Steps[Result]: ...
def call(context: Context, step: Callable[..., Any], request: Any) -> Steps[Any]:
    """Run one step and return its result; raises StepFailed when it fails for good."""
    (came_to,) = yield from gather(context, step, [request])
    if isinstance(came_to, Failed):
        raise StepFailed(step.__name__, came_to.code, came_to.message, came_to.is_transient)
    return came_to.value


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


def gather(
    context: Context, step: Callable[..., Any], requests: Sequence[Any], *, repeats: bool = True
) -> Steps[list[Outcome[Any]]]:
    """Run one step per request, side by side; return the outcomes in the order of the requests.

    Transient failures are repeated, each when its time has come: see `durable.patience`. Without `repeats`
    they are not: for what comes by itself again soon, and must hold up nothing else. Takes at most 100
    requests.
    """
    if len(requests) > MOST_CHILDREN:
        raise ValueError(f"{len(requests)} {step.__name__} at once; the most is {MOST_CHILDREN}: use pages")
    known = STEPS[step]
    attempts = [Attempt.first(context.current_utc_datetime) for _ in requests]
    while moments := [attempt.due for attempt in attempts if attempt.due]:
        next_moment = min(moments)
        if next_moment > context.current_utc_datetime:
            yield context.create_timer(next_moment)
        # Where the clocks of two machines differ, a timer may seem to fire too early.
        now = max(next_moment, context.current_utc_datetime)
        due = [place for place, attempt in enumerate(attempts) if attempt.due and attempt.due <= now]
        replies = yield from _replies([_task(context, known, requests[place]) for place in due], context)
        for place, reply in zip(due, replies, strict=True):
            attempts[place] = attempts[place].replied(reply, context.current_utc_datetime, repeats)
    return [outcome(known.result_type, attempt.reply) for attempt in attempts]


def _replies(tasks: list[Any], context: Context) -> Steps[list[dict[str, Any]]]:
    """Wait for all tasks; one that was ended from outside keeps nobody from the replies of the others."""
    try:
        return (yield context.task_all(tasks))
    except Exception:
        replies = []
        for task in tasks:
            try:
                replies.append((yield task))
            except Exception as ended:
                replies.append(ended_from_outside(ended))
        return replies


@dataclass(frozen=True)
class Pace:
    """How often to look: after `first`, then each time after twice as long up to `longest`, for `within`."""

    first: timedelta
    longest: timedelta
    within: timedelta


def poll(
    context: Context,
    look: Callable[[Request], Result],
    requests: Sequence[Request],
    *,
    known: Sequence[Outcome[Result]],
    until: Callable[[Result], bool],
    pace: Pace,
) -> Steps[list[Outcome[Result]]]:
    """Look at things, side by side, until each is over; return what was seen of them last, in their order.

    `known` is what beginning them came to: what failed there, or was over at once, is not looked at. A look
    that fails for good ends the looking at that thing; one that was still failing after all repetitions tells
    nothing of it, so it is looked at again. When `pace.within` has passed, things may be left that are not
    over: whoever called says what that means.
    """
    latest = list(known)
    pending = [place for place, seen in enumerate(latest) if isinstance(seen, Done) and not until(seen.value)]
    pause, end = pace.first, context.current_utc_datetime + pace.within
    while pending and context.current_utc_datetime < end:
        yield from wait(context, pause)
        looks = yield from gather(context, look, [requests[place] for place in pending])
        for place, seen in zip(pending, looks, strict=True):
            latest[place] = seen
        pending = [place for place in pending if not _is_over(latest[place], until)]
        pause = min(pause * 2, pace.longest)
    return latest


def wait(context: Context, span: timedelta) -> Steps[None]:
    """Let time pass."""
    yield context.create_timer(context.current_utc_datetime + span)


def restart(context: Context, request: Any) -> None:
    """Begin the orchestration anew with another input and an empty history; return right after it."""
    context.continue_as_new(to_wire(request))


def _task(context: Context, step: Step, request: Any) -> Any:
    if step.kind == "activity":
        return context.call_activity(step.name, to_wire(request))
    return context.call_sub_orchestrator(step.name, to_wire(request))


def _is_over(seen: Outcome[Result], until: Callable[[Result], bool]) -> bool:
    return not seen.is_transient if isinstance(seen, Failed) else until(seen.value)
