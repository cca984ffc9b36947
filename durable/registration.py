"""Registering a function as an activity or an orchestration: typed, by its own name, callable as before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from functools import cached_property
from typing import Any, Literal, TypeAlias, TypeVar, get_type_hints

import azure.durable_functions as df

from durable.outcomes import done, failure
from durable.wire import from_wire

Request = TypeVar("Request")
Result = TypeVar("Result")
Context: TypeAlias = df.DurableOrchestrationContext
Client: TypeAlias = df.DurableOrchestrationClient
Steps: TypeAlias = Generator[Any, Any, Result]

Orchestrator: TypeAlias = Callable[[Context, Request], Steps[Result]]
ClientActivity: TypeAlias = Callable[[Request, Client], Awaitable[Result]]


class Step:
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


STEPS: dict[Callable[..., Any], Step] = {}


def activity(blueprint: df.Blueprint) -> Callable[[Callable[[Request], Result]], Callable[[Request], Result]]:
    """Register a function of one request as the activity of its name, and leave it callable as it is."""

    def register(function: Callable[[Request], Result]) -> Callable[[Request], Result]:
        step = STEPS[function] = Step("activity", function)

        def run(request: dict) -> dict:
            try:
                return done(step.result_type, function(from_wire(step.request_type, request)))
            except Exception as raised:
                return failure(step.name, raised)

        run.__name__ = step.name
        blueprint.activity_trigger(input_name="request")(run)
        return function

    return register


def client_activity(
    blueprint: df.Blueprint,
) -> Callable[[ClientActivity[Request, Result]], ClientActivity[Request, Result]]:
    """Register an async function of one request and the durable client as the activity of its name."""

    def register(function: ClientActivity[Request, Result]) -> ClientActivity[Request, Result]:
        step = STEPS[function] = Step("activity", function)

        async def run(request: dict, client) -> dict:  # type: ignore[no-untyped-def]  # the binding forbids it
            try:
                return done(step.result_type, await function(from_wire(step.request_type, request), client))
            except Exception as raised:
                return failure(step.name, raised)

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
        step = STEPS[function] = Step("orchestration", function)

        def run(context: df.DurableOrchestrationContext):  # type: ignore[no-untyped-def]  # a generator that also returns
            try:
                result = yield from function(context, from_wire(step.request_type, context.get_input()))
            except Exception as raised:
                return failure(step.name, raised)
            return done(step.result_type, result)

        run.__name__ = step.name
        blueprint.orchestration_trigger(context_name="context")(run)
        return function

    return register
