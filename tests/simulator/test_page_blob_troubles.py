"""What a page blob takes in a second, planted faults, and lost regions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest

from simulator.wire import ConnectionDropped, Request
from tests.simulator.storage_accounts import (
    CONTAINER,
    MIB,
    PAGE,
    UNLIMITED,
    put,
    simulated,
    told,
)

BYTES = Random(1).randbytes(64 * 1024)
MIB_4 = 4 * MIB


class TestPace:
    """500 requests and 60 MiB a second, on the simulator's clock."""

    def test_requests_beyond_the_limit_are_refused_until_time_passes(self, storage):
        while put(storage, 0, bytes(PAGE)).status == 201:
            pass
        assert told(put(storage, 0, bytes(PAGE))) == (503, "ServerBusy")
        calls = storage.cloud.meter.calls[("PUT", "page blobs page")]
        assert calls == 500 + 2  # two were refused
        storage.pass_time(seconds=0.1)
        assert [put(storage, 0, bytes(PAGE)).status for _ in range(51)] == [201] * 50 + [503]
        storage.blob("other.vhd").create_page_blob(PAGE)
        storage.blob("other.vhd").get_blob_properties()  # another blob has a pace of its own

    def test_bytes_beyond_the_limit_are_refused_until_time_passes(self, storage):
        body = bytes(MIB_4)
        assert [put(storage, 0, body).status for _ in range(16)] == [201] * 15 + [503]
        storage.pass_time(seconds=1)
        assert storage.ask("GET", "", {"range": f"bytes=0-{16 * MIB}"}).status == 206
        assert [put(storage, 0, body).status for _ in range(12)] == [201] * 11 + [503]

    def test_both_limits_can_be_lifted(self):
        with simulated(tempo=UNLIMITED) as storage:
            storage.blob().create_page_blob(8 * MIB)
            body = bytes(MIB_4)
            assert {put(storage, 0, body).status for _ in range(30)} == {201}
            assert {put(storage, 0, bytes(PAGE)).status for _ in range(600)} == {201}


class TestTroubles:
    """Faults and lost regions."""

    def test_a_planted_fault_speaks_as_storage_does(self, storage):
        storage.cloud.faults.fail("PUT", "comp=page", status=503, retry_after=3)
        answer = put(storage, 0, BYTES)
        assert told(answer) == (503, "ServerBusy")
        assert answer.headers["retry-after"] == "3"
        assert b"<Code>ServerBusy</Code>" in answer.body
        storage.cloud.faults.fail("PUT", "comp=page", status=500, after_executing=True)
        assert told(put(storage, 0, BYTES)) == (500, "InternalError")
        assert storage.handle.blob(CONTAINER, "web.vhd").read(0, len(BYTES)) == BYTES
        storage.cloud.faults.verify_all_met()

    def test_a_connection_dies_after_half_a_body(self, storage):
        put(storage, 0, BYTES)
        storage.cloud.faults.cut("GET", "/disks/web.vhd")
        storage.cloud.faults.cut("GET", "/disks/web.vhd", after_bytes=100)
        for received in (len(BYTES) // 2, 100):
            with pytest.raises(ConnectionDropped) as raised:
                storage.ask("GET", "", {"range": f"bytes=0-{len(BYTES) - 1}"})
            assert (raised.value.sent.length, raised.value.cut_after_bytes) == (len(BYTES), received)
        storage.cloud.faults.verify_all_met()

    def test_a_delay_lets_time_pass(self, storage):
        storage.cloud.faults.delay("HEAD", "/disks/web.vhd", by=timedelta(minutes=3))
        before = storage.clock.now()
        storage.blob().get_blob_properties()
        assert storage.clock.now() - before == timedelta(minutes=3)

    def test_a_lost_region_answers_nothing_until_it_is_back(self, storage):
        storage.cloud.lose_region("northeurope")
        with pytest.raises(Exception, match="Connection aborted"):
            storage.blob().get_blob_properties()
        storage.cloud.restore_region("northeurope")
        assert storage.blob().exists()

    def test_an_account_goes_with_its_group(self, storage):
        group = f"/subscriptions/{storage.cloud.subscription}/resourceGroups/recovery"
        url = f"https://management.azure.com{group}?api-version=2021-04-01"
        sent = {"authorization": "Bearer development:tester"}
        assert storage.cloud.handle(Request.of("DELETE", url, sent)).status == 200
        with pytest.raises(Exception, match="Connection aborted"):
            storage.blob().get_blob_properties()


def test_many_write_one_blob_at_once_over_http_while_snapshots_are_taken():
    """What each connection wrote is there; a snapshot has every page as it was before or after a write."""
    with simulated(over_http=True, tempo=UNLIMITED) as storage:
        storage.blob().create_page_blob(8 * MIB)

        def write(number):
            blob = storage.blob()
            for at in range(number * MIB, (number + 1) * MIB, 64 * 1024):
                blob.upload_page(BYTES, at, len(BYTES))
                if at % (512 * 1024) == 0:
                    blob.create_snapshot()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(8)))
        handle = storage.handle.blob(CONTAINER, "web.vhd")
        assert handle.read(0, 8 * MIB) == BYTES * 128
        assert len(handle.snapshots) == 16
        for moment in handle.snapshots:
            kept = handle.read(0, 8 * MIB, moment)
            pieces = {kept[at : at + len(BYTES)] for at in range(0, 8 * MIB, len(BYTES))}
            assert pieces <= {BYTES, bytes(len(BYTES))}
