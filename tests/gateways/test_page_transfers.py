"""Carrying pages: every byte arrives, whatever the order, the cut, the repetition or the way."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from azure.core.credentials import AzureNamedKeyCredential

from domain.page_writes import Write, plan_writes
from gateways import checksums
from gateways.disk_data import read_into
from gateways.page_transfers import Checks, Done, How, PageTransfer
from gateways.window_tallies import begun, extended
from gateways.wire import Network
from tests.gateways.pages_world import DISK_BYTES, HOUR, LENGTH, MIB, PIECE, never, pages


@pytest.fixture
def world():
    with pages() as world:
        yield world


@pytest.fixture(params=[True, False], ids=["served", "streamed"])
def is_served(request):
    return request.param


def test_a_whole_snapshot_and_then_its_changes_arrive_byte_for_byte(world, is_served):
    world.write(MIB, 9 * MIB)
    world.write(22 * MIB, 65536, seed=2)
    first = world.take("first")
    world.disk.image.write(2 * MIB, bytes(5 * MIB))
    world.write(22 * MIB + 4096, 512, seed=3)
    second = world.take("second")
    blob = world.fresh()
    previous, writes = world.whole(first)
    transfer = PageTransfer(previous, blob, is_fresh=True, is_served=is_served)
    assert transfer.run(writes, never).is_complete
    assert world.stored() == world.content(previous)
    opened = world.disk_data.open(second, HOUR)
    changes = world.disk_data.page_ranges(opened, previous, 0, LENGTH)
    heard: list[Done] = []
    transfer = PageTransfer(opened, blob, is_served=is_served)
    done = transfer.run(plan_writes(changes), never, None, heard.append)
    assert (done.is_complete, done.not_served) == (True, None)
    assert world.stored() == world.content(opened)
    assert {each.how for each in heard} <= {How.SERVED if is_served else How.STREAMED, How.CLEARED}


def test_where_the_service_does_not_read_the_source_the_rest_is_streamed_and_told(world):
    world.account.resource.refuses_incremental_sources = True
    world.write(0, 13 * MIB)
    opened, writes = world.whole(world.take("first"))
    blob = world.fresh()
    heard: list[Done] = []
    done = PageTransfer(opened, blob, connections=3).run(writes, never, None, heard.append)
    assert "CopySourceCannotBeIncrementalCopyBlob" in done.not_served
    assert "sig=" not in done.not_served
    assert {each.how for each in heard} == {How.STREAMED}
    assert world.stored()[:DISK_BYTES] == world.disk.image.read(0, DISK_BYTES)


@pytest.mark.parametrize("status", [403, 404, 409, 500])
def test_whatever_the_source_answered_to_the_service_it_is_asked_from_here(world, status):
    world.write(0, 9 * MIB)
    opened, writes = world.whole(world.take("first"))
    blob = world.fresh()
    world.cloud.faults.fail("PUT", "comp=page", status=status, code="CannotVerifyCopySource", skip=1)
    heard: list[Done] = []
    done = PageTransfer(opened, blob, connections=1).run(writes, never, None, heard.append)
    assert "CannotVerifyCopySource" in done.not_served
    assert [each.how for each in heard] == [How.SERVED] + [How.STREAMED] * (len(writes) - 1)
    assert world.stored()[:DISK_BYTES] == world.disk.image.read(0, DISK_BYTES)


def test_what_is_longer_than_one_write_may_be_is_written_to_its_last_page(world, is_served):
    world.write(0, 2 * PIECE + 512)
    opened = world.disk_data.open(world.take("first"), HOUR)
    blob = world.fresh()
    heard: list[Done] = []
    transfer = PageTransfer(opened, blob, is_served=is_served)
    assert transfer.run([Write(0, 2 * PIECE + 512)], never, None, heard.append).reached == 2 * PIECE + 512
    assert [each.end for each in heard] == [PIECE, 2 * PIECE, 2 * PIECE + 512]
    assert world.stored()[:DISK_BYTES] == world.disk.image.read(0, DISK_BYTES)


def test_zeros_of_a_new_blob_are_not_written(world):
    world.write(PIECE - 512, 512)  # behind many zeros, and at the end of the piece
    opened = world.disk_data.open(world.take("first"), HOUR)
    blob = world.fresh()
    heard: list[Done] = []
    transfer = PageTransfer(opened, blob, is_served=False, is_fresh=True)
    transfer.run([Write(0, 3 * PIECE)], never, None, heard.append)
    assert [each.how for each in heard] == [How.STREAMED, How.ZEROS, How.ZEROS]
    assert list(blob.ranges("", 0, LENGTH))[-1].end == PIECE
    assert world.stored()[: 3 * PIECE] == world.disk.image.read(0, 3 * PIECE)


def test_what_is_not_new_is_overwritten_by_zeros(world):
    opened = world.disk_data.open(world.take("first"), HOUR)
    blob = world.fresh()
    blob.put(0, bytes([1]) * 4096)
    PageTransfer(opened, blob, is_served=False).run([Write(0, 4096)], never)
    assert world.stored()[:4096] == bytes(4096)


@pytest.mark.parametrize("connections", [1, 5])
def test_a_transfer_that_is_cut_goes_on_where_it_stopped(world, is_served, connections):
    world.write(0, 21 * MIB)
    opened, writes = world.whole(world.take("first"))
    blob = world.fresh()
    content = world.content(opened)
    heard: list[Done] = []
    reached = runs = 0
    while True:
        rest = [write for write in writes if write.end > reached]
        transfer = PageTransfer(opened, blob, connections, is_served=is_served)
        done = transfer.run(rest, never, 2 * PIECE, heard.append)
        assert done.reached > reached
        assert world.stored()[: done.reached] == content[: done.reached]
        reached, runs = done.reached, runs + 1
        if done.is_complete:
            break
    assert runs >= 3
    assert [each.start for each in heard] == [write.start for write in writes]


def test_when_time_is_over_nothing_new_begins(world):
    world.write(0, 21 * MIB)
    opened, writes = world.whole(world.take("first"))
    looks = iter([False, False])
    done = PageTransfer(opened, world.fresh(), 1).run(writes, lambda: next(looks, True))
    assert (done.is_complete, done.reached) == (False, writes[3].start)
    done = PageTransfer(opened, world.fresh(), 5).run(writes, lambda: True)
    assert (done.is_complete, done.reached) == (False, writes[1].start)  # some of it is always done


def test_digests_follow_from_the_bytes_alone(world, is_served):
    world.write(0, 9 * MIB + 512)
    opened, writes = world.whole(world.take("first"))
    blob = world.fresh()
    record = begun(0, LENGTH)
    heard: list[Done] = []
    PageTransfer(opened, blob, 5, is_served=is_served).run(writes, never, None, heard.append)
    for done in heard:
        record = extended(record, done)
    content = world.content(opened)
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


def test_azurite_takes_a_disk_too(world, accounts):
    account = accounts.fresh()
    account.make_container("replicas")
    world.write(3 * MIB, 2 * MIB)
    snapshot = world.take("first")
    source = world.content(world.disk_data.open(snapshot, HOUR))
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
