"""Endpoints: what each takes, gives and demands is declared once; serving, checking and documenting follow.

    @endpoint(blueprint, "GET", "vms/{key}", role=Role.READER, summary="Show one VM", problems=(NotFound,))
    def show_vm(path: VmPath) -> VmDocument: ...

A function takes what it names: `path`, `query`, `headers` and `body` are forms, read and checked before
it runs, all faults of all of them in one answer; `caller` is who asks; `client` is the durable client, and
needs an async function. It returns a document (200), or `Accepted` (202), or raises an error of
domain/errors.py, which becomes a problem document. Nobody gets in without an identity and the role.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import azure.durable_functions as df
import azure.functions as func

from domain.errors import Fault, InvalidInput
from gateways.connection import cloud
from triggers.documents import adapter, form, read_body, read_parameters, render
from triggers.identity import Caller, Role, identify
from triggers.problems import problem

Document = TypeVar("Document")
Function = TypeVar("Function", bound=Callable[..., Any])

LARGEST_BODY = 64 * 1024  # bytes; what the API takes is far smaller


@form
class _NoParameters:
    """What an endpoint takes that names no query: a parameter that is ignored would be believed to work."""


@dataclass(frozen=True)
class Accepted(Generic[Document]):
    """The answer to a request that is carried out from now on: where to look, and when to look again."""

    document: Document
    location: str
    retry_after: timedelta = timedelta(seconds=5)


@dataclass(frozen=True)
class Endpoint:
    """One method of one route."""

    method: str
    route: str
    role: Role
    summary: str
    problems: tuple[type[Exception], ...]
    function: Callable[..., Any]

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """What it takes: the type of each of path, query, headers and body that it names."""
        hints = get_type_hints(self.function, include_extras=True)
        return {name: hints[name] for name in ("path", "query", "headers", "body") if name in hints}

    @property
    def is_accepting(self) -> bool:
        """Whether it answers 202."""
        return get_origin(self._answer) is Accepted

    @property
    def document(self) -> Any:
        """The type of the document in its answer."""
        return get_args(self._answer)[0] if self.is_accepting else self._answer

    @cached_property
    def takes(self) -> set[str]:
        """The names of everything that the function takes."""
        return set(inspect.signature(self.function).parameters)

    @property
    def _answer(self) -> Any:
        return get_type_hints(self.function)["return"]


ENDPOINTS: list[Endpoint] = []


def endpoint(
    blueprint: df.Blueprint,
    method: str,
    route: str,
    *,
    role: Role,
    summary: str,
    problems: tuple[type[Exception], ...] = (),
) -> Callable[[Function], Function]:
    """Register a typed function as an endpoint, and leave it callable as it is."""

    def register(function: Function) -> Function:
        known = Endpoint(method, route, role, summary, problems, function)
        ENDPOINTS.append(known)
        is_starting = "client" in known.takes
        run = _async_run(known) if is_starting else _run(known)
        run.__name__ = function.__name__
        if is_starting:
            run = blueprint.durable_client_input(client_name="client")(run)
        # Keys of the host would be a second, nameless way in; who asks is checked here instead.
        blueprint.route(
            route=route,
            methods=[method],
            trigger_arg_name="request",
            auth_level=func.AuthLevel.ANONYMOUS,
        )(run)
        return function

    return register


def _run(known: Endpoint) -> Callable[..., Any]:
    def run(request: func.HttpRequest) -> func.HttpResponse:
        try:
            return _rendered(known.function(**_arguments(known, request)))
        except Exception as failure:
            return problem(failure, urlsplit(request.url).path)

    return run


def _async_run(known: Endpoint) -> Callable[..., Any]:
    async def run(request: func.HttpRequest, client) -> func.HttpResponse:  # type: ignore[no-untyped-def]  # the binding forbids it
        try:
            return _rendered(await known.function(**_arguments(known, request), client=client))
        except Exception as failure:
            return problem(failure, urlsplit(request.url).path)

    return run


def _arguments(known: Endpoint, request: func.HttpRequest) -> dict[str, Any]:
    """Return what the function takes; raises if the caller may not ask, or asks for something malformed."""
    caller = admitted(request, known.role)
    kinds = {"query": _NoParameters, **known.inputs}
    read = _checked({name: _read(name, kind, request) for name, kind in kinds.items()})
    arguments = {name: read[name] for name in known.inputs}
    return {**arguments, **({"caller": caller} if "caller" in known.takes else {})}


def admitted(request: func.HttpRequest, role: Role) -> Caller:
    """Return who asks; raises NotSignedIn, or NotAllowed if they may not do what the role may."""
    caller = identify(request.headers, cloud().settings)
    caller.must_be(role)
    return caller


def _read(name: str, kind: Any, request: func.HttpRequest) -> Any:
    if name == "body":
        body = request.get_body()
        if len(body) > LARGEST_BODY:
            return [Fault("body", f"it has {len(body)} bytes; the most is {LARGEST_BODY}")]
        return read_body(kind, body)
    if name == "headers":
        return read_parameters(kind, _headers_of(kind, request.headers))
    return read_parameters(kind, request.params if name == "query" else request.route_params)


def _headers_of(kind: Any, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that a document names; the others are not its business."""
    names = adapter(kind).json_schema()["properties"]
    return {name: headers[name] for name in names if name in headers}


def _checked(read: Mapping[str, Any]) -> dict[str, Any]:
    faults = [fault for found in read.values() if isinstance(found, list) for fault in found]
    if faults:
        raise InvalidInput("The request", faults)
    return dict(read)


def _rendered(answer: Any) -> func.HttpResponse:
    status, headers = 200, {"Cache-Control": "no-store"}
    if isinstance(answer, Accepted):
        status = 202
        headers["Location"] = answer.location
        headers["Retry-After"] = str(math.ceil(answer.retry_after.total_seconds()))
        answer = answer.document
    return func.HttpResponse(render(answer), status_code=status, headers=headers, mimetype="application/json")
