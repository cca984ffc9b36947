"""HTTP-triggered functions: route, key, call, response.

As the Functions host does: a path or a method that no function takes is 404 (never 405); a missing or wrong
key 401; an exception 500 without a body. Functions are tried in the order of their names, whatever their
templates say: the host sorts them so, ignoring case (FunctionMetadataManager.LoadFunctionMetadata), and its
router takes the first that fits. That is not documented, so the log tells where a second one fits.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from aiohttp import web
from azure.functions import meta
from azure.functions.http import HttpRequest, HttpResponseConverter

from local_host.app import Function
from local_host.invocation import Invoker
from local_host.keys import Keys
from local_host.routes import Route

log = logging.getLogger("local_host")

_convert: Any = HttpResponseConverter


@dataclass(frozen=True)
class HttpFunction:
    """One function and what it answers to; `methods` empty means all."""

    function: Function
    route: Route
    methods: tuple[str, ...]
    level: str

    @classmethod
    def of(cls, function: Function) -> HttpFunction:
        """Read the trigger of a function."""
        trigger = function.trigger
        return cls(
            function,
            Route.parse((trigger.route or function.name).strip("/")),
            tuple(_text(method).upper() for method in trigger.methods or ()),
            _text(trigger.auth_level or "function").lower(),
        )

    @classmethod
    def in_order(cls, functions: Iterable[Function]) -> list[HttpFunction]:
        """Read the triggers of functions, in the order in which they are tried."""
        # In upper case, as .NET compares when it ignores case: so "_" comes after the letters.
        return [cls.of(function) for function in sorted(functions, key=lambda known: known.name.upper())]

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Return the values of the route's parameters, or None if the function does not take this.

        The path is still percent-encoded and without the prefix.
        """
        return None if self.methods and method not in self.methods else self.route.match(path)


class HttpTriggers:
    """All HTTP functions of a host under their common prefix."""

    def __init__(self, functions: list[Function], prefix: str, invoker: Invoker, keys: Keys) -> None:
        self.prefix = f"/{prefix}/" if prefix else "/"
        self.functions = HttpFunction.in_order(functions)
        self._invoker = invoker
        self._keys = keys

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        matches = self._matches(request)
        if not matches:
            return web.Response(status=404)
        target, values = matches[0]
        if not self._keys.allow(request, target.level):
            return web.Response(status=401)
        return await self._call(target.function, await _function_request(request, values))

    def _matches(self, request: web.BaseRequest) -> list[tuple[HttpFunction, dict[str, str]]]:
        path = request.rel_url.raw_path
        if not f"{path}/".lower().startswith(self.prefix.lower()):
            return []
        rest = path[len(self.prefix) :]
        found = []
        for candidate in self.functions:
            values = candidate.match(request.method, rest)
            if values is not None:
                found.append((candidate, values))
        if len(found) > 1:
            names = ", ".join(candidate.function.name for candidate, _ in found)
            log.debug("%s %s fits several functions, the first takes it: %s", request.method, path, names)
        return found

    async def _call(self, function: Function, request: HttpRequest) -> web.Response:
        try:
            result = await self._invoker.call(function, request)
            return _response(_convert.encode(result, expected_type=None))
        except NotImplementedError:
            log.error(
                "%s returned %s, which is no HttpResponse and no str", function.name, type(result).__name__
            )
        except Exception as error:
            log.error("%s failed: %s: %s", function.name, type(error).__name__, error, exc_info=error)
        return web.Response(status=500)


async def _function_request(request: web.BaseRequest, values: dict[str, str]) -> HttpRequest:
    """The request as a function gets it; the host joins repeated headers and parameters by commas."""
    return HttpRequest(
        method=request.method,
        url=str(request.url),
        headers={name: ",".join(request.headers.getall(name)) for name in request.headers},
        params={name: ",".join(request.query.getall(name)) for name in request.query},
        route_params=values,
        body_type="bytes",
        body=await request.read(),
    )


def _response(datum: meta.Datum) -> web.Response:
    """What the worker's converter made of the returned value, as a response."""
    if datum.type == "string":
        return web.Response(text=datum.value)
    value = datum.value
    response = web.Response(status=int(value["status_code"].value), body=value["body"].value)
    for name, header in value["headers"].items():
        if name.lower() != "content-length":
            response.headers[name] = header.value
    for cookie in value["cookies"] or []:
        _add_cookies(response, cookie)
    return response


def _add_cookies(response: web.Response, cookies: SimpleCookie) -> None:
    for morsel in cookies.values():
        response.headers.add("Set-Cookie", morsel.OutputString())


def _text(value: Any) -> str:
    """An enum of azure-functions or a plain string."""
    return str(getattr(value, "value", value))
