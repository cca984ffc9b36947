"""Small pieces of HTTP that the Durable API reads and writes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from local_host.history import moment


def moment_of(request: web.BaseRequest, name: str) -> datetime | None:
    """A moment among the query's parameters; None if it is missing or cannot be read."""
    try:
        return moment(request.query[name].replace(" ", "+")).astimezone(UTC)
    except (KeyError, ValueError):
        return None


def flag(request: web.BaseRequest, name: str, default: bool) -> bool:
    """True or false among the query's parameters."""
    return {"true": True, "false": False}.get(request.query.get(name, "").lower(), default)


def seconds(request: web.BaseRequest, name: str) -> float | None:
    """A number among the query's parameters."""
    try:
        return float(request.query[name])
    except (KeyError, ValueError):
        return None


def json_answer(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Answer with a JSON document."""
    return web.json_response(document, status=status, headers=headers)


def nothing(status: int) -> web.Response:
    """Answer with a status alone."""
    return web.Response(status=status)


def error_answer(status: int, message: str, error: Exception) -> web.Response:
    """HttpError of ASP.NET, without a stack."""
    document = {"Message": message, "ExceptionMessage": str(error), "ExceptionType": type(error).__name__}
    return json_answer(document, status)
