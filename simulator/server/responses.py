"""Writing HTTP/1.1 responses to a connection, large bodies straight from file to socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable

from simulator.wire import BodyPart, Response

_MORE_FOLLOWS = getattr(socket, "MSG_MORE", 0)  # Linux: let the head travel with the first bytes of the body
_SENDFILE_BYTES = 1024 * 1024 * 1024
_DRAIN_SECONDS = 1.0


def send(
    connection: socket.socket,
    method: str,
    response: Response,
    keep_open: bool,
    cut_after_bytes: int | None = None,
) -> None:
    """Send a response, or its head and no more than `cut_after_bytes` of its body."""
    body = b"" if response.has_no_body(method) else response.body
    head = head_of(response, keep_open)
    if isinstance(body, bytes):
        connection.sendall(head + body[:cut_after_bytes])
        return
    connection.sendall(head, _MORE_FOLLOWS if response.length and cut_after_bytes != 0 else 0)
    if cut_after_bytes is None:
        _send_parts(connection, body)
    else:
        _send_up_to(connection, response, cut_after_bytes)


def refuse(connection: socket.socket, status: int, message: str) -> None:
    """Answer what could not be understood, and let the client read the answer before the connection ends."""
    response = Response(status, body=f"{message}\n".encode())
    response.headers["content-type"] = "text/plain; charset=utf-8"
    send(connection, "GET", response, keep_open=False)
    connection.shutdown(socket.SHUT_WR)
    # Closing with unread bytes would reset the connection, and the client could lose the answer.
    connection.settimeout(_DRAIN_SECONDS)
    while connection.recv(65536):
        pass


def head_of(response: Response, keep_open: bool) -> bytes:
    """Return the head of a response, as it is sent."""
    lines = [f"HTTP/1.1 {response.status} {response.phrase}"]
    lines += [f"{name}: {value}" for name, value in response.framed_headers().items()]
    if not keep_open:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _send_parts(connection: socket.socket, parts: Iterable[BodyPart]) -> None:
    for part in parts:
        if part.file is None:
            for block in part.blocks():
                connection.sendall(block)
        else:
            _send_file(connection, part.file, part.offset, part.length)


def _send_file(connection: socket.socket, file: int, offset: int, length: int) -> None:
    end = offset + length
    while offset < end:
        sent = os.sendfile(connection.fileno(), file, offset, min(end - offset, _SENDFILE_BYTES))
        if not sent:
            raise OSError(f"the file of the disks ends at {offset}, before the stretch up to {end}")
        offset += sent


def _send_up_to(connection: socket.socket, response: Response, limit: int) -> None:
    for block in response.chunks():
        if limit <= 0:
            return
        connection.sendall(block[:limit])
        limit -= len(block)
