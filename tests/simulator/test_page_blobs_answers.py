"""What a page blob answers, status, code and headers, as recorded traffic and the REST reference have it.

Where a row comes from is in docs/azure-semantics.md §4.7.
"""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import quote

import pytest

from simulator.data_plane.checksums import crc64_of
from tests.simulator.storage_accounts import MIB, PAGE, etag, put, told

MD5_OF_A_PAGE = base64.b64encode(hashlib.md5(bytes(PAGE), usedforsecurity=False).digest()).decode()
CLEAR = {"x-ms-page-write": "clear", "x-ms-range": "bytes=0-511"}
UPDATE = {"x-ms-page-write": "update", "x-ms-range": "bytes=0-511"}
MOMENT = "2026-03-01T12:00:00.0000000Z"
LENGTH = 16 * MIB + PAGE
LONG_AGO, LATER = "Thu, 01 Jan 2026 00:00:00 GMT", "Mon, 02 Mar 2026 00:00:00 GMT"


UNMET, UNCHANGED = (412, "ConditionNotMet"), (304, "ConditionNotMet")
SEVERAL = (400, "MultipleConditionHeadersNotSupported")


@pytest.mark.parametrize(
    ("why", "conditions", "reading", "writing"),
    [
        ("the blob's own", {"if-match": "{etag}"}, (200, None), (201, None)),
        ("without its quotes", {"if-match": "{bare}"}, (200, None), (201, None)),
        ("another's", {"if-match": '"0x1"'}, UNMET, UNMET),
        ("any", {"if-match": "*"}, (200, None), (201, None)),
        ("one of several", {"if-match": '"0x1", {etag}'}, (200, None), SEVERAL),
        ("none of several", {"if-none-match": '"0x1", {etag}'}, UNCHANGED, SEVERAL),
        ("known, without its quotes", {"if-none-match": "{bare}"}, UNCHANGED, UNMET),
        ("not known", {"if-none-match": '"0x1"'}, (200, None), (201, None)),
        (
            "no blob at all",
            {"if-none-match": "*"},
            (400, "UnsatisfiableCondition"),
            (409, "BlobAlreadyExists"),
        ),
        ("changed since then", {"if-modified-since": LONG_AGO}, (200, None), (201, None)),
        ("not changed since", {"if-modified-since": LATER}, UNCHANGED, UNMET),
        ("changed meanwhile", {"if-unmodified-since": LONG_AGO}, UNMET, UNMET),
        ("no moment", {"if-modified-since": "lately"}, (400, "InvalidHeaderValue"), None),
        (
            "for writing the ETag alone counts",
            {"if-none-match": '"0x1"', "if-modified-since": LATER},
            (200, None),
            (201, None),
        ),
        (
            "known, but changed since",
            {"if-none-match": "{etag}", "if-modified-since": LONG_AGO},
            (200, None),
            UNMET,
        ),
        (
            "for writing these two are no pair",
            {"if-match": "{etag}", "if-modified-since": LONG_AGO},
            (200, None),
            SEVERAL,
        ),
        ("both must hold", {"if-match": "{etag}", "if-unmodified-since": LONG_AGO}, UNMET, (201, None)),
    ],
)
def test_conditions_are_held_as_documented(storage, why, conditions, reading, writing):
    known = etag(storage)
    sent = {name: value.format(etag=known, bare=known.strip('"')) for name, value in conditions.items()}
    for method, query in (("HEAD", ""), ("GET", "&comp=pagelist"), ("GET", "&comp=metadata")):
        assert told(storage.ask(method, query, sent)) == reading
    if writing is not None:
        assert told(storage.ask("PUT", "&comp=page", CLEAR | sent)) == writing


def test_an_answer_that_nothing_has_changed_tells_the_code_alone(storage):
    answer = storage.ask("GET", "", {"if-none-match": etag(storage)})
    assert (answer.status, answer.body, answer.phrase) == (
        304,
        b"",
        "The condition specified using HTTP conditional header(s) is not met.",
    )
    assert {"etag", "last-modified", "content-type", "content-length"} & set(answer.framed_headers()) == set()


def test_a_range_behind_the_end_is_told_how_long_the_blob_is(storage):
    answer = storage.ask("GET", "", {"x-ms-range": f"bytes={LENGTH}-", "range": "bytes=0-1"})
    assert told(answer) == (416, "InvalidRange")
    assert answer.headers["content-range"] == f"bytes */{LENGTH}"


@pytest.mark.parametrize(
    ("why", "method", "query", "headers", "body", "expected"),
    [
        ("a clear with a checksum", "PUT", "&comp=page", CLEAR | {"content-md5": MD5_OF_A_PAGE}, b"", 400),
        (
            "two checksums",
            "PUT",
            "&comp=page",
            UPDATE | {"content-md5": MD5_OF_A_PAGE, "x-ms-content-crc64": crc64_of([bytes(PAGE)])},
            bytes(PAGE),
            "BothCrc64AndMd5HeaderPresent",
        ),
        (
            "two checksums of a range",
            "GET",
            "",
            {
                "x-ms-range": "bytes=0-511",
                "x-ms-range-get-content-md5": "true",
                "x-ms-range-get-content-crc64": "true",
            },
            b"",
            400,
        ),
        ("a snapshot that is no moment", "HEAD", "&snapshot=1", {}, b"", "InvalidQueryParameterValue"),
        (
            "a previous one that is none",
            "GET",
            "&comp=pagelist&prevsnapshot=1",
            {},
            b"",
            "InvalidQueryParameterValue",
        ),
        ("metadata without a name", "PUT", "&comp=metadata", {"x-ms-meta-": "x"}, b"", "EmptyMetadataKey"),
        (
            "a number without what to do with it",
            "PUT",
            "&comp=properties",
            {"x-ms-blob-sequence-number": "5"},
            b"",
            "MissingRequiredHeader",
        ),
        (
            "an increment to a number",
            "PUT",
            "&comp=properties",
            {"x-ms-sequence-number-action": "increment", "x-ms-blob-sequence-number": "5"},
            b"",
            "InvalidHeaderValue",
        ),
        (
            "a number that is none any more",
            "PUT",
            "&comp=properties",
            {"x-ms-sequence-number-action": "update", "x-ms-blob-sequence-number": str(2**63)},
            b"",
            "InvalidHeaderValue",
        ),
        ("a source that is nowhere", "PUT", "", {"x-ms-copy-source": "x"}, b"", "InvalidHeaderValue"),
        (
            "snapshots of a snapshot",
            "DELETE",
            f"&snapshot={MOMENT}",
            {"x-ms-delete-snapshots": "only"},
            b"",
            "InvalidOperation",
        ),
        ("another version of a blob", "HEAD", "&versionid=x", {}, b"", "SimulatorNotSimulated"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(storage, why, method, query, headers, body, expected):
    assert expected in told(storage.ask(method, query, headers, body))


def test_the_highest_sequence_number_is_not_counted_on(storage):
    highest = {"x-ms-sequence-number-action": "max", "x-ms-blob-sequence-number": str(2**63 - 1)}
    assert storage.ask("PUT", "&comp=properties", highest).status == 200
    refused = storage.ask("PUT", "&comp=properties", {"x-ms-sequence-number-action": "increment"})
    assert told(refused) == (409, "SequenceNumberIncrementTooLarge")


def test_what_is_cleared_is_not_told_to_be_encrypted(storage):
    for sent, body, is_told in ((UPDATE, bytes(PAGE), True), (CLEAR, b"", False)):
        headers = storage.ask("PUT", "&comp=page", sent, body).headers
        assert ("x-ms-request-server-encrypted" in headers) == is_told


def test_an_old_version_tells_the_md5_and_knows_no_crc64(storage):
    old = {"x-ms-version": "2018-11-09"}
    answer = storage.ask("PUT", "&comp=page", UPDATE | old | {"x-ms-content-crc64": "no"}, bytes(PAGE))
    assert (answer.status, answer.headers["content-md5"]) == (201, MD5_OF_A_PAGE)
    assert "x-ms-content-crc64" not in answer.headers


def test_a_refusal_is_told_in_the_status_line_too(storage):
    assert put(storage, 100, bytes(PAGE)).phrase == (
        "The value for one of the HTTP headers is not in the correct format."
    )
    with pytest.raises(Exception, match="The specified blob does not exist"):
        storage.blob("absent").get_blob_properties()


def test_a_snapshot_is_told_by_its_moment_and_has_no_lease(storage):
    own = {"x-ms-meta-point": "own"}
    plain, told_apart = (storage.ask("PUT", "&comp=snapshot", sent).headers for sent in ({}, own))
    assert plain["etag"] == etag(storage) != told_apart["etag"]
    found = storage.ask("HEAD", f"&snapshot={quote(plain['x-ms-snapshot'])}").headers
    assert (found["x-ms-snapshot"], found["etag"]) == (plain["x-ms-snapshot"], etag(storage))
    assert "x-ms-lease-state" not in found
    assert storage.ask("HEAD").headers["x-ms-lease-state"] == "available"
    gone = storage.ask("DELETE", f"&snapshot={quote(plain['x-ms-snapshot'])}")
    assert (gone.status, gone.headers["x-ms-delete-type-permanent"]) == (202, "true")


def test_the_md5_of_the_whole_is_not_taken_for_that_of_a_range(storage):
    storage.ask("PUT", "&comp=properties", {"x-ms-blob-content-md5": MD5_OF_A_PAGE})
    assert storage.ask("HEAD").headers["content-md5"] == MD5_OF_A_PAGE
    asked = {"x-ms-range": "bytes=0-511"}
    found = storage.ask("GET", "", asked).headers
    assert found["x-ms-blob-content-md5"] == MD5_OF_A_PAGE
    assert "content-md5" not in found
    both = storage.ask("GET", "", asked | {"x-ms-range-get-content-md5": "true"}).headers
    assert both["content-md5"] == both["x-ms-blob-content-md5"] == MD5_OF_A_PAGE


def test_a_blob_may_be_empty(storage):
    sent = {"x-ms-blob-type": "PageBlob", "x-ms-blob-content-length": "0"}
    assert storage.ask("PUT", "", sent).status == 201
    assert storage.ask("GET").length == 0
    answer = storage.ask("GET", "", {"x-ms-range": "bytes=0-511"})
    assert (told(answer), answer.headers["content-range"]) == ((416, "InvalidRange"), "bytes */0")
    assert b"<PageList />" in storage.ask("GET", "&comp=pagelist").body
    storage.blob().resize_blob(PAGE)
    assert put(storage, 0, b"x" * PAGE).status == 201
