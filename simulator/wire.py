"""What goes in and out of the simulated cloud: requests and responses without sockets.

The core answers one `Request` with one `Response` and does no I/O of its own, so that the same code stands
behind the transport of the Azure SDKs in a test and behind an HTTP server on loopback.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit


class Headers(dict[str, str]):
    """Header names and values; names are kept in lower case, as HTTP compares them."""

    def __init__(self, items: Mapping[str, str] | None = None) -> None:
        super().__init__({name.lower(): value for name, value in (items or {}).items()})

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __setitem__(self, name: str, value: str) -> None:
        super().__setitem__(name.lower(), value)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


@dataclass(frozen=True)
class Request:
    """One HTTP request: the URL already taken apart, the path percent-decoded and as it was sent."""

    method: str
    host: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    encoded_path: str = ""

    @classmethod
    def of(
        cls, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Request:
        """Take an absolute URL apart."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        path = unquote(parts.path)
        return cls(method.upper(), parts.netloc.lower(), path, query, Headers(headers), body, parts.path)

    def json(self) -> Any:
        """Return the body as JSON; raises ValueError if it is not."""
        return json.loads(self.body) if self.body else None


class BodyPart(Protocol):
    """A stretch of a large body that is read only when it is sent."""

    @property
    def length(self) -> int:
        """How many bytes the part adds to the body."""
        ...

    @property
    def file(self) -> int | None:
        """The descriptor of the file that holds the bytes, so that a server can hand them to the kernel;
        None if only `blocks` gives them."""
        ...

    @property
    def offset(self) -> int:
        """Where in the file the part begins."""
        ...

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces of bounded size, however long the part is."""
        ...


@dataclass
class Response:
    """One HTTP response; the body is bytes, or parts that are read when they are sent. `reason` stands behind
    the status where it is not the usual phrase."""

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes | Sequence[BodyPart] = b""
    reason: str = ""

    @classmethod
    def of_json(cls, status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
        """Answer with a JSON document."""
        answer = cls(status, Headers(headers), json.dumps(value).encode())
        answer.headers["content-type"] = "application/json; charset=utf-8"
        return answer

    @property
    def phrase(self) -> str:
        """What stands behind the status."""
        try:
            return self.reason or HTTPStatus(self.status).phrase
        except ValueError:
            return "Status"

    @property
    def length(self) -> int:
        """The length of the body in bytes."""
        return len(self.body) if isinstance(self.body, bytes) else sum(part.length for part in self.body)

    def has_no_body(self, method: str) -> bool:
        """Tell whether HTTP forbids a body in this answer (RFC 9110 §6.4.1), whatever `body` holds."""
        return method == "HEAD" or self.status in (204, 304) or self.status < 200

    def framed_headers(self) -> Headers:
        """Return the headers with the length of the body among them, as they are sent. A content-length that
        is there already is kept: the answer to a HEAD tells the length of a body that it does not have."""
        if "content-length" in self.headers or self.status in (204, 304):
            return self.headers
        framed = Headers(self.headers)
        framed["content-length"] = str(self.length)
        return framed

    def chunks(self) -> Iterator[bytes]:
        """Yield the body piece by piece."""
        if isinstance(self.body, bytes):
            yield self.body
        else:
            for part in self.body:
                yield from part.blocks()


class Answers(Protocol):
    """Whatever answers requests: the whole cloud, or a piece of it in a test."""

    def handle(self, request: Request) -> Response:
        """Answer one request; raises ConnectionDropped where a real client would lose its connection."""
        ...


class ConnectionDropped(Exception):
    """The other side is not told anything: the connection ends, with or without part of an answer.

    `sent` is the answer of which the head and the first `cut_after_bytes` bytes of the body arrive; None if
    nothing does.
    """

    def __init__(self, sent: Response | None = None, cut_after_bytes: int = 0) -> None:
        super().__init__("connection dropped")
        self.sent = sent
        self.cut_after_bytes = cut_after_bytes
