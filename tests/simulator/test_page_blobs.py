"""Page blobs as only Azure has them: limits, checksums, differences, copies and their refusals.

Sources are named in simulator/page_blobs; what Azurite can do as well is in test_page_blobs_contract.py.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from random import Random

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.data_plane.checksums import crc64_of
from simulator.tempo import Tempo
from simulator.wire import ConnectionDropped, Request
from tests.simulator.storage_accounts import CONTAINER, MIB, account_of, refusal, simulated

BYTES = Random(1).randbytes(64 * 1024)
MIB_4 = 4 * MIB
PAGE = 512
UNLIMITED = Tempo(blob_requests_per_second=None, blob_bytes_per_second=None)
DEEDS = st.lists(
    st.tuples(st.integers(0, 99), st.booleans(), st.integers(0, 31), st.integers(1, 8)), max_size=10
)


@pytest.fixture
def storage():
    """An account of the simulator in memory, with a page blob of 16 MiB and a footer."""
    with simulated() as storage:
        storage.blob().create_page_blob(16 * MIB + PAGE)
        yield storage


def put(storage, start, data, mode="update", **headers):
    sent = {"x-ms-page-write": mode, "x-ms-range": f"bytes={start}-{start + len(data) - 1}"}
    sent |= {"content-length": str(len(data))} | {
        f"x-ms-{k}".replace("_", "-"): v for k, v in headers.items()
    }
    return storage.ask("PUT", "&comp=page", sent, data if mode == "update" else b"")


def told(answer):
    return answer.status, answer.headers.get("x-ms-error-code")


def test_crc64_is_azure_s():
    """docs: the value of the check string, as azure-storage-extensions gives it, lowest byte first."""
    assert base64.b64decode(crc64_of([b"12345", b"6789"])) == 0xAE8B14860A799888.to_bytes(8, "little")


def test_put_page_tells_the_crc64_of_what_it_received(storage):
    answer = put(storage, PAGE, BYTES)
    assert (answer.status, answer.headers["x-ms-content-crc64"]) == (201, crc64_of([BYTES]))
    assert put(storage, PAGE, BYTES, content_crc64=crc64_of([BYTES])).status == 201
    md5 = base64.b64encode(hashlib.md5(BYTES, usedforsecurity=False).digest()).decode()
    sent = {"x-ms-page-write": "update", "range": f"bytes=0-{len(BYTES) - 1}", "content-md5": md5}
    answer = storage.ask("PUT", "&comp=page", sent, BYTES)
    assert (answer.status, answer.headers["content-md5"]) == (201, md5)
    wrong = base64.b64encode(bytes(16)).decode()
    assert told(storage.ask("PUT", "&comp=page", sent | {"content-md5": wrong}, BYTES)) == (
        400,
        "Md5Mismatch",
    )


def test_a_body_that_does_not_match_its_crc64_is_not_written(storage):
    assert told(put(storage, 0, BYTES, content_crc64=crc64_of([b"other"]))) == (400, "Crc64Mismatch")
    assert storage.handle.blob(CONTAINER, "web.vhd").read(0, 4096) == bytes(4096)


@pytest.mark.parametrize(
    ("why", "start", "length", "expected"),
    [
        ("as long as it may be", 0, MIB_4, (201, None)),
        ("longer than 4 MiB", 0, MIB_4 + PAGE, (413, "RequestBodyTooLarge")),
        ("begins within a page", 100, PAGE, (416, "InvalidPageRange")),
        ("ends within a page", 0, PAGE + 1, (416, "InvalidPageRange")),
        ("the last page is the footer", 16 * MIB, PAGE, (201, None)),
        ("reaches beyond the end", 16 * MIB, 2 * PAGE, (416, "InvalidPageRange")),
    ],
)
def test_pages_are_held_to_their_limits(storage, why, start, length, expected):
    assert told(put(storage, start, bytes(length))) == expected


@pytest.mark.parametrize(
    ("why", "headers", "body", "expected"),
    [
        ("no range", {"x-ms-page-write": "update"}, bytes(PAGE), (400, "MissingRequiredHeader")),
        ("no mode", {"x-ms-range": "bytes=0-511"}, bytes(PAGE), (400, "MissingRequiredHeader")),
        (
            "another mode",
            {"x-ms-page-write": "add", "range": "bytes=0-511"},
            b"",
            (400, "InvalidHeaderValue"),
        ),
        (
            "another length than the range",
            {"x-ms-page-write": "update", "range": "bytes=0-1023"},
            bytes(PAGE),
            (400, "InvalidHeaderValue"),
        ),
        (
            "a body to clear with",
            {"x-ms-page-write": "clear", "range": "bytes=0-511"},
            bytes(PAGE),
            (400, "InvalidHeaderValue"),
        ),
        (
            "the sequence number",
            {"x-ms-page-write": "update", "range": "bytes=0-511", "x-ms-if-sequence-number-lt": "0"},
            bytes(PAGE),
            (412, "SequenceNumberConditionNotMet"),
        ),
    ],
)
def test_a_put_page_that_makes_no_sense_is_refused(storage, why, headers, body, expected):
    assert told(storage.ask("PUT", "&comp=page", headers, body)) == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [(str(8 * 1024**4), 201), (str(8 * 1024**4 + PAGE), 400), ("513", 400), ("0", 400), ("-512", 400)],
)
def test_a_page_blob_has_up_to_8_tib_in_whole_pages(storage, length, expected):
    sent = {"x-ms-blob-type": "PageBlob", "x-ms-blob-content-length": length}
    assert storage.ask("PUT", "", sent).status == expected
    assert storage.ask("PUT", "", {"x-ms-blob-type": "BlockBlob"}, b"x").status == 501


class TestDifferences:
    """Get Page Ranges with `prevsnapshot`: of the same blob, interleaved, page by page."""

    def test_pages_and_cleared_ones_interleave_in_order(self, storage):
        blob = storage.blob()
        blob.upload_page(BYTES, 0, len(BYTES))
        before = blob.create_snapshot()["snapshot"]
        blob.upload_page(BYTES[:PAGE], 4096, PAGE)
        blob.clear_page(4096 + PAGE, PAGE)
        blob.upload_page(BYTES[:PAGE], 2 * MIB, PAGE)
        after = storage.blob(snapshot=blob.create_snapshot()["snapshot"])
        blob.clear_page(0, 16 * MIB)
        expected = [(4096, False), (4096 + PAGE, True), (2 * MIB, False)]
        found = after.list_page_ranges(previous_snapshot=before, results_per_page=1)
        assert [(each.start, each.cleared) for each in found] == expected
        within = after.list_page_ranges(previous_snapshot=before, offset=4096 + PAGE, length=MIB)
        assert [(each.start, each.cleared) for each in within] == expected[1:2]

    @settings(max_examples=50)
    @given(st.tuples(DEEDS, DEEDS))
    def test_what_was_and_the_difference_make_what_is(self, deeds_before_and_after):
        with simulated(tempo=UNLIMITED) as storage:
            blob = storage.blob()
            blob.create_page_blob(40 * PAGE)
            taken = ""
            for deeds in deeds_before_and_after:
                for seed, is_clear, first, count in deeds:
                    data = Random(seed).randbytes(count * PAGE)
                    put(storage, first * PAGE, data, "clear" if is_clear else "update")
                taken = taken or blob.create_snapshot()["snapshot"]
            handle = storage.handle.blob(CONTAINER, "web.vhd")
            made, now = bytearray(handle.read(0, 40 * PAGE, taken)), handle.read(0, 40 * PAGE)
            for each in blob.list_page_ranges(previous_snapshot=taken):
                length = each.end + 1 - each.start
                made[each.start : each.end + 1] = (
                    bytes(length) if each.cleared else handle.read(each.start, length)
                )
            assert bytes(made) == now

    def test_a_list_has_at_most_10_000_ranges(self, storage):
        handle = storage.handle.blob(CONTAINER, "web.vhd")

        def pages():
            return [len(list(page)) for page in storage.blob().list_page_ranges().by_page()]

        assert pages() == [0]
        for number in range(10_000):
            handle.write(number * 2 * PAGE, BYTES[:PAGE])
        assert pages() == [10_000]
        handle.write(10_000 * 2 * PAGE, BYTES[:PAGE])
        assert pages() == [10_000, 1]

    def test_a_difference_that_cannot_be_told_is_refused(self, storage):
        blob = storage.blob()
        first, second = (blob.create_snapshot()["snapshot"] for _ in range(2))
        assert told(storage.ask("GET", f"&comp=pagelist&snapshot={first}&prevsnapshot={second}")) == (
            400,
            "PreviousSnapshotCannotBeNewer",
        )
        assert told(storage.ask("GET", "&comp=pagelist&prevsnapshot=2020-01-01T00:00:00.0000000Z")) == (
            409,
            "PreviousSnapshotNotFound",
        )
        url = {"x-ms-previous-snapshot-url": "https://md-x.z1.blob.storage.azure.net/c/abcd"}
        refused = storage.ask("GET", "&comp=pagelist", url)
        assert told(refused) == (400, "UnsupportedHeaderForNonManagedDisksAccount")
        blob.create_page_blob(16 * MIB)
        assert told(storage.ask("GET", f"&comp=pagelist&prevsnapshot={first}")) == (409, "BlobOverwritten")
        assert storage.blob(snapshot=first).get_blob_properties().size == 16 * MIB + PAGE


class TestFromUrl:
    """Put Page From URL out of page blobs; out of disks it is in test_arm_uploads.py."""

    @pytest.fixture
    def source(self, storage):
        """Another account's blob, by SAS."""
        other = account_of(
            storage.cloud,
            storage.cloud.add_storage_account("archive", "westeurope", "production"),
            **storage.options,
        )
        other.blob("old.vhd").create_page_blob(8 * MIB)
        other.blob("old.vhd").upload_page(BYTES, MIB, len(BYTES))
        return other

    def url(self, source, **options):
        return f"{source.blob('old.vhd').url}?{source.sas('r', **options)}"

    def test_pages_come_from_another_account(self, storage, source):
        url = self.url(source)
        answer = storage.blob().upload_pages_from_url(url, 4096, len(BYTES), MIB)
        assert bytes(answer["content_crc64"]) == base64.b64decode(crc64_of([BYTES]))
        assert storage.handle.blob(CONTAINER, "web.vhd").read(4096, len(BYTES)) == BYTES

    @pytest.mark.parametrize(
        ("why", "ask", "expected"),
        [
            ("too long", lambda b, u: b.upload_pages_from_url(u, 0, MIB_4 + PAGE, 0), "416 InvalidPageRange"),
            (
                "behind its end",
                lambda b, u: b.upload_pages_from_url(u, 0, MIB, 8 * MIB - PAGE),
                "416 CannotVerifyCopySource",
            ),
            (
                "not there",
                lambda b, u: b.upload_pages_from_url(u.replace("old", "no"), 0, PAGE, 0),
                "404 CannotVerifyCopySource",
            ),
            (
                "a signature that is none",
                lambda b, u: b.upload_pages_from_url(u.replace("sp=r", "sp=w"), 0, PAGE, 0),
                "403 CannotVerifyCopySource",
            ),
            (
                "no SAS",
                lambda b, u: b.upload_pages_from_url(u.partition("?")[0], 0, PAGE, 0),
                "401 CannotVerifyCopySource",
            ),
            (
                "not in this cloud",
                lambda b, u: b.upload_pages_from_url("https://example.org/x", 0, PAGE, 0),
                "404 CannotVerifyCopySource",
            ),
        ],
    )
    def test_a_source_that_cannot_be_read_is_told(self, storage, source, why, ask, expected):
        with pytest.raises(HttpResponseError) as raised:
            ask(storage.blob(), self.url(source))
        assert refusal(raised.value) == expected

    def test_an_expired_sas_is_told_and_a_checksum_checked(self, storage, source):
        url = self.url(source)
        sent = {"x-ms-page-write": "update", "x-ms-range": "bytes=0-511", "x-ms-source-range": "bytes=0-511"}
        sent |= {"x-ms-copy-source": url}
        for name, value, code in (
            ("x-ms-source-content-crc64", crc64_of([b"x"]), "Crc64Mismatch"),
            ("x-ms-source-content-md5", base64.b64encode(bytes(16)).decode(), "Md5Mismatch"),
            ("x-ms-source-range", "bytes=0-1023", "InvalidHeaderValue"),
        ):
            assert told(storage.ask("PUT", "&comp=page", sent | {name: value})) == (400, code)
        storage.pass_time(hours=2)
        assert told(storage.ask("PUT", "&comp=page", sent)) == (403, "CannotVerifyCopySource")

    def test_a_source_in_a_lost_region_is_told(self, storage, source):
        storage.cloud.lose_region("westeurope")
        with pytest.raises(HttpResponseError) as raised:
            storage.blob().upload_pages_from_url(self.url(source), 0, PAGE, 0)
        assert refusal(raised.value) == "500 CannotVerifyCopySource"


class TestCopyBlob:
    """Copy Blob: in the background, from a blob or a snapshot."""

    def test_a_snapshot_is_copied_in_its_time(self, storage):
        blob, target = storage.blob(), storage.blob("restored.vhd")
        blob.upload_page(BYTES, 0, len(BYTES))
        moment = blob.create_snapshot()["snapshot"]
        blob.clear_page(0, len(BYTES))
        source = f"{blob.url}?snapshot={moment}"
        assert target.start_copy_from_url(source)["copy_status"] == "pending"
        storage.pass_time(seconds=1)
        copy = target.get_blob_properties().copy
        done, total = map(int, copy.progress.split("/"))
        assert (copy.status, 0 < done < total, total) == ("pending", True, 16 * MIB + PAGE)
        for refused in (lambda: target.upload_page(bytes(PAGE), 0, PAGE), target.delete_blob):
            with pytest.raises(HttpResponseError) as raised:
                refused()
            assert refusal(raised.value) == "409 PendingCopyOperation"
        storage.pass_time(minutes=1)
        copy = target.get_blob_properties().copy
        assert (copy.status, copy.source, copy.progress) == ("success", source, f"{total}/{total}")
        assert target.download_blob(0, len(BYTES)).readall() == BYTES
        target.clear_page(0, PAGE)
        assert storage.blob(snapshot=moment).download_blob(0, PAGE).readall() == BYTES[:PAGE]

    def test_a_snapshot_is_promoted_over_its_blob(self, storage):
        blob = storage.blob()
        blob.upload_page(BYTES, 0, len(BYTES))
        moment = blob.create_snapshot()["snapshot"]
        blob.clear_page(0, MIB)
        blob.start_copy_from_url(f"{blob.url}?snapshot={moment}")
        storage.pass_time(minutes=1)
        assert blob.download_blob(0, len(BYTES)).readall() == BYTES
        assert storage.handle.blob(CONTAINER, "web.vhd").snapshots == [moment]

    def test_another_account_s_blob_needs_a_sas(self, storage):
        other = account_of(
            storage.cloud,
            storage.cloud.add_storage_account("archive", "westeurope", "production"),
            **storage.options,
        )
        other.blob("old.vhd").create_page_blob(MIB)
        with pytest.raises(HttpResponseError) as raised:
            storage.blob("new.vhd").start_copy_from_url(other.blob("old.vhd").url)
        assert refusal(raised.value) == "401 CannotVerifyCopySource"
        url = f"{other.blob('old.vhd').url}?{other.sas('r')}"
        storage.blob("new.vhd").start_copy_from_url(url)
        copy = storage.blob("new.vhd").get_blob_properties().copy
        assert "sig=" not in copy.source


class TestPace:
    """500 requests and 60 MiB a second, on the simulator's clock."""

    def test_requests_beyond_the_limit_are_refused_until_time_passes(self, storage):
        while put(storage, 0, bytes(PAGE)).status == 201:
            pass
        assert told(put(storage, 0, bytes(PAGE))) == (503, "ServerBusy")
        assert (
            storage.cloud.meter.calls[("PUT", "page blobs")] == 500 + 3
        )  # Put Blob, and two that were refused
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


def test_deleting_what_is_not_there_is_told(storage):
    with pytest.raises(ResourceNotFoundError):
        storage.blob("absent").delete_blob()
