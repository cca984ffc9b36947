"""Tidemark's HTTP API as a caller sees it."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 60.0

# A proxy that the environment names is for the world outside, not for this machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ApiFailed(Exception):
    """The API refused, or did not answer; `status` is 0 if there was no answer at all."""

    def __init__(self, message: str, status: int = 0, problem: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem


@dataclass(frozen=True)
class Api:
    """The API at `url` (with /api/v1 at its end), for who has the token."""

    url: str
    token: str

    def get(self, path: str) -> Any:
        """Return what is at a path; raises ApiFailed."""
        return self._ask("GET", path)

    def post(self, path: str, body: Any, key: str | None = None) -> Any:
        """Ask for something; return the operation that was accepted. Raises ApiFailed.

        Asking again under the same `key` asks for the same operation.
        """
        return self._ask("POST", path, body, {"Idempotency-Key": key} if key else {})

    def _ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                **(headers or {}),
            },
        )
        try:
            with _direct.open(request, timeout=TIMEOUT_SECONDS) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            problem = _problem(error)
            raise ApiFailed(f"{method} {path}: {error.code} {_told(problem)}", error.code, problem) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ApiFailed(f"{method} {path}: no answer ({error})") from error


def _problem(error: urllib.error.HTTPError) -> Any:
    with error:
        try:
            return json.load(error)
        except (OSError, ValueError):
            return None


def _told(problem: Any) -> str:
    if not isinstance(problem, dict):
        return "(nothing more is told)"
    return problem.get("detail") or problem.get("title") or json.dumps(problem)
