"""The bytes of one connection to a service, in the clear or under TLS, with bounded waiting."""

from __future__ import annotations

import socket
import ssl
import struct
from functools import cache
from typing import Protocol

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0  # for one stretch of an answer, and for taking in one of a request


class Stream(Protocol):
    """The bytes of one connection, both ways; raises OSError where it breaks, TimeoutError among them."""

    def send(self, head: bytes, body: memoryview) -> None:
        """Send all of both."""
        ...

    def receive(self, buffer: memoryview) -> int:
        """Receive what is there, at least one byte; 0 if the other side has ended."""
        ...

    def fill(self, buffer: memoryview) -> int:
        """Receive until the buffer is full or the other side has ended; return how much came."""
        ...

    def close(self) -> None:
        """Close it; doing it twice is doing it once."""
        ...


def connect(scheme: str, host: str, port: int) -> Stream:
    """Open a connection; raises OSError."""
    opened = socket.create_connection((host, port), CONNECT_SECONDS)
    try:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if scheme == "http":
            return _Plain(opened)
        return _Encrypted(_tls().wrap_socket(opened, server_hostname=host))
    except BaseException:
        opened.close()
        raise


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()  # it reads all certificates of the machine: once per process


_ENDED = (ssl.SSLEOFError, ssl.SSLZeroReturnError)


class _Plain:
    """A bare socket. It blocks, and the kernel keeps the time: so one call fills a whole buffer."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        opened.settimeout(None)
        whole = int(ANSWER_SECONDS)
        most = struct.pack("ll", whole, int((ANSWER_SECONDS - whole) * 1_000_000))
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            opened.setsockopt(socket.SOL_SOCKET, option, most)

    def send(self, head: bytes, body: memoryview) -> None:
        try:
            sent = self._socket.sendmsg([head, body])
            if sent < len(head):
                self._socket.sendall(head[sent:])
                sent = len(head)
            if sent < len(head) + len(body):
                self._socket.sendall(body[sent - len(head) :])
        except BlockingIOError:
            raise TimeoutError(f"nothing more was taken in for {ANSWER_SECONDS:g} s") from None

    def receive(self, buffer: memoryview) -> int:
        return self._received(buffer, 0)

    def fill(self, buffer: memoryview) -> int:
        count = 0
        while count < len(buffer):
            more = self._received(buffer[count:], socket.MSG_WAITALL)
            if not more:
                break
            count += more
        return count

    def _received(self, buffer: memoryview, flags: int) -> int:
        try:
            return self._socket.recv_into(buffer, 0, flags)
        except BlockingIOError:
            raise TimeoutError(f"nothing came for {ANSWER_SECONDS:g} s") from None

    def close(self) -> None:
        self._socket.close()


class _Encrypted:
    """A socket under TLS; it ends like a bare one, whichever of its own errors tells so."""

    def __init__(self, opened: ssl.SSLSocket) -> None:
        self._socket = opened
        opened.settimeout(ANSWER_SECONDS)

    def send(self, head: bytes, body: memoryview) -> None:
        try:
            self._socket.sendall(head)
            if body:
                self._socket.sendall(body)
        except _ENDED as ended:
            raise ConnectionResetError(str(ended)) from ended

    def receive(self, buffer: memoryview) -> int:
        try:
            return self._socket.recv_into(buffer)
        except _ENDED as ended:
            raise ConnectionResetError(str(ended)) from ended

    def fill(self, buffer: memoryview) -> int:
        count = 0
        while count < len(buffer):
            more = self.receive(buffer[count:])
            if not more:
                break
            count += more
        return count

    def close(self) -> None:
        self._socket.close()
