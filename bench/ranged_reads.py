"""How fast the simulator serves a disk's bytes, beside what the machine's sockets can do at all.

Four connections read 4 MiB at a time: by http.client from the simulator's server, and by recv_into from a
bare socket that answers each request with one sendall. Either server is a process of its own. The two take
turns, and what counts is their ratio within a round: it says what HTTP and the simulator cost, while the rate
itself says more about the machine and what else it is doing.
"""

from __future__ import annotations

import http.client
import os
import socket
import statistics
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

from bench.processes import serving
from clock import SystemClock
from simulator.data_plane import DataPlane
from simulator.data_plane.access import AccessTable
from simulator.images import ImageStore
from simulator.server import Server

RANGE_BYTES = 4 * 1024 * 1024
CONNECTIONS = 4
RANGES = 32  # per connection and round
ROUNDS = 9
AIM = 0.5

_DISK_BYTES = CONNECTIONS * RANGES * RANGE_BYTES  # a round reads every byte once
_REQUEST_BYTES = 256  # about what the HTTP request is long


def measure() -> list[dict[str, Any]]:
    """Return the rates of both, in MB/s (10^6 bytes), and their ratio; medians over all rounds."""
    served, bare = [], []
    with serving(_serve_disk) as url, serving(_serve_bare) as port:
        for number in range(ROUNDS + 1):
            rates = _rate(lambda lane: _read_by_http(url, lane)), _rate(lambda _: _read_bare(port))
            if number:  # the first round only warms up
                served.append(rates[0])
                bare.append(rates[1])
    ratio = statistics.median(one / other for one, other in zip(served, bare, strict=True))
    name = f"{CONNECTIONS} connections, 4 MiB ranges"
    return [
        _result(f"simulator, http.client, {name}", statistics.median(served), "MB/s", None),
        _result(f"bare sockets, {name}", statistics.median(bare), "MB/s", None),
        _result(f"simulator beside bare sockets, {name}", ratio, "ratio", AIM),
    ]


def _result(name: str, value: float, unit: str, aim: float | None) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "aim": aim, "better": "higher"}


def _rate(read: Callable[[int], None]) -> float:
    lanes = [threading.Thread(target=read, args=(lane,)) for lane in range(CONNECTIONS)]
    began = time.perf_counter()
    for each in lanes:
        each.start()
    for each in lanes:
        each.join()
    return _DISK_BYTES / (time.perf_counter() - began) / 1e6


def _read_by_http(url: str, lane: int) -> None:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), int(address.port or 0))
    buffer = memoryview(bytearray(RANGE_BYTES))
    for number in range(RANGES):
        start = (lane * RANGES + number) * RANGE_BYTES
        headers = {"x-ms-range": f"bytes={start}-{start + RANGE_BYTES - 1}", "x-ms-version": "2020-10-02"}
        connection.request("GET", f"{address.path}?{address.query}", headers=headers)
        answer = connection.getresponse()
        if answer.status != 206:
            raise RuntimeError(f"the simulator answered {answer.status}: {answer.read()!r}")
        received = 0
        while count := answer.readinto(buffer[received:]):
            received += count
        if received != RANGE_BYTES:
            raise RuntimeError(f"{received} bytes arrived instead of {RANGE_BYTES}")
    connection.close()


def _read_bare(port: int) -> None:
    buffer = memoryview(bytearray(RANGE_BYTES))
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(RANGES):
            connection.sendall(bytes(_REQUEST_BYTES))
            received = 0
            while received < RANGE_BYTES:
                received += connection.recv_into(buffer[received:])


def _serve_disk(pipe: Connection) -> None:
    store = ImageStore()
    disk = store.create(_DISK_BYTES)
    for start in range(0, _DISK_BYTES, RANGE_BYTES):
        disk.write(start, os.urandom(RANGE_BYTES))
    now = datetime.now(UTC)
    accesses = AccessTable(SystemClock())
    access = accesses.grant(
        "disk",
        image=disk.freeze_copy(),
        family_id="family",
        created=now,
        region="westeurope",
        readable_until=now + timedelta(days=1),
    )
    with Server(DataPlane(accesses, SystemClock())) as server:
        pipe.send(access.url(server.url))
        _wait_for_end(pipe)
    store.close()


def _serve_bare(pipe: Connection) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    data = memoryview(os.urandom(RANGE_BYTES))
    threading.Thread(target=_answer_bare, args=(listener, data), daemon=True).start()
    pipe.send(listener.getsockname()[1])
    _wait_for_end(pipe)


def _answer_bare(listener: socket.socket, data: memoryview) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_converse_bare, args=(connection, data), daemon=True).start()


def _converse_bare(connection: socket.socket, data: memoryview) -> None:
    with connection:
        while connection.recv(_REQUEST_BYTES, socket.MSG_WAITALL):
            connection.sendall(data)


def _wait_for_end(pipe: Connection) -> None:
    try:
        pipe.recv()
    except EOFError:
        return


if __name__ == "__main__":
    for each in measure():
        print(f"{each['value']:10.2f} {each['unit']:6} {each['name']}")  # noqa: T201 (run by hand)
