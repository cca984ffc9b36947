"""What is read by SAS: azure-semantics.md §4.3 and §4.5, held through the real storage SDK."""

from __future__ import annotations

import hashlib
import struct
from random import Random

import pytest
import requests
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceModifiedError,
)

from tests.simulator.exported_disk import (
    MIB,
    START,
    exported_disk,
    refusal,
)


@pytest.fixture(params=["transport", "server"])
def world(request):
    """The disk, reached in memory and over HTTP."""
    with exported_disk(over_http=request.param == "server") as world:
        yield world


def test_the_blob_is_the_disk_and_a_vhd_footer(world):
    content = Random(2).randbytes(3 * MIB)
    world.disk.write(MIB, content)
    blob = world.blob(world.snapshot("a"))
    downloaded = blob.download_blob().readall()
    assert len(downloaded) == 8 * MIB + 512
    assert downloaded[: 8 * MIB] == bytes(MIB) + content + bytes(4 * MIB)
    footer = downloaded[8 * MIB :]
    assert footer[:8] == b"conectix"
    assert struct.unpack(">Q", footer[48:56]) == (8 * MIB,)


def test_a_snapshot_does_not_change_when_its_disk_does(world):
    world.disk.write(0, b"before")
    blob = world.blob(world.snapshot("a"))
    world.disk.write(0, b"after!")
    assert blob.download_blob(0, 6).readall() == b"before"


def test_properties_are_those_of_a_page_blob(world):
    properties = world.blob(world.snapshot("a")).get_blob_properties()
    assert properties.blob_type == "PageBlob"
    assert properties.size == 8 * MIB + 512
    assert properties.last_modified == START
    assert properties.etag.startswith('"0x8D')
    assert properties.content_settings.content_type == "application/octet-stream"
    assert properties.page_blob_sequence_number == 0


def test_ranges_are_read_from_anywhere_to_beyond_the_end(world):
    content = Random(3).randbytes(8 * MIB)
    world.disk.write(0, content)
    blob = world.blob(world.snapshot("a"))
    assert blob.download_blob(777_777, 1_000_000).readall() == content[777_777:1_777_777]
    end = blob.download_blob(8 * MIB - 10, 10_000).readall()  # cut at the end of the blob, as HTTP has it
    assert end[:10] == content[-10:]
    assert len(end) == 522


def test_a_large_blob_arrives_in_many_requests_side_by_side(world):
    content = Random(4).randbytes(2 * MIB)
    world.disk.write(4 * MIB + 512, content)
    blob = world.blob(world.snapshot("a"), max_single_get_size=MIB, max_chunk_get_size=MIB)
    downloaded = blob.download_blob(max_concurrency=4).readall()
    assert downloaded[4 * MIB + 512 : 6 * MIB + 512] == content
    assert hashlib.sha256(downloaded[: 4 * MIB]).digest() == hashlib.sha256(bytes(4 * MIB)).digest()


@pytest.mark.parametrize(
    ("headers", "status", "content_range"),
    [
        ({}, 200, None),
        ({"Range": "bytes=0-9"}, 206, "bytes 0-9/8389120"),
        ({"x-ms-range": "bytes=10-19", "Range": "bytes=0-9"}, 206, "bytes 10-19/8389120"),
        ({"Range": "bytes=8389000-"}, 206, "bytes 8389000-8389119/8389120"),
        ({"Range": "bytes=0-99999999999"}, 206, "bytes 0-8389119/8389120"),
    ],
)
def test_a_range_is_answered_with_its_place(world, headers, status, content_range):
    answer = world.get(world.snapshot("a"), headers)
    assert (answer.status, answer.headers.get("content-range")) == (status, content_range)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-ms-blob-type"] == "PageBlob"


@pytest.mark.parametrize(
    ("value", "status", "code"),
    [
        ("bytes=8389120-8389130", 416, "InvalidRange"),
        ("bytes=5-4", 416, "InvalidRange"),
        ("bytes=-512", 400, "InvalidHeaderValue"),
        ("bytes=0-1,4-5", 400, "InvalidHeaderValue"),
        ("pages=0-1", 400, "InvalidHeaderValue"),
    ],
)
def test_a_range_that_cannot_be_is_refused(world, value, status, code):
    answer = world.get(world.snapshot("a"), {"Range": value})
    assert (answer.status, answer.headers["x-ms-error-code"]) == (status, code)


def test_a_read_behind_the_end_is_an_invalid_range_for_the_sdk(world):
    with pytest.raises(HttpResponseError) as refused:
        world.blob(world.snapshot("a")).download_blob(9 * MIB, 512)
    assert refusal(refused.value) == "416 InvalidRange"


def test_the_sdk_can_check_the_hash_of_every_range(world):
    content = Random(5).randbytes(5 * MIB)
    world.disk.write(0, content)
    blob = world.blob(world.snapshot("a"), max_single_get_size=MIB, max_chunk_get_size=MIB)
    assert blob.download_blob(0, 5 * MIB, validate_content=True).readall() == content


@pytest.mark.parametrize("headers", [{}, {"x-ms-range": f"bytes=0-{4 * MIB}"}], ids=["whole", "too long"])
def test_a_hash_is_given_for_ranges_of_up_to_four_mebibytes_only(world, headers):
    answer = world.get(world.snapshot("a"), {"x-ms-range-get-content-md5": "true", **headers})
    assert (answer.status, answer.headers["x-ms-error-code"]) == (400, "InvalidHeaderValue")


def test_conditions_on_the_etag_hold(world):
    blob = world.blob(world.snapshot("a"))
    etag = blob.get_blob_properties().etag
    same = world.accesses.active("a")
    assert world.get(same, {"If-Match": etag}).status == 200
    assert world.get(same, {"If-None-Match": etag}).status == 304
    with pytest.raises(ResourceModifiedError):
        blob.download_blob(0, 512, etag='"0x1"', match_condition=MatchConditions.IfNotModified)


def test_a_client_that_is_no_sdk_reads_by_the_same_rules():
    with exported_disk(over_http=True) as world:
        world.disk.write(0, b"hello")
        url = world.snapshot("a").url(world.base_url)
        answer = requests.get(url, headers={"Range": "bytes=0-4"}, timeout=10)
        assert (answer.status_code, answer.content) == (206, b"hello")
        head = requests.head(url, timeout=10)
        assert (head.status_code, head.headers["content-length"]) == (200, str(8 * MIB + 512))
        ranges = requests.get(url + "&comp=pagelist", headers={"x-ms-client-request-id": "mine"}, timeout=10)
        assert ranges.headers["x-ms-client-request-id"] == "mine"
        assert ranges.headers["x-ms-version"] == "2018-03-28"
