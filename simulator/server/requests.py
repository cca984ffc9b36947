"""Reading HTTP/1.1 requests from a connection (RFC 9112). What is malformed is refused, never guessed at."""

from __future__ import annotations

import re
import socket

from simulator.wire import Headers, Request

HEAD_LIMIT = 64 * 1024  # request line and headers; SAS and operation URLs are several KB long
BODY_LIMIT = 64 * 1024 * 1024
_RECEIVE_BYTES = 64 * 1024

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/(\d)\.(\d)")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")
_WITH_LENGTH = ("PUT", "POST")
_LEVERS = "/simulator/"
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")


class BadRequest(Exception):
    """The request cannot be understood or taken; `status` is what to answer before the connection ends."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class RequestReader:
    """Takes one request after the other from a connection; what comes early waits in its buffer."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()

    def next(self) -> tuple[Request, bool] | None:
        """Return the next request, and whether the client wants to go on afterwards; None if it ended the
        connection between requests. Raises BadRequest."""
        head = self._head()
        if head is None:
            return None
        method, target, minor, headers = _parsed(head)
        _require_length(method, target, headers)
        body = self._body(headers, minor)
        tokens = {token.strip().lower() for token in headers.get("connection", "").split(",")}
        keep_open = "close" not in tokens if minor else "keep-alive" in tokens
        return _request(method, target, minor, headers, body), keep_open

    def _head(self) -> bytes | None:
        searched = 0
        while (end := self._buffer.find(b"\r\n\r\n", searched)) < 0:
            if len(self._buffer) > HEAD_LIMIT:
                break
            searched = max(0, len(self._buffer) - 3)
            if not self._receive():
                if self._buffer.strip(b"\r\n"):
                    raise BadRequest(400, "The connection ended inside the head of a request")
                return None
            while self._buffer.startswith(b"\r\n"):  # RFC 9112 §2.2: ignore empty lines before a request
                del self._buffer[:2]
        if end < 0 or end > HEAD_LIMIT:
            raise BadRequest(431, f"The request line and headers are longer than {HEAD_LIMIT} bytes")
        return self._take(end + 4)[:-4]

    def _body(self, headers: Headers, minor: int) -> bytes:
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is not None and length is not None:
            raise BadRequest(400, "Both Transfer-Encoding and Content-Length: which one counts is ambiguous")
        if coding is None and length is None:
            return b""
        size = _content_length(length) if length is not None else 0
        self._continue(headers, minor)
        if coding is None:
            return self._exactly(size)
        if coding.lower() != "chunked":
            raise BadRequest(501, f"Transfer-Encoding {coding!r}; only chunked is understood")
        return self._chunked()

    def _continue(self, headers: Headers, minor: int) -> None:
        expectation = headers.get("expect")
        if expectation is None or not minor:
            return
        if expectation.lower() != "100-continue":
            raise BadRequest(417, f"Expect: {expectation}; only 100-continue is understood")
        if not self._buffer:
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _chunked(self) -> bytes:
        body = bytearray()
        while size := self._chunk_size():
            if len(body) + size > BODY_LIMIT:
                raise BadRequest(413, f"The body is longer than {BODY_LIMIT} bytes")
            body += self._exactly(size)
            if self._exactly(2) != b"\r\n":
                raise BadRequest(400, "A chunk does not end where its size says")
        while self._line():  # trailers, which nothing here needs
            pass
        return bytes(body)

    def _chunk_size(self) -> int:
        line = self._line()
        match = _CHUNK_SIZE.fullmatch(line)
        if not match:
            raise BadRequest(400, f"{line[:40]!r} is no chunk size")
        return int(match[1], 16)

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > HEAD_LIMIT:
                raise BadRequest(400, "A line of a chunked body is too long")
            self._receive_more()
        return self._take(end + 2)[:-2]

    def _exactly(self, size: int) -> bytes:
        """Return the next bytes; what has not come yet is received where it stays: bodies have megabytes."""
        early = len(self._buffer)
        if size <= early:
            return self._take(size)
        body = bytearray(size)
        body[:early] = self._take(early)
        with memoryview(body) as view:
            while early < size:
                received = self._connection.recv_into(view[early:])
                if not received:
                    raise BadRequest(400, "The connection ended inside the body of a request")
                early += received
        return bytes(body)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _receive_more(self) -> None:
        if not self._receive():
            raise BadRequest(400, "The connection ended inside the body of a request")

    def _receive(self) -> bool:
        received = self._connection.recv(_RECEIVE_BYTES)
        self._buffer += received
        return bool(received)


def _parsed(head: bytes) -> tuple[str, str, int, Headers]:
    """Take the head of a request apart: method, target, minor version of HTTP, headers."""
    line, *fields = head.split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if not match:
        raise BadRequest(400, f"{line[:80]!r} is no request line")
    if match[3] != b"1":
        raise BadRequest(505, f"HTTP/{match[3].decode()}.{match[4].decode()}; only HTTP/1.x is understood")
    headers = Headers()
    for each in fields:
        _add_field(headers, each)
    return match[1].decode(), match[2].decode(), int(match[4]), headers


def _require_length(method: str, target: str, headers: Headers) -> None:
    """Refuse what Azure's front ends refuse (azure-semantics.md §4.7): to say neither how long the body is,
    nor that it comes in chunks. Whoever pulls a lever of the simulator by hand need not."""
    if method not in _WITH_LENGTH or target.startswith(_LEVERS):
        return
    if not {"content-length", "transfer-encoding"} & set(headers):
        raise BadRequest(411, "HTTP Error 411. The request must be chunked or have a content length.")


def _add_field(headers: Headers, line: bytes) -> None:
    match = _FIELD.fullmatch(line)
    if not match:
        raise BadRequest(400, f"{line[:80]!r} is no header")
    name, value = match[1].decode().lower(), match[2].decode("latin-1")
    if name not in headers:
        headers[name] = value
    elif name in ("host", "content-length", "transfer-encoding"):
        raise BadRequest(400, f"The header {name} comes twice")
    else:
        headers[name] = f"{headers[name]}, {value}"


def _content_length(value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise BadRequest(400, f"Content-Length {value!r} is no length")
    if int(value) > BODY_LIMIT:
        raise BadRequest(413, f"The body is longer than {BODY_LIMIT} bytes")
    return int(value)


def _request(method: str, target: str, minor: int, headers: Headers, body: bytes) -> Request:
    host = headers.get("host")
    if host is None and minor:
        raise BadRequest(400, "The header Host is missing")
    if target.startswith("/"):
        target = f"http://{host or '127.0.0.1'}{target}"
    elif not target.startswith(("http://", "https://")):
        raise BadRequest(400, f"The target {target[:80]!r} is neither a path nor a URL")
    try:
        return Request.of(method, target, headers, body)
    except ValueError as error:
        raise BadRequest(400, f"The target {target[:80]!r} is no URL: {error}") from None
