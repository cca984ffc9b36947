"""The other end of a measured copy, in a process of its own: as little work as HTTP allows.

It is source and sink in one. It answers ranged reads with bytes of one block, takes pages in and forgets
them, and answers the few other things that the Azure SDK asks of a page blob. It checks nothing, so that what
is measured is the client.
"""

from __future__ import annotations

import os
import socket
import threading
from multiprocessing.connection import Connection

BLOCK_BYTES = 4 * 1024 * 1024

_COMMON = (
    'etag: "0x1"\r\nlast-modified: Sun, 22 Nov 2026 02:00:00 GMT\r\nx-ms-version: 2020-10-02\r\n'
    "x-ms-request-id: 00000001-001e-0000-0000-000000000000\r\nserver: bench\r\n"
    "date: Sun, 22 Nov 2026 02:00:00 GMT\r\n"
)
_WRITTEN = f"HTTP/1.1 201 Created\r\n{_COMMON}content-length: 0\r\n\r\n".encode()
_READ = (
    f"HTTP/1.1 206 Partial Content\r\n{_COMMON}x-ms-blob-type: PageBlob\r\n"
    f"content-range: bytes %d-%d/{2**43}\r\ncontent-length: %d\r\n\r\n"
).encode()
_LISTED = f"HTTP/1.1 200 OK\r\n{_COMMON}content-type: application/xml\r\ncontent-length: %d\r\n\r\n".encode()
_EMPTY_LIST = b'<?xml version="1.0" encoding="utf-8"?><PageList />'


def serve(pipe: Connection) -> None:
    """Be source and sink."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    block = memoryview(os.urandom(2 * BLOCK_BYTES))  # so that no read wraps

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_converse, args=(connection, block), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    pipe.send(listener.getsockname()[1])
    try:
        pipe.recv()
    except EOFError:
        return


def _converse(connection: socket.socket, block: memoryview) -> None:
    taken = memoryview(bytearray(BLOCK_BYTES))
    received = b""
    with connection:
        while True:
            while (end := received.find(b"\r\n\r\n")) < 0:
                more = connection.recv(65536)
                if not more:
                    return
                received += more
            head, received = received[: end + 4], received[end + 4 :]
            if head.startswith(b"PUT"):
                received = _take(connection, int(_told(head, b"content-length: ")), received, taken)
                connection.sendall(_WRITTEN)
            else:
                _give(connection, head, block)


def _take(connection: socket.socket, length: int, received: bytes, taken: memoryview) -> bytes:
    left = length - len(received)
    if left > 0:
        connection.recv_into(taken, left, socket.MSG_WAITALL)
    return received[length:]


def _give(connection: socket.socket, head: bytes, block: memoryview) -> None:
    if b"comp=pagelist" in head:
        connection.sendall(_LISTED % len(_EMPTY_LIST) + _EMPTY_LIST)
        return
    start, _, last = _told(head, b"x-ms-range: bytes=").partition(b"-")
    at, length = int(start) % BLOCK_BYTES, int(last) + 1 - int(start)
    told = _READ % (int(start), int(last), length)
    data = block[at : at + length]
    sent = connection.sendmsg([told, data])
    if sent < len(told) + length:  # the head went out, for it is shorter than any buffer
        connection.sendall(data[sent - len(told) :])


def _told(head: bytes, name: bytes) -> bytes:
    """Return what follows in a line; the SDK spells its headers otherwise."""
    at = head.find(name)
    if at < 0:
        at = head.lower().find(name)
    return head[at + len(name) : head.index(b"\r", at)] if at >= 0 else b"0"
