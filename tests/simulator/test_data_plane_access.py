"""Who may read a disk by SAS: azure-semantics.md §4.1, held through the real storage SDK."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    ServiceRequestError,
    ServiceResponseError,
)

from simulator.wire import Request
from tests.simulator.exported_disk import (
    MIB,
    exported_disk,
    refusal,
)


@pytest.fixture(params=["transport", "server"])
def world(request):
    """The disk, reached in memory and over HTTP."""
    with exported_disk(over_http=request.param == "server") as world:
        yield world


def test_a_sas_names_a_policy_and_tells_neither_expiry_nor_permissions(world):
    url = world.snapshot("a").url()
    assert re.fullmatch(r"https://md-\w+\.z45\.blob\.storage\.azure\.net/\w+/abcd\?sv=2018-03-28&.*", url)
    assert set(parse_qs(urlsplit(url).query)) == {"sv", "sr", "si", "sig"}


def test_after_revocation_the_sas_is_refused_and_a_new_one_works(world):
    first = world.snapshot("a")
    blob = world.blob(first)
    assert blob.get_blob_properties().size == 8 * MIB + 512
    world.accesses.revoke("A")  # ids compare without case
    with pytest.raises(ClientAuthenticationError) as refused:
        blob.get_blob_properties()
    assert refusal(refused.value) == "403 AuthenticationFailed"
    with pytest.raises(ClientAuthenticationError, match="Server failed to authenticate the request"):
        blob.download_blob()
    second = world.snapshot("a")
    assert second.signature != first.signature
    assert world.blob(second).get_blob_properties().size == 8 * MIB + 512


def test_a_sas_ends_by_itself_on_the_clock_of_the_cloud(world):
    access = world.snapshot("a")
    world.clock.advance(timedelta(minutes=58))
    assert world.blob(access).download_blob(0, 512).readall() == bytes(512)
    assert world.accesses.count_active("family") == 1
    world.clock.advance(timedelta(minutes=1))
    with pytest.raises(ClientAuthenticationError):
        world.blob(access).download_blob(0, 512)
    assert world.accesses.active("a") is None
    assert world.accesses.count_active("family") == 0


def test_another_grant_while_one_is_active_extends_it_and_returns_the_same_sas(world):
    first = world.snapshot("a")
    second = world.snapshot("a")
    assert second.url() == first.url()
    assert second.readable_until > first.readable_until
    third = world.snapshot("a", lasting=timedelta(minutes=5))
    assert (third.url(), third.readable_until) == (first.url(), second.readable_until)
    assert world.accesses.count_active("family") == 1


@pytest.mark.parametrize("spoilt", ["sig=x", "si=x", "sv=2020-01-01", "sr=c"])
def test_a_sas_that_was_tampered_with_is_refused(world, spoilt):
    access = world.snapshot("a")
    name = spoilt.partition("=")[0]
    url = re.sub(rf"\b{name}=[^&]*", spoilt, access.url())
    answer = world.plane.handle(Request.of("GET", url))
    assert (answer.status, answer.headers["x-ms-error-code"]) == (403, "AuthenticationFailed")


def test_an_error_is_the_storage_services_xml(world):
    answer = world.plane.handle(
        Request.of("GET", "https://md-gone.z45.blob.storage.azure.net/a/abcd?sv=2018-03-28")
    )
    assert answer.headers["content-type"] == "application/xml"
    assert answer.body.decode() == (
        '\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code><Message>'
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed "
        f"correctly including the signature.\nRequestId:{answer.headers['x-ms-request-id']}\n"
        "Time:2026-03-01T12:00:00.0000000Z</Message><AuthenticationErrorDetail>The SAS is unknown, was "
        "revoked or has expired</AuthenticationErrorDetail></Error>"
    )


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_a_sas_for_reading_lets_nothing_be_written(world, method):
    access = world.snapshot("a")
    answer = world.plane.handle(Request.of(method, access.url() + "&comp=page", body=b"x" * 512))
    assert (answer.status, answer.headers["x-ms-error-code"]) == (403, "AuthorizationPermissionMismatch")
    assert world.blob(access).download_blob(0, 512).readall() == bytes(512)


def test_the_hosts_of_a_lost_region_do_not_answer(world):
    access = world.snapshot("a")
    world.lost.add("westeurope")
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        world.blob(access).get_blob_properties()
    world.lost.clear()
    assert world.blob(access).get_blob_properties().size == 8 * MIB + 512


@pytest.mark.parametrize(
    ("why", "headers", "expected"),
    [
        ("changed since then", {"if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT"}, (206, None)),
        (
            "not changed since",
            {"if-modified-since": "Mon, 02 Mar 2026 00:00:00 GMT"},
            (304, "ConditionNotMet"),
        ),
        (
            "changed meanwhile",
            {"if-unmodified-since": "Thu, 01 Jan 2026 00:00:00 GMT"},
            (412, "ConditionNotMet"),
        ),
        ("any but none", {"if-none-match": "*"}, (400, "UnsatisfiableCondition")),
        ("a lease that is not there", {"x-ms-lease-id": "x"}, (412, "LeaseNotPresentWithBlobOperation")),
        ("a version that there is not", {"x-ms-version": "3025-01-01"}, (400, "InvalidHeaderValue")),
        ("behind the end", {"x-ms-range": "bytes=9000000-"}, (416, "InvalidRange")),
    ],
)
def test_a_disk_answers_conditions_and_versions_as_a_page_blob_does(world, why, headers, expected):
    sent = {"x-ms-version": "2021-12-02", "x-ms-range": "bytes=0-511"} | headers
    answer = world.get(world.snapshot("a"), sent)
    assert (answer.status, answer.headers.get("x-ms-error-code")) == expected
    assert answer.headers.get("content-range") == {206: "bytes 0-511/8389120", 416: "bytes */8389120"}.get(
        answer.status
    )


def test_a_disk_tells_either_checksum_of_a_range(world):
    access, asked = world.snapshot("a"), {"x-ms-range": "bytes=0-511", "x-ms-version": "2021-12-02"}
    for name, told in (("md5", "content-md5"), ("crc64", "x-ms-content-crc64")):
        answer = world.get(access, asked | {f"x-ms-range-get-content-{name}": "true"})
        assert (answer.status, told in answer.headers) == (206, True)
