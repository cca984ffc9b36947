"""A network that answers as it was told to, under the real Azure SDKs, and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.core.credentials import AccessToken

from simulator.wire import Request, Response

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
COMPUTE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/backups/providers/Microsoft.Compute"


class Script:
    """Gives one answer after the other; what is an exception is raised, as the network would."""

    def __init__(self, *answers: Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[Request] = []

    def handle(self, request: Request) -> Response:
        """Give the next answer; a request too many is a fault of the code under test."""
        self.requests.append(request)
        assert self._answers, f"{request.method} {request.path} was not expected"
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Token:
    """A credential that counts how often it is asked."""

    def __init__(self, text: str = "secret") -> None:
        self.text = text
        self.scopes: list[tuple[str, ...]] = []

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes.append(scopes)
        return AccessToken(self.text, 4102444800)


def error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error as Resource Manager sends it: wrapped in `error` (azure-semantics.md §8)."""
    return Response.of_json(status, {"error": {"code": code, "message": message}}, headers)
