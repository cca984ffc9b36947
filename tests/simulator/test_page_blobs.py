"""Page blobs as only Azure has them: limits, checksums, differences and their refusals.

Sources are named in simulator/page_blobs; what Azurite can do as well is in test_page_blobs_contract.py.
"""

from __future__ import annotations

import base64
import hashlib
from random import Random

import pytest
from azure.core.exceptions import ResourceNotFoundError
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.data_plane.checksums import crc64_of
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
MOMENT = "2026-03-01T12:00:00.0000001Z"
DEEDS = st.lists(
    st.tuples(st.integers(0, 99), st.booleans(), st.integers(0, 31), st.integers(1, 8)), max_size=10
)


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
        ("begins within a page", 100, PAGE, (400, "InvalidHeaderValue")),
        ("ends within a page", 0, PAGE + 1, (400, "InvalidHeaderValue")),
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
    [(str(8 * 1024**4), 201), (str(8 * 1024**4 + PAGE), 400), ("513", 400), ("0", 201), ("-512", 400)],
)
def test_a_page_blob_has_up_to_8_tib_in_whole_pages(storage, length, expected):
    sent = {"x-ms-blob-type": "PageBlob", "x-ms-blob-content-length": length}
    assert storage.ask("PUT", "", sent).status == expected
    assert storage.ask("PUT", "", {"x-ms-blob-type": "BlockBlob"}, b"x").status == 501


@pytest.mark.parametrize(
    ("why", "query", "headers", "expected"),
    [
        ("a name with a hyphen", "", {"x-ms-meta-restore-point": "x"}, (400, "InvalidMetadata")),
        ("a name that begins with a digit", "", {"x-ms-meta-1": "x"}, (400, "InvalidMetadata")),
        ("more than 8 KiB", "", {"x-ms-meta-a": "x" * 8192}, (400, "MetadataTooLarge")),
        ("as much as may be", "", {"x-ms-meta-a": "x" * 8191}, (201, None)),
        (
            "a snapshot of a snapshot",
            "&snapshot=2026-03-01T12:00:00.0000001Z",
            {},
            (400, "InvalidQueryParameterValue"),
        ),
        ("a lease", "", {"x-ms-lease-id": "x"}, (412, "LeaseNotPresentWithBlobOperation")),
        ("what is not simulated", "", {"x-ms-if-tags": "a = 'b'"}, (501, "SimulatorNotSimulated")),
    ],
)
def test_a_snapshot_is_refused_for_what_it_says(storage, why, query, headers, expected):
    assert told(storage.ask("PUT", f"&comp=snapshot{query}", headers)) == expected


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

    def test_what_was_written_and_cleared_meanwhile_is_told_as_cleared(self, storage):
        """Recorded: test_get_page_ranges_diff of azure-storage-python."""
        blob = storage.blob()
        first = blob.create_snapshot()["snapshot"]
        blob.upload_page(BYTES[: 3 * PAGE], 0, 3 * PAGE)
        second = blob.create_snapshot()["snapshot"]
        blob.clear_page(PAGE, PAGE)
        blob.clear_page(8 * PAGE, PAGE)  # nothing was there
        third = blob.create_snapshot()["snapshot"]

        def found(previous, at=None):
            ranges = storage.blob(snapshot=at).list_page_ranges(previous_snapshot=previous)
            return [(each.start // PAGE, each.cleared) for each in ranges]

        assert found(first) == found(first, third) == [(0, False), (1, True), (2, False)]
        assert found(second) == [(1, True)]
        assert found(first, second) == [(0, False)]
        assert found(third) == []
        blob.upload_page(BYTES[:PAGE], PAGE, PAGE)
        assert found(first) == [(0, False)]

    @settings(max_examples=50)
    @given(st.tuples(DEEDS, DEEDS))
    def test_what_was_and_the_difference_make_what_is(self, deeds_before_and_after):
        with simulated(tempo=UNLIMITED) as storage:
            blob = storage.blob()
            blob.create_page_blob(40 * PAGE)
            taken: str = ""
            for deeds in deeds_before_and_after:
                for seed, is_clear, first, count in deeds:
                    data = Random(seed).randbytes(count * PAGE)
                    put(storage, first * PAGE, data, "clear" if is_clear else "update")
                taken = taken or str(blob.create_snapshot()["snapshot"])
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


def test_deleting_what_is_not_there_is_told(storage):
    with pytest.raises(ResourceNotFoundError):
        storage.blob("absent").delete_blob()
