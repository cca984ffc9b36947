"""What all bulk bytes go through: one request, one answer, over connections that are kept open.

    wire = Network()
    answer = wire.send("GET", url, {"x-ms-range": "bytes=0-4194303"}, into=buffer)

The Azure SDK's own loop reaches a quarter of what the loopback device can do, at five times the CPU; so pages
go through here, and the SDK is for all that is rare. Safe to share by threads. The proxies of the environment
are not read: Azure has none to name. URLs carry signatures, so no message has more of one than what comes
before its question mark.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Protocol

from domain.errors import Transient
from gateways.http_connection import Answer, Connection, ConnectionLost, Unreadable
from gateways.streams import Stream, connect

IDLE_SECONDS = 60.0  # a connection that rested longer is not used again: balancers drop it without a word
MOST_IDLE = 64  # kept per host

_PORTS = {"https": 443, "http": 80}
_Place = tuple[str, str]  # scheme and authority


class Wire(Protocol):
    """Whatever sends requests."""

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | memoryview = b"",
        into: memoryview | None = None,
        *,
        is_repeatable: bool = True,
    ) -> Answer:
        """Send a request, and return its answer, whatever its status.

        One that `is_repeatable` may be sent twice: again, where a connection that rested turns out to be
        closed, and nobody knows whether it has had its effect. With `into`, the body of an answer that
        succeeds goes into that buffer, and must fill it exactly; if the call fails the buffer may hold part
        of it. Raises Transient where no whole answer came.
        """
        ...


class Network:
    """Connections to any number of hosts; `connect` opens one, given scheme, host and port."""

    def __init__(self, connect: Callable[[str, str, int], Stream] = connect) -> None:
        self._connect = connect
        self._idle: dict[_Place, list[tuple[float, Connection]]] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _close, self._idle)  # nobody has to remember to close it

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | memoryview = b"",
        into: memoryview | None = None,
        *,
        is_repeatable: bool = True,
    ) -> Answer:
        """As `Wire.send` says."""
        scheme, authority, target = _parts(url)
        head = _head(method, target, authority, headers, len(body))
        place = (scheme, authority)
        try:
            return self._exchange(place, method, head, memoryview(body), into, is_repeatable)
        except Unreadable as wrong:
            raise Transient("AnswerUnreadable", f"{method} {without_query(url)}: {wrong}") from wrong
        except (ConnectionLost, OSError) as lost:
            raise Transient("ConnectionFailed", f"{method} {without_query(url)}: {lost}") from lost

    def close(self) -> None:
        """Close all connections that rest."""
        with self._lock:
            _close(self._idle)

    def _exchange(
        self,
        place: _Place,
        method: str,
        head: bytes,
        body: memoryview,
        into: memoryview | None,
        is_repeatable: bool,
    ) -> Answer:
        kept = self._kept(place) if is_repeatable else None
        if kept is not None:
            try:
                return self._answered(place, kept, method, head, body, into)
            except ConnectionLost as lost:
                if not lost.is_unanswered:
                    raise
                # It had been closed while it rested, most likely; so the others may be, too.
        return self._answered(place, self._opened(place), method, head, body, into)

    def _answered(
        self,
        place: _Place,
        connection: Connection,
        method: str,
        head: bytes,
        body: memoryview,
        into: memoryview | None,
    ) -> Answer:
        answer = connection.exchange(method, head, body, into)
        if connection.is_reusable:
            self._keep(place, connection)
        return answer

    def _opened(self, place: _Place) -> Connection:
        scheme, authority = place
        host, colon, port = authority.rpartition(":")
        if not colon or not port.isdigit():
            host, port = authority, str(_PORTS[scheme])
        return Connection(self._connect(scheme, host.strip("[]"), int(port)))

    def _kept(self, place: _Place) -> Connection | None:
        oldest = time.monotonic() - IDLE_SECONDS
        with self._lock:
            resting = self._idle.get(place)
            if not resting:
                return None
            since, connection = resting.pop()
            if since >= oldest:
                return connection
            stale, self._idle[place] = [connection, *(each for _, each in resting)], []
        for each in stale:  # those below have rested longer still
            each.close()
        return None

    def _keep(self, place: _Place, connection: Connection) -> None:
        with self._lock:
            resting = self._idle.setdefault(place, [])
            if len(resting) < MOST_IDLE:
                resting.append((time.monotonic(), connection))
                return
        connection.close()


def _close(idle: dict[_Place, list[tuple[float, Connection]]]) -> None:
    for resting in idle.values():
        for _, connection in resting:
            connection.close()
    idle.clear()


def without_query(url: str) -> str:
    """Return what of a URL may be told: a signature comes behind the question mark."""
    return url.partition("?")[0]


def _parts(url: str) -> tuple[str, str, str]:
    """Take a URL apart: scheme, authority, target."""
    scheme, colon, rest = url.partition("://")
    authority, slash, target = rest.partition("/")
    if not colon or scheme not in _PORTS or not authority or "@" in authority or "?" in authority:
        raise ValueError(f"{without_query(url)!r} is not a URL of this form: https://host/path")
    return scheme, authority, f"/{target}" if slash else "/"


def _head(method: str, target: str, authority: str, headers: Mapping[str, str], length: int) -> bytes:
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    told = f"content-length: {length}\r\n" if length or method in ("PUT", "POST") else ""
    head = f"{method} {target} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: tidemark\r\n{fields}{told}\r\n"
    lines = len(headers) + (5 if told else 4)
    if " " in target or head.count("\n") != lines or head.count("\r") != lines:
        raise ValueError(f"{method}: a header, or the address, would break the request in two")
    return head.encode("latin-1")
