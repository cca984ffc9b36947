"""HTTP to a server on this machine, as lean as tests need it that ask the storage emulator a million times.

It stands below the transport of the SDKs in the place of `requests` and urllib3, which take two thirds of the
time of a request: no proxies, redirects, cookies, retries or TLS, and bodies are read whole. What the app has
in Azure is tried by the tests that bring their own process up.
"""

from __future__ import annotations

import io
import socket
import threading
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ProtocolError

SECONDS = 60.0  # until a server that says nothing is given up
_AS_IT_IS = "!#$%&'()*+,/:;=?@[]~"
_WITHOUT_BODY = (204, 304)


class Loopback:
    """The connections to servers of this machine: each is kept, and used by one request at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[str, list[_Line]] = {}
        self._is_closed = False

    def send(self, request: requests.PreparedRequest) -> requests.Response:
        """Send one request and read its answer; raises requests.ConnectionError as a lost connection does."""
        parts = urlsplit(request.url)
        target = quote(f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/", _AS_IT_IS)
        line = self._line(request, parts.netloc)
        try:
            answer = line.ask(request, parts.netloc, target)
        except OSError as error:
            line.close()
            raise requests.ConnectionError(
                ProtocolError("Connection aborted.", error), request=request
            ) from None
        except BaseException:
            line.close()
            raise
        self._keep(parts.netloc, line)
        return answer

    def close(self) -> None:
        """Close what is open; what is under way closes when it is over."""
        with self._lock:
            self._is_closed = True
            lines = [line for kept in self._idle.values() for line in kept]
            self._idle.clear()
        for line in lines:
            line.close()

    def _line(self, request: requests.PreparedRequest, place: str) -> _Line:
        with self._lock:
            kept = self._idle.get(place)
            if kept:
                return kept.pop()
        try:
            return _Line(place)
        except OSError as error:
            raise requests.ConnectionError(error, request=request) from None

    def _keep(self, place: str, line: _Line) -> None:
        with self._lock:
            if not self._is_closed and not line.is_over:
                self._idle.setdefault(place, []).append(line)
                return
        line.close()


class _Line:
    """One connection."""

    def __init__(self, place: str) -> None:
        host, _, port = place.partition(":")
        self._socket = socket.create_connection((host, int(port or 80)), SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        self.is_over = False

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def ask(self, request: requests.PreparedRequest, place: str, target: str) -> requests.Response:
        sent: Any = request.body or b""
        body: bytes = sent.encode() if isinstance(sent, str) else sent
        headers: Any = request.headers
        told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"{request.method} {target} HTTP/1.1\r\nHost: {place}\r\n{told}\r\n"
        self._socket.sendall(head.encode("latin-1") + body)
        return self._answer(request)

    def _answer(self, request: requests.PreparedRequest) -> requests.Response:
        first = self._read_line().decode("latin-1").split(" ", 2)
        status, reason, headers = int(first[1]), first[2] if len(first) > 2 else "", {}
        while line := self._read_line():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name] = value.strip()
        answer = answered(request, status, headers, b"", reason)
        self.is_over = answer.headers.get("Connection") == "close"
        if request.method != "HEAD" and status not in _WITHOUT_BODY:
            _fill(answer, self._body(answer.headers))
        return answer

    def _body(self, headers: Any) -> bytes:
        if headers.get("Transfer-Encoding") != "chunked":
            return self._read(int(headers.get("Content-Length", 0)))
        blocks = []
        while size := int(self._read_line(), 16):
            blocks.append(self._read(size))
            self._read_line()
        self._read_line()
        return b"".join(blocks)

    def _read_line(self) -> bytes:
        line = self._file.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the connection ended in the middle of an answer")
        return line.rstrip(b"\r\n")

    def _read(self, size: int) -> bytes:
        found = self._file.read(size)
        if len(found) < size:
            raise ConnectionResetError(f"the connection ended after {len(found)} of {size} bytes")
        return found


class _Raw(io.BytesIO):
    """What the SDK's transport sets its options on."""


class _Answer(requests.Response):
    """An answer without cookies, whose jar takes as long to make as everything else of it."""

    def __init__(self) -> None:
        self.history = []
        self._next = None


def answered(
    request: requests.PreparedRequest, status: int, headers: dict[str, str], body: bytes, reason: str = ""
) -> requests.Response:
    """Return an answer as `requests` would, its body read."""
    answer = _Answer()
    answer.request = request
    answer.url = request.url
    answer.status_code = status
    answer.reason = reason
    answer.headers = CaseInsensitiveDict(headers)
    answer.encoding = requests.utils.get_encoding_from_headers(answer.headers)
    answer.raw = _Raw()
    _fill(answer, body)
    return answer


def _fill(answer: requests.Response, body: bytes) -> None:
    answer._content = body
    answer._content_consumed = True
