"""One HTTP/1.1 connection (RFC 9112): a request out, an answer in, large bodies straight into a buffer.

It stands where `http.client` would. That one reads the head of an answer line by line through the parser of
e-mail, which for pieces of 64 KiB costs more than the bytes do; here the head is one receive, and the rest of
a body is one call into the kernel. What is malformed or ambiguous is refused, never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from gateways.streams import Stream

MOST_CONTENT = 64 * 1024 * 1024  # bytes of an answer that no buffer waits for; a page list is about 1 MiB

_HEAD_BYTES = 4096  # received at first; the head of an answer of Azure's has about 1 KiB
_MOST_HEAD = 64 * 1024
_STATUS = re.compile(r"HTTP/1\.([01]) (\d{3})(?: .*)?")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ONCE = frozenset({"content-length", "transfer-encoding"})
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")


class ConnectionLost(Exception):
    """The connection ended where it must not; `is_unanswered`: before anything of the answer had come."""

    def __init__(self, message: str, is_unanswered: bool = False) -> None:
        super().__init__(message)
        self.is_unanswered = is_unanswered


class Unreadable(Exception):
    """The answer is none of HTTP's, or not of the length that was asked for."""


@dataclass(frozen=True)
class Answer:
    """What came back: names of headers in lower case; `content` is empty where a buffer took the body."""

    status: int
    headers: Mapping[str, str]
    content: bytes = b""


class Connection:
    """Requests and answers, one after the other, over one stream."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._early = memoryview(b"")  # what was received behind what has been read so far
        self._buffer = memoryview(bytearray(_HEAD_BYTES))
        self.is_reusable = True

    def close(self) -> None:
        """Close it; doing it twice is doing it once."""
        self.is_reusable = False
        self._stream.close()

    def exchange(self, method: str, head: bytes, body: memoryview, into: memoryview | None) -> Answer:
        """Send a request and return its answer; the body of one that succeeds goes into `into`, if given.

        Raises ConnectionLost, Unreadable and OSError; the connection is closed then.
        """
        try:
            return self._exchange(method, head, body, into)
        except BaseException:
            self.close()
            raise

    def _exchange(self, method: str, head: bytes, body: memoryview, into: memoryview | None) -> Answer:
        broken = self._send(head, body)
        minor, status, headers = _parsed(self._head(broken))
        while status < 200:  # only a promise of an answer
            minor, status, headers = _parsed(self._head(broken))
        content = b""
        if method != "HEAD" and status not in (204, 304):
            content = self._content(headers, into if status < 300 else None)
        elif into is not None:
            raise Unreadable(f"the answer {status} has no body")
        if self._is_over(minor, headers) or broken or self._early:
            # After a request that is not out whole, or more than one answer, nothing would be in its place.
            self.close()
        return Answer(status, headers, content)

    def _is_over(self, minor: int, headers: Mapping[str, str]) -> bool:
        tokens = headers.get("connection", "").lower()
        return not self.is_reusable or "close" in tokens or (minor == 0 and "keep-alive" not in tokens)

    def _send(self, head: bytes, body: memoryview) -> OSError | None:
        """Send the request; a service that refuses it may end the connection before all of it is out, and
        has answered all the same. Returns what broke then."""
        try:
            self._stream.send(head, body)
        except (BrokenPipeError, ConnectionResetError) as broken:
            return broken
        return None

    def _head(self, broken: OSError | None) -> str:
        """Receive the head of an answer; what came behind it stays in `_early`."""
        received = bytes(self._early)
        while (end := received.find(b"\r\n\r\n")) < 0:
            if len(received) > _MOST_HEAD:
                raise Unreadable(f"the head of the answer has more than {_MOST_HEAD} bytes")
            try:
                count = self._stream.receive(self._buffer)
            except (BrokenPipeError, ConnectionResetError) as reset:
                raise ConnectionLost(str(broken or reset), is_unanswered=not received) from reset
            if not count:
                raise ConnectionLost("the connection ended without an answer", is_unanswered=not received)
            received += self._buffer[:count]
        self._early = memoryview(received)[end + 4 :]
        return str(received[:end], "latin-1")

    def _content(self, headers: Mapping[str, str], into: memoryview | None) -> bytes:
        length = _length(headers)
        if length is None:
            chunked = self._chunked() if "transfer-encoding" in headers else self._rest()
            if into is None:
                return chunked
            _require(len(chunked), len(into))
            into[:] = chunked
            return b""
        if into is not None:
            _require(length, len(into))
            self._fill(into)
            return b""
        if length > MOST_CONTENT:
            raise Unreadable(f"the answer has {length} bytes; at most {MOST_CONTENT} are taken")
        if not length:
            return b""
        content = bytearray(length)
        self._fill(memoryview(content))
        return bytes(content)

    def _fill(self, buffer: memoryview) -> None:
        early = min(len(self._early), len(buffer))
        buffer[:early] = self._early[:early]
        self._early = self._early[early:]
        if early < len(buffer):
            count = early + self._stream.fill(buffer[early:])
            if count < len(buffer):
                raise ConnectionLost(f"the connection ended after {count} of {len(buffer)} bytes")

    def _rest(self) -> bytes:
        """Receive a body whose length nothing tells: it ends with the connection."""
        self.is_reusable = False
        content = bytearray(self._early)
        self._early = memoryview(b"")
        while count := self._stream.receive(self._buffer):
            content += self._buffer[:count]
            if len(content) > MOST_CONTENT:
                raise Unreadable(f"the answer has more than {MOST_CONTENT} bytes")
        return bytes(content)

    def _chunked(self) -> bytes:
        content = bytearray()
        while size := self._chunk_size():
            if len(content) + size > MOST_CONTENT:
                raise Unreadable(f"the answer has more than {MOST_CONTENT} bytes")
            chunk = bytearray(size + 2)
            self._fill(memoryview(chunk))
            if chunk[size:] != b"\r\n":
                raise Unreadable("a chunk does not end where its size says")
            content += memoryview(chunk)[:size]
        while self._line():  # trailers, which nothing here needs
            pass
        return bytes(content)

    def _chunk_size(self) -> int:
        line = self._line()
        match = _CHUNK.fullmatch(line)
        if match is None:
            raise Unreadable(f"{line[:40]!r} is no size of a chunk")
        return int(match[1], 16)

    def _line(self) -> bytes:
        line = bytes(self._early)
        while (end := line.find(b"\r\n")) < 0:
            if len(line) > _MOST_HEAD:
                raise Unreadable("a line of the answer is too long")
            count = self._stream.receive(self._buffer)
            if not count:
                raise ConnectionLost("the connection ended within the answer")
            line += self._buffer[:count]
        self._early = memoryview(line[end + 2 :])
        return line[:end]


def _parsed(head: str) -> tuple[int, int, dict[str, str]]:
    """Take the head of an answer apart: minor version of HTTP, status, headers."""
    line, *fields = head.split("\r\n")
    match = _STATUS.fullmatch(line)
    if match is None:
        raise Unreadable(f"{line[:40]!r} is no answer of HTTP")
    headers: dict[str, str] = {}
    for field in fields:
        name, value = _field(field)
        if name in headers:
            if name in _ONCE:
                raise Unreadable(f"the header {name} comes twice")
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return int(match[1]), int(match[2]), headers


@lru_cache(256)  # most lines of an answer are those of the one before
def _field(line: str) -> tuple[str, str]:
    """Return a header: its name in lower case, and what it says."""
    told, colon, value = line.partition(":")
    if not colon:
        raise Unreadable(f"{line[:40]!r} is no header")
    if not _NAME.fullmatch(told):
        raise Unreadable(f"{told[:40]!r} is no name of a header")
    return told.lower(), value.strip()


def _length(headers: Mapping[str, str]) -> int | None:
    """Return the length of the body; None if it is told by chunks, or by the end of the connection."""
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None and (length is not None or coding.lower() != "chunked"):
        raise Unreadable(f"the body has the transfer coding {coding!r} beside the length {length!r}")
    if length is None:
        return None
    if not (length.isascii() and length.isdigit()):
        raise Unreadable(f"the length of the body is {length!r}")
    return int(length)


def _require(length: int, wanted: int) -> None:
    if length != wanted:
        raise Unreadable(f"the answer has {length} bytes instead of {wanted}")
