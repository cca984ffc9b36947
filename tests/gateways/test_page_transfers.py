"""Carrying pages: every byte arrives, whatever the order, the cut, the repetition or the way."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from random import Random

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import Refused, Transient
from domain.page_writes import Costs, Write, plan_writes
from gateways import checksums
from gateways.blob_access import Opened
from gateways.disk_data import read_into
from gateways.http_connection import Answer
from gateways.page_blobs import PageBlob
from gateways.page_transfers import Checks, Done, How, PageTransfer
from gateways.window_tallies import begun, extended
from tests.gateways.pages_world import DISK_BYTES, HOUR, MIB, Pages, pages

LENGTH = DISK_BYTES + 512
PIECE = 4 * MIB


def never() -> bool:
    return False


@pytest.fixture
def world():
    with pages() as world:
        yield world


@pytest.fixture(params=[True, False], ids=["served", "streamed"])
def is_served(request) -> bool:
    return request.param


def fresh(world: Pages, name: str = "web/os.vhd") -> PageBlob:
    blob = world.blob(name)
    blob.create(LENGTH, {"tidemark_disk": "os"})
    return blob


def stored(world: Pages, name: str = "web/os.vhd") -> bytes:
    return world.account.blob("replicas", name).read(0, LENGTH)


def whole(world: Pages, snapshot: str) -> tuple[Opened, list[Write]]:
    opened = world.disk_data.open(snapshot, HOUR)
    return opened, list(plan_writes(world.disk_data.page_ranges(opened, None, 0, LENGTH)))


def test_a_whole_snapshot_and_then_its_changes_arrive_byte_for_byte(world, is_served):
    world.write(MIB, 9 * MIB)
    world.write(22 * MIB, 65536, seed=2)
    first = world.take("first")
    world.disk.image.write(2 * MIB, bytes(5 * MIB))
    world.write(22 * MIB + 4096, 512, seed=3)
    second = world.take("second")
    blob = fresh(world)
    previous, writes = whole(world, first)
    transfer = PageTransfer(previous, blob, is_fresh=True, is_served=is_served)
    assert transfer.run(writes, never).is_complete
    assert stored(world) == world.content(first)
    opened = world.disk_data.open(second, HOUR)
    changes = world.disk_data.page_ranges(opened, previous, 0, LENGTH)
    heard: list[Done] = []
    transfer = PageTransfer(opened, blob, is_served=is_served)
    done = transfer.run(plan_writes(changes), never, None, heard.append)
    assert (done.is_complete, done.not_served) == (True, None)
    assert stored(world) == world.content(second)
    assert {each.how for each in heard} <= {How.SERVED if is_served else How.STREAMED, How.CLEARED}


def test_where_the_service_does_not_read_the_source_the_rest_is_streamed_and_told(world):
    world.account.resource.refuses_incremental_sources = True
    world.write(0, 13 * MIB)
    opened, writes = whole(world, world.take("first"))
    blob = fresh(world)
    heard: list[Done] = []
    done = PageTransfer(opened, blob, connections=3).run(writes, never, None, heard.append)
    assert "CopySourceCannotBeIncrementalCopyBlob" in done.not_served
    assert "sig=" not in done.not_served
    assert {each.how for each in heard} == {How.STREAMED}
    assert stored(world)[:DISK_BYTES] == world.disk.image.read(0, DISK_BYTES)


def test_zeros_of_a_new_blob_are_not_written(world):
    world.write(0, 512)
    opened = world.disk_data.open(world.take("first"), HOUR)
    blob = fresh(world)
    heard: list[Done] = []
    transfer = PageTransfer(opened, blob, is_served=False, is_fresh=True)
    transfer.run([Write(0, 3 * PIECE)], never, None, heard.append)
    assert [each.how for each in heard] == [How.STREAMED, How.ZEROS, How.ZEROS]
    assert list(blob.ranges("", 0, LENGTH))[-1].end == PIECE
    assert stored(world)[: 3 * PIECE] == world.disk.image.read(0, 3 * PIECE)


def test_what_is_not_new_is_overwritten_by_zeros(world):
    opened = world.disk_data.open(world.take("first"), HOUR)
    blob = fresh(world)
    blob.put(0, bytes([1]) * 4096)
    PageTransfer(opened, blob, is_served=False).run([Write(0, 4096)], never)
    assert stored(world)[:4096] == bytes(4096)


@pytest.mark.parametrize("connections", [1, 5])
def test_a_transfer_that_is_cut_goes_on_where_it_stopped(world, is_served, connections):
    world.write(0, 21 * MIB)
    opened, writes = whole(world, world.take("first"))
    blob = fresh(world)
    content = world.content(opened.name.removeprefix("snapshot "))
    reached, heard, runs = 0, [], 0
    while True:
        rest = [write for write in writes if write.end > reached]
        transfer = PageTransfer(opened, blob, connections, is_served=is_served)
        done = transfer.run(rest, never, 2 * PIECE, heard.append)
        assert done.reached > reached
        assert stored(world)[: done.reached] == content[: done.reached]
        reached, runs = done.reached, runs + 1
        if done.is_complete:
            break
    assert runs >= 3
    assert [each.start for each in heard] == [write.start for write in writes]


def test_when_time_is_over_nothing_new_begins(world):
    world.write(0, 21 * MIB)
    opened, writes = whole(world, world.take("first"))
    looks = iter([False, False, False])
    done = PageTransfer(opened, fresh(world), 1).run(writes, lambda: next(looks, True))
    assert (done.is_complete, done.reached) == (False, writes[3].start)


def test_digests_follow_from_the_bytes_alone(world, is_served):
    world.write(0, 9 * MIB + 512)
    opened, writes = whole(world, world.take("first"))
    blob = fresh(world)
    record = begun(0, LENGTH)
    heard: list[Done] = []
    PageTransfer(opened, blob, 5, is_served=is_served).run(writes, never, None, heard.append)
    for done in heard:
        record = extended(record, done)
    content = world.content(opened.name.removeprefix("snapshot "))
    parts = [content[write.start : write.end] for write in writes if not write.is_clear]
    assert record.crc64 == f"{checksums.crc64(b''.join(parts)):016x}"
    assert record.written_bytes == sum(map(len, parts))
    digest = bytes(32)
    for part in parts:
        digest = hashlib.sha256(digest + hashlib.sha256(part).digest()).digest()
    assert record.sha256 == (None if is_served else digest.hex())


def test_a_digest_is_not_made_of_a_part():
    streamed = Done(0, 512, How.STREAMED, 1, bytes(32))
    served = Done(512, 1024, How.SERVED, None, None)
    record = extended(extended(begun(0, 2048), streamed), served)
    assert (record.crc64, record.sha256, record.written_bytes) == (None, None, 1024)
    for done in (replace(streamed, start=1024, end=1536), Done(1536, 2048, How.CLEARED)):
        record = extended(record, done)
    assert (record.crc64, record.sha256, record.cleared_bytes, record.requests) == (None, None, 512, 4)


# Faults


def test_one_connection_that_dies_after_half_a_body_is_made_good_at_once(world):
    world.write(0, 9 * MIB)
    opened, writes = whole(world, world.take("first"))
    blob = fresh(world)
    world.cloud.faults.cut("GET", "md-", after_bytes=PIECE // 2)
    world.cloud.faults.drop("PUT", "comp=page", times=2)
    assert PageTransfer(opened, blob, 1, is_served=False).run(writes, never).is_complete
    assert stored(world)[:DISK_BYTES] == world.disk.image.read(0, DISK_BYTES)


@pytest.mark.parametrize(
    ("status", "code"), [(503, "ServerBusy"), (500, "InternalError"), (403, "AuthenticationFailed")]
)
def test_the_first_failure_ends_it_and_what_was_heard_of_need_not_be_done_again(world, status, code):
    world.write(0, 21 * MIB)
    opened, writes = whole(world, world.take("first"))
    blob = fresh(world)
    world.cloud.faults.fail("PUT", "comp=page", status=status, code=code, skip=3)
    heard: list[Done] = []
    with pytest.raises((Transient, Refused)) as failure:
        PageTransfer(opened, blob, 3, is_served=False).run(writes, never, None, heard.append)
    assert failure.value.code == code
    assert len(heard) < len(writes)
    reached = heard[-1].end if heard else 0
    assert stored(world)[:reached] == world.disk.image.read(0, reached)
    rest = [write for write in writes if write.end > reached]
    assert PageTransfer(opened, blob, 3, is_served=False).run(rest, never).is_complete
    assert stored(world)[:DISK_BYTES] == world.disk.image.read(0, DISK_BYTES)


@pytest.mark.parametrize("way", ["served", "streamed"])
def test_a_source_that_is_closed_in_the_middle_is_told_and_nothing_wrong_is_written(world, way):
    world.write(0, 21 * MIB)
    snapshot = world.take("first")
    opened, writes = whole(world, snapshot)
    blob = fresh(world)

    def closing():
        for number, write in enumerate(writes):
            if number == 4:
                world.disk_data.close(snapshot)
            yield write

    with pytest.raises(Refused) as refused:
        PageTransfer(opened, blob, 2, is_served=way == "served").run(closing(), never)
    assert "sig=" not in str(refused.value)
    kept, wanted = stored(world), world.disk.image.read(0, DISK_BYTES)
    assert all(
        kept[at : at + PIECE] in (wanted[at : at + PIECE], bytes(PIECE)) for at in range(0, DISK_BYTES, PIECE)
    )


def test_a_fault_of_the_list_itself_ends_the_transfer(world):
    opened = world.disk_data.open(world.take("first"), HOUR)

    def broken():
        yield Write(0, 512)
        raise Refused("PageListDisordered", "the list goes back")

    with pytest.raises(Refused, match="goes back"):
        PageTransfer(opened, fresh(world), 4).run(broken(), never)


def test_azurite_takes_a_disk_too(world, accounts):
    account = accounts.fresh()
    account.make_container("replicas")
    from gateways.wire import Network

    world.write(3 * MIB, 2 * MIB)
    snapshot = world.take("first")
    source = world.content(snapshot)
    network = Network()
    elsewhere = replace(world, disk_data=replace(world.disk_data, wire=network)).on(
        f"{account.blob_endpoint}/replicas", AzureNamedKeyCredential(account.name, account.key)
    )
    blob, copy = elsewhere.blob("source"), elsewhere.blob("copy")
    for each in (blob, copy):
        each.create(LENGTH, {})
    blob.put(3 * MIB, source[3 * MIB : 5 * MIB])
    blob.put(DISK_BYTES, source[-512:])
    opened = blob.opened(blob.seal({}))
    transfer = PageTransfer(opened, copy, is_fresh=True, checks=Checks(crc64=False))
    done = transfer.run(plan_writes(blob.ranges("", 0, LENGTH)), never)
    assert done.is_complete
    assert done.not_served
    found = bytearray(LENGTH)
    read_into(network, copy.opened(), 0, memoryview(found))
    assert found == source
    network.close()


# Properties, on a wire that is a bytearray


class Memory:
    """A wire with a source and a target of pages, that gets hold of requests in any order."""

    def __init__(self, source: bytes, target: bytearray, lost: set[int]) -> None:
        self.source, self.target, self._lost = source, target, lost
        self._number = 0
        self.touched: list[tuple[int, int]] = []

    def send(self, method, url, headers, body=b"", into=None) -> Answer:
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
    from domain.page_ranges import PageRange, joined

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

        def send(self, method, url, headers, body=b"", into=None) -> Answer:
            if method == "GET":
                into[:] = block[: len(into)]
                return Answer(206, {})
            assert len(body) <= PIECE
            return Answer(201, {})

    opened = Opened.by_url("source", "https://disk.example/c/abcd?sig=x")
    blob = PageBlob(Endless(), "https://vault.example/c", "blob", opened.access)
    import tracemalloc

    tracemalloc.start()
    transfer = PageTransfer(opened, blob, 4, is_served=False, checks=Checks(crc64=False, sha256=False))
    assert transfer.run([Write(0, size)], never).reached == size
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * PIECE + 2 * MIB
