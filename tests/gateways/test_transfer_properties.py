"""Carrying pages on a wire that is a bytearray: properties, and what it takes of memory."""

from __future__ import annotations

import tracemalloc
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import Transient
from domain.page_ranges import PageRange, joined
from domain.page_writes import Costs, Write, plan_writes
from gateways import checksums
from gateways.blob_access import Opened
from gateways.http_connection import Answer
from gateways.page_blobs import PageBlob
from gateways.page_transfers import Checks, Done, PageTransfer
from tests.gateways.pages_world import MIB, PIECE, never


class Memory:
    """A wire with a source and a target of pages, that gets hold of requests in any order."""

    def __init__(self, source: bytes, target: bytearray, lost: set[int]) -> None:
        self.source, self.target, self._lost = source, target, lost
        self._number = 0
        self.touched: list[tuple[int, int]] = []

    def send(self, method, url, headers, body=b"", into=None, *, is_repeatable=True):
        self._number += 1
        if self._number in self._lost:
            raise Transient("ServerBusy", "lost")
        start, last = map(int, headers["x-ms-range"].removeprefix("bytes=").split("-"))
        if method == "GET":
            into[:] = self.source[start : last + 1]
            return Answer(206, {})
        if headers["x-ms-page-write"] == "clear":
            body = bytes(last + 1 - start)
        elif "x-ms-copy-source" in headers:
            body = self.source[start : last + 1]
        self.target[start : last + 1] = body
        self.touched.append((start, last + 1))
        return Answer(201, {"x-ms-content-crc64": checksums.written(checksums.crc64(bytes(body)))})


PAGES = 64
disks = st.lists(st.sampled_from([0, 1, 2]), min_size=PAGES, max_size=PAGES)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    previous=disks,
    current=disks,
    connections=st.integers(1, 4),
    most_pages=st.integers(1, 12),
    lost=st.sets(st.integers(1, 40), max_size=6),
    is_served=st.booleans(),
    per_request=st.integers(0, 4),
)
def test_previous_and_what_was_copied_is_current(
    previous, current, connections, most_pages, lost, is_served, per_request
):
    source, target = (bytes(b"".join(bytes([page]) * 512 for page in disk)) for disk in (current, previous))
    changes = [
        PageRange(at * 512, at * 512 + 512, current[at] == 0)
        for at in range(PAGES)
        if current[at] != previous[at]
    ]
    costs = Costs(per_request=per_request * 512, per_byte=1)
    writes = list(plan_writes(joined(changes), costs, 8 * 512))
    wire = Memory(source, bytearray(target), lost)
    opened = Opened.by_url("source", "https://disk.example/c/abcd?sig=x")
    blob = PageBlob(wire, "https://vault.example/c", "blob", opened.access)
    transfer = PageTransfer(opened, blob, connections, is_served=is_served)
    reached = 0
    for _ in range(60):
        rest = [write for write in writes if write.end > reached]
        heard: list[Done] = []
        try:
            done = transfer.run(rest, never, most_pages * 512, heard.append)
        except Transient:
            reached = heard[-1].end if heard else reached
            continue
        reached = done.reached
        if done.is_complete:
            break
    assert wire.target == source
    planned = {(write.start, write.end) for write in writes}
    assert set(wire.touched) <= planned


def test_memory_does_not_grow_with_what_is_copied():
    size = 512 * MIB
    block = Random(5).randbytes(PIECE)

    class Endless:
        """Gives the same block for every read and forgets what is written."""

        def send(self, method, url, headers, body=b"", into=None, *, is_repeatable=True):
            if method == "GET":
                into[:] = block[: len(into)]
                return Answer(206, {})
            assert len(body) <= PIECE
            return Answer(201, {})

    opened = Opened.by_url("source", "https://disk.example/c/abcd?sig=x")
    blob = PageBlob(Endless(), "https://vault.example/c", "blob", opened.access)
    tracemalloc.start()
    transfer = PageTransfer(opened, blob, 4, is_served=False, checks=Checks(crc64=False, sha256=False))
    assert transfer.run([Write(0, size)], never).reached == size
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * PIECE + 2 * MIB
