"""Plain HTTP for the tests, with the standard library."""

from __future__ import annotations

import json
from email.message import Message
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen


class Answer(NamedTuple):
    """Status, headers, body as text."""

    status: int
    headers: Message
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


def call(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    """Send a request; a body is sent as JSON, bytes as they are."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    request = Request(
        url, data=data, method=method, headers={"Content-Type": "application/json", **(headers or {})}
    )
    try:
        with urlopen(request, timeout=30) as response:
            return Answer(response.status, response.headers, response.read().decode())
    except HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read().decode())
