"""The simulated cloud below a client of HTTP that opens its own connections: no socket, no thread, no TLS.

    network = Network(connect=streams(cloud))

Each connection takes whole requests and gives the bytes of the answers, as they would come over the network;
bodies are made while they are read. It ends where the cloud drops it, and whatever is sent on it afterwards
is lost. As `transport.py` does for the Azure SDKs, it takes the place of the network and of nothing above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simulator.server.responses import head_of
from simulator.wire import Answers, ConnectionDropped, Request, Response


def streams(cloud: Answers) -> Callable[[str, str, int], Stream]:
    """Return what opens connections to `cloud`, given scheme, host and port, and to nothing else."""
    return lambda scheme, host, port: Stream(cloud, scheme)


class Stream:
    """One connection."""

    def __init__(self, cloud: Answers, scheme: str) -> None:
        self._cloud = cloud
        self._scheme = scheme
        self._blocks: Iterator[bytes] = iter(())
        self._block = memoryview(b"")
        self._has_ended = False

    def send(self, head: bytes, body: memoryview) -> None:
        """Take one whole request; its answer can be received then."""
        if self._has_ended:
            raise BrokenPipeError("the other side has closed this connection")
        line, *fields = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, target, _ = line.split(" ")
        headers = {name: value.strip() for name, _, value in (each.partition(":") for each in fields)}
        url = f"{self._scheme}://{headers['host']}{target}"
        self._blocks = self._answer(Request.of(method, url, headers, bytes(body)))

    def receive(self, buffer: memoryview) -> int:
        """Give as much as one block holds; 0 is the end."""
        while not self._block:
            block = next(self._blocks, None)
            if block is None:
                self._has_ended = True  # nothing to come, and the reader waits: the connection is over
                return 0
            self._block = memoryview(block)
        count = min(len(buffer), len(self._block))
        buffer[:count] = self._block[:count]
        self._block = self._block[count:]
        return count

    def fill(self, buffer: memoryview) -> int:
        """Give until the buffer is full, or nothing more comes."""
        count = 0
        while count < len(buffer):
            more = self.receive(buffer[count:])
            if not more:
                break
            count += more
        return count

    def close(self) -> None:
        """Nothing more goes through it."""
        self._has_ended = True

    def _answer(self, request: Request) -> Iterator[bytes]:
        try:
            response, limit = self._cloud.handle(request), None
        except ConnectionDropped as dropped:
            self._has_ended = True
            if dropped.sent is None:
                return
            response, limit = dropped.sent, dropped.cut_after_bytes
        yield head_of(response, keep_open=True)
        if not response.has_no_body(request.method):
            yield from _up_to(response, limit)


def _up_to(response: Response, limit: int | None) -> Iterator[bytes]:
    for block in response.chunks():
        if limit is not None:
            block = block[:limit]
            limit -= len(block)
        if block:
            yield block
