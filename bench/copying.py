"""How fast pages are streamed, beside what sockets can do at all and beside the Azure SDK's own copy loop.

All read from one server and write to the same, with the same sizes and as many connections, and take turns
within a round; what counts is their ratio within a round. The limit is bare sockets that have the requests
ready, and look for nothing in the answers but their ends: receive into a buffer, send it on. Beside rates:
the client's CPU time, and its peak memory for much and for very much, in a process of its own.
"""

from __future__ import annotations

import re
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobClient

from bench.copying_server import BLOCK_BYTES, serve
from bench.processes import SPAWN, serving
from domain.page_writes import Write
from gateways.blob_access import Opened, Signed
from gateways.page_blobs import PageBlob
from gateways.page_transfers import Checks, PageTransfer
from gateways.wire import Network

CONNECTIONS = 4
ROUNDS = 7
DENSE_BYTES = 512 * 1024**2
SDK_BYTES = 128 * 1024**2  # it is slow, and a rate is a rate
SCATTERED_BYTES = 256 * 1024**2
MUCH, VERY_MUCH = 1024**3, 64 * 1024**3
MOST_MEMORY_MIB = 150

_GIB = 1024**3
_HEAD_BYTES = 4096
_READ = b"GET /s HTTP/1.1\r\nhost: s\r\nx-ms-range: bytes=%d-%d\r\n\r\n"
_WRITE = b"PUT /t HTTP/1.1\r\nhost: t\r\nx-ms-range: bytes=%d-%d\r\ncontent-length: %d\r\n\r\n"
Cost = tuple[float, float]  # bytes per second, and CPU seconds per GiB


def measure(with_very_much: bool = True) -> list[dict[str, Any]]:
    """Return rates in MB/s (10^6 bytes), their ratios, CPU seconds per GiB and peak memory; medians."""
    with serving(serve) as port:
        runs = _runs(port)
        found: dict[str, list[Cost]] = {name: [] for name in runs}
        for number in range(ROUNDS + 1):
            for name, run in runs.items():
                cost = run()
                if number:  # the first round only warms up
                    found[name].append(cost)
        rows = [*_rates(found), *_ratios(found), *_cpu(found)]
        rows.append(_peak_row(port, MUCH, "1 GiB"))
        if with_very_much:
            rows.append(_peak_row(port, VERY_MUCH, "64 GiB"))
    return rows


def _runs(port: int) -> dict[str, Callable[[], Cost]]:
    dense = list(_dense(DENSE_BYTES))
    few = list(_dense(SDK_BYTES))
    scattered = list(_scattered(SCATTERED_BYTES))
    network = Network()

    def ours(writes: list[Write], checks: Checks, is_served: bool = False) -> Callable[[], Cost]:
        transfer = _transfer(network, port, checks, is_served)
        return lambda: _cost(writes, lambda: transfer.run(writes, lambda: False))

    return {
        "limit": lambda: _cost(dense, lambda: _by_lanes(dense, _BareLane, port)),
        "plain": ours(dense, Checks(crc64=False, sha256=False)),
        "CRC64": ours(dense, Checks(sha256=False)),
        "CRC64 and SHA-256": ours(dense, Checks()),
        "scattered limit": lambda: _cost(scattered, lambda: _by_lanes(scattered, _BareLane, port)),
        "scattered": ours(scattered, Checks(sha256=False)),
        "SDK": lambda: _cost(few, lambda: _by_lanes(few, _SdkLane, port)),
        "SDK with MD5": lambda: _cost(few, lambda: _by_lanes(few, _CheckingSdkLane, port)),
        "served": ours(dense, Checks(), is_served=True),
    }


def _transfer(network: Network, port: int, checks: Checks, is_served: bool) -> PageTransfer:
    container = f"http://127.0.0.1:{port}/account/replicas"
    access = Signed("sv=2020-10-02&sig=c2lnbmF0dXJl")
    target = PageBlob(network, container, "target.vhd", access)
    source = Opened("source", f"http://127.0.0.1:{port}/md-source/container/abcd", access)
    return PageTransfer(source, target, CONNECTIONS, is_served=is_served, checks=checks)


def _dense(size: int) -> Iterator[Write]:
    return (Write(start, start + BLOCK_BYTES) for start in range(0, size, BLOCK_BYTES))


def _scattered(size: int) -> Iterator[Write]:
    """Extents of 64 KiB to 1 MiB with as much between them."""
    random, start, total = Random(64), 0, 0
    while total < size:
        length = random.randrange(64 * 1024, 1024 * 1024 + 1, 4096)
        yield Write(start, start + length)
        start, total = start + 2 * length, total + length


def _cost(writes: list[Write], run: Callable[[], Any]) -> Cost:
    size = sum(write.length for write in writes)
    began, cpu = time.perf_counter(), time.process_time()
    run()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return size / seconds, cpu / (size / _GIB)


def _by_lanes(writes: list[Write], lane: Callable[[int], Any], port: int) -> None:
    """Do writes by as many threads as there are connections, whoever is free taking the next."""
    waiting, lock = iter(writes), threading.Lock()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with lane(port) as each:
                while True:
                    with lock:
                        write = next(waiting, None)
                    if write is None:
                        return
                    each.copy(write)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class _BareLane:
    """Receives into a buffer and sends it on, over one connection to read and one to write."""

    def __init__(self, port: int) -> None:
        self._reading, self._writing = (socket.create_connection(("127.0.0.1", port)) for _ in range(2))
        for each in (self._reading, self._writing):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = memoryview(bytearray(_HEAD_BYTES + BLOCK_BYTES))

    def __enter__(self) -> _BareLane:
        return self

    def __exit__(self, *_: object) -> None:
        self._reading.close()
        self._writing.close()

    def copy(self, write: Write) -> None:
        """Copy one piece."""
        self._reading.sendall(_READ % (write.start, write.end - 1))
        received = self._reading.recv_into(self._buffer, _HEAD_BYTES)
        body = bytes(self._buffer[:received]).index(b"\r\n\r\n") + 4
        while received < body + write.length:
            more = self._reading.recv_into(
                self._buffer[received : body + write.length], 0, socket.MSG_WAITALL
            )
            if not more:
                raise RuntimeError("the source ended the connection")
            received += more
        self._writing.sendall(_WRITE % (write.start, write.end - 1, write.length))
        self._writing.sendall(self._buffer[body:received])
        if not self._writing.recv(_HEAD_BYTES).endswith(b"\r\n\r\n"):
            raise RuntimeError("the sink gave no whole answer")


class _SdkLane:
    """The copy loop that the SDK's documentation leads to: download a piece, upload it."""

    checks: bool = False

    def __init__(self, port: int) -> None:
        options: dict[str, Any] = {"credential": None, "api_version": "2020-10-02", "retry_total": 0}
        query = "sv=2020-10-02&sig=c2lnbmF0dXJl"
        self._source, self._target = (
            BlobClient.from_blob_url(
                f"http://127.0.0.1:{port}/account/replicas/{name}.vhd?{query}",
                transport=RequestsTransport(use_env_settings=False),
                **options,
            )
            for name in ("source", "target")
        )

    def __enter__(self) -> _SdkLane:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()
        self._target.close()

    def copy(self, write: Write) -> None:
        """Copy one piece."""
        data = self._source.download_blob(write.start, write.length).readall()
        if len(data) != write.length:
            raise RuntimeError(f"{len(data)} bytes arrived instead of {write.length}")
        self._target.upload_page(data, write.start, write.length, validate_content=self.checks)


class _CheckingSdkLane(_SdkLane):
    """The same with the check that the SDK has without further packages: MD5 of what is sent."""

    checks = True


def _rates(found: dict[str, list[Cost]]) -> Iterator[dict[str, Any]]:
    for name in ("limit", "plain", "CRC64", "scattered limit", "scattered", "SDK", "SDK with MD5"):
        yield _row(f"copying, {name}", statistics.median(rate for rate, _ in found[name]) / 1e6, "MB/s")


def _ratios(found: dict[str, list[Cost]]) -> Iterator[dict[str, Any]]:
    for name, beside, aim in (
        ("plain", "limit", 0.85),
        ("CRC64", "limit", 0.8),
        ("CRC64", "SDK with MD5", 3.0),
        ("plain", "SDK", None),
        ("scattered", "scattered limit", 0.6),
        ("CRC64 and SHA-256", "CRC64", None),
    ):
        pairs = zip(found[name], found[beside], strict=True)
        ratio = statistics.median(one / other for (one, _), (other, _) in pairs)
        yield _row(f"copying, {name} beside {beside}", ratio, "ratio", aim)


def _cpu(found: dict[str, list[Cost]]) -> Iterator[dict[str, Any]]:
    for name, aim in (("limit", None), ("CRC64", None), ("scattered", None), ("SDK", None), ("served", 0.3)):
        seconds = statistics.median(cpu for _, cpu in found[name])
        yield _row(f"copying, CPU of the client, {name}", seconds, "s/GiB", aim, "lower")


def _row(
    name: str, value: float, unit: str, aim: float | None = None, better: str = "higher"
) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "aim": aim, "better": better}


def _peak_row(port: int, size: int, name: str) -> dict[str, Any]:
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_report_peak, args=(theirs, port, size))
    process.start()
    theirs.close()
    peak = ours.recv()
    process.join()
    return _row(f"copying, peak memory for {name}", peak / 1024**2, "MiB", MOST_MEMORY_MIB, "lower")


def _report_peak(pipe: Connection, port: int, size: int) -> None:
    transfer = _transfer(Network(), port, Checks(), False)
    transfer.run(_dense(size), lambda: False)
    # Not ru_maxrss: that of a process begins with what its parent had.
    told = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    pipe.send(int(told[1]) * 1024 if told else 0)


if __name__ == "__main__":
    for each in measure(with_very_much="--all" in sys.argv):
        print(f"{each['value']:10.3f} {each['unit']:6} {each['name']}")  # noqa: T201 (run by hand)
