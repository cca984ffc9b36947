"""What a storage account answers beside its blobs: who asks, in which version, which containers there are.

Where a row comes from is in docs/azure-semantics.md §4.7.
"""

from __future__ import annotations

import shutil
import subprocess
from urllib.parse import quote

import pytest
from azure.core.exceptions import HttpResponseError

from simulator.page_blobs.shared_key import signature
from tests.simulator.conftest import Token
from tests.simulator.storage_accounts import (
    API_VERSION,
    CONTAINER,
    PAGE,
    refusal,
    simulated,
    told,
)

DENIED = (403, "AuthenticationFailed")


@pytest.fixture
def storage():
    """An account with a page blob of one page."""
    with simulated() as storage:
        storage.blob().create_page_blob(PAGE)
        yield storage


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2026-10-06", 200),
        ("2019-02-02", 200),
        ("2027-05-06", 200),  # of an SDK that is younger than the simulator
        ("3025-01-01", 400),
        ("2020-10-03", 400),
        ("2008-10-27", 400),
        ("2026-13-01", 400),
        ("latest", 400),
    ],
)
def test_a_version_must_be_one_of_the_service_s(storage, version, expected):
    answer = storage.ask("GET", "", {"x-ms-version": version})
    assert answer.status == expected
    if expected == 400:
        assert f"<HeaderName>x-ms-version</HeaderName><HeaderValue>{version}</H".encode() in answer.body


@pytest.mark.parametrize(
    ("why", "headers", "expected"),
    [
        ("nobody, and no version", {}, (409, "PublicAccessNotPermitted")),
        ("nobody, before challenges", {"x-ms-version": "2019-10-10"}, (409, "PublicAccessNotPermitted")),
        ("nobody", {"x-ms-version": API_VERSION}, (401, "NoAuthenticationInformation")),
        (
            "a scheme that is none",
            {"x-ms-version": API_VERSION, "authorization": "Basic eDp5"},
            (400, "InvalidAuthenticationInfo"),
        ),
        (
            "half a key",
            {"x-ms-version": API_VERSION, "authorization": "SharedKey vault"},
            (400, "InvalidAuthenticationInfo"),
        ),
        (
            "a key without a date",
            {"x-ms-version": API_VERSION, "authorization": "SharedKey vault:x"},
            DENIED,
        ),
        (
            "no token",
            {"x-ms-version": API_VERSION, "authorization": "Bearer "},
            (401, "InvalidAuthenticationInfo"),
        ),
        ("a token before tokens", {"x-ms-version": "2017-07-29", "authorization": "Bearer x"}, DENIED),
    ],
)
def test_who_does_not_say_who_he_is_is_told_so(storage, why, headers, expected):
    url = f"{storage.endpoint}/{CONTAINER}/web.vhd"
    answer = storage.ask_at("GET", url, {"x-ms-version": ""} | headers)
    assert told(answer) == expected
    assert ("www-authenticate" in answer.headers) == (answer.status == 401)


def test_a_token_without_a_version_is_told_that_it_is_too_old(storage):
    url = f"{storage.endpoint}/{CONTAINER}/web.vhd"
    answer = storage.ask_at("GET", url, {"x-ms-version": "2015-02-21", "authorization": "Bearer x"})
    assert b"Authentication scheme Bearer is not supported in this version." in answer.body


def sas(storage, version, lines, **fields):
    """Sign as a version does; `lines` are those between the resource and what overrides headers."""
    fields = {"sp": "r", "st": "", "se": "2026-03-01T13:00:00Z", "sv": version, "sr": "b"} | fields
    resource = f"/blob/{storage.name}/{CONTAINER}/web.vhd"
    text = [fields["sp"], fields["st"], fields["se"], resource, *lines, "", "", "", "", ""]
    fields["sig"] = signature(storage.key, "\n".join(text))
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items() if value)
    return f"{storage.endpoint}/{CONTAINER}/web.vhd?{query}"


SERVICE = {
    "2015-04-05": ["", "", "", "2015-04-05"],
    "2018-11-09": ["", "", "", "2018-11-09", "b", ""],
    "2020-10-02": ["", "", "", "2020-10-02", "b", ""],
    "2020-12-06": ["", "", "", "2020-12-06", "b", "", ""],
    "2025-07-05": ["", "", "", "2025-07-05", "b", "", ""],
}


@pytest.mark.parametrize("version", SERVICE)
def test_each_version_signs_what_it_signed(storage, version):
    """The lines are those of "Create a service SAS": resource and snapshot since 2018, scope since 2020."""
    assert storage.ask_at("GET", sas(storage, version, SERVICE[version])).status == 200
    others = [lines for lines in SERVICE.values() if len(lines) != len(SERVICE[version])]
    for lines in others:
        assert told(storage.ask_at("GET", sas(storage, version, [*lines[:3], version, *lines[4:]]))) == DENIED


LINES = ["", "", "", "2021-12-02", "b", "", ""]


@pytest.mark.parametrize(("letters", "expected"), [("rcw", 200), ("rwc", 403), ("rr", 403)])
def test_the_letters_of_a_sas_stand_in_their_order(storage, letters, expected):
    answer = storage.ask_at("HEAD", sas(storage, "2021-12-02", LINES, sp=letters))
    assert answer.status == expected
    assert (b"SAS field 'sp' is not well formed." in answer.body) == (expected == 403)


def test_a_sas_that_is_over_tells_its_time(storage):
    began = sas(storage, "2021-12-02", LINES, st="2026-03-01T11:00:00Z", se="2026-03-01T11:30:00Z")
    told_of = storage.ask_at("GET", began).body.decode()
    assert (
        "Signature not valid in the specified time frame: Start [Sun, 01 Mar 2026 11:00:00 GMT] - "
        "Expiry [Sun, 01 Mar 2026 11:30:00 GMT] - Current [Sun, 01 Mar 2026 12:00:00 GMT]"
    ) in told_of
    ended = storage.ask_at("GET", sas(storage, "2021-12-02", LINES, se="2026-03-01T11:30:00Z"))
    assert b"Signed expiry time [Sun, 01 Mar 2026 11:30:00 GMT] must be after" in ended.body


def test_a_version_beside_a_sas_counts_for_the_answer(storage):
    url = sas(storage, "2018-11-09", SERVICE["2018-11-09"]) + "&api-version=2021-12-02"
    answer = storage.ask_at("GET", url, {"x-ms-version": ""})
    assert (answer.status, answer.headers["x-ms-version"]) == (200, "2021-12-02")


class TestContainers:
    """Lists, metadata, conditions, and a name that is not free at once."""

    def test_they_are_listed_page_by_page(self, storage):
        for name in ("logs", "disks-old"):
            storage.service.create_container(name, metadata={"of": name})
        found = storage.service.list_containers(results_per_page=2, include_metadata=True)
        pages = [[(each.name, each.metadata) for each in page] for page in found.by_page()]
        assert pages == [
            [("disks", {}), ("disks-old", {"of": "disks-old"})],
            [("logs", {"of": "logs"})],
        ]
        assert [each.name for each in storage.service.list_containers("disks-")] == ["disks-old"]
        assert storage.service.get_account_information()["account_kind"] == "StorageV2"

    def test_names_are_put_together_at_a_delimiter(self, storage):
        for name in ("web/os.vhd", "web/data.vhd", "a.vhd", "west/os.vhd"):
            storage.blob(name).create_page_blob(PAGE)
        container = storage.service.get_container_client(CONTAINER)
        found = container.walk_blobs(results_per_page=1)
        assert [each.name for each in found] == ["a.vhd", "web.vhd", "web/", "west/"]
        within = container.walk_blobs(name_starts_with="web/", delimiter="/")
        assert [each.name for each in within] == ["web/data.vhd", "web/os.vhd"]
        query = f"?restype=container&comp=list&delimiter=/&include=snapshots&{storage.sas()}"
        refused = storage.ask_at("GET", f"{storage.endpoint}/{CONTAINER}{query}")
        assert told(refused) == (400, "InvalidQueryParameterValue")

    def test_metadata_is_replaced_and_conditions_are_held(self, storage):
        container = storage.service.get_container_client(CONTAINER)
        container.set_container_metadata({"kept": "30 days"})
        assert container.get_container_properties().metadata == {"kept": "30 days"}
        later = {"if-modified-since": "Mon, 02 Mar 2026 00:00:00 GMT"}
        for method, query in (("DELETE", ""), ("PUT", "&comp=metadata")):
            url = f"{storage.endpoint}/{CONTAINER}?restype=container{query}"
            sent = {"authorization": "Bearer development:app"}
            assert told(storage.ask_at(method, url, sent | later)) == (412, "ConditionNotMet")
            leased = storage.ask_at(method, url, sent | {"x-ms-lease-id": "x"})
            assert told(leased) == (412, "LeaseNotPresentWithContainerOperation")

    def test_the_name_of_a_deleted_one_is_not_free_at_once(self, storage):
        storage.service.delete_container(CONTAINER)
        with pytest.raises(HttpResponseError) as raised:
            storage.service.create_container(CONTAINER)
        assert refusal(raised.value) == "409 ContainerBeingDeleted"
        storage.pass_time(seconds=30)
        storage.service.create_container(CONTAINER)

    def test_none_is_public(self, storage):
        with pytest.raises(HttpResponseError) as raised:
            storage.service.create_container("shown", public_access="blob")
        assert refusal(raised.value) == "409 PublicAccessNotPermitted"


@pytest.mark.parametrize(
    ("method", "query", "expected"),
    [
        ("PUT", "&comp=lease", (501, "SimulatorNotSimulated")),
        ("PUT", "&comp=incrementalcopy", (501, "SimulatorNotSimulated")),
        ("GET", "&comp=blocklist", (501, "SimulatorNotSimulated")),
        ("GET", "&comp=nothing", (400, "InvalidQueryParameterValue")),
        ("PATCH", "", (405, "UnsupportedHttpVerb")),
        ("GRAB", "", (400, "InvalidHttpVerb")),
    ],
)
def test_what_is_not_there_is_told_from_what_azure_does_not_have(storage, method, query, expected):
    assert told(storage.ask(method, query)) == expected


def test_lists_tell_all_of_a_blob_and_no_lease_of_a_snapshot(storage):
    storage.ask("PUT", "&comp=properties", {"x-ms-blob-cache-control": "no-cache"})
    storage.ask("PUT", "&comp=snapshot")
    query = f"?restype=container&comp=list&include=snapshots&{storage.sas()}"
    document = storage.ask_at("GET", f"{storage.endpoint}/{CONTAINER}{query}").body
    assert document.count(b"<Content-MD5></Content-MD5><Cache-Control>no-cache</Cache-Control>") == 2
    assert document.count(b"<LeaseState>available</LeaseState>") == 1


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<Expiry>2026-03-08T12:00:00Z</Expiry>", (200, None)),
        ("<Expiry>2026-03-08T12:00:01Z</Expiry>", (400, "InvalidXmlNodeValue")),
        ("<Expiry>2026-03-01T11:00:00Z</Expiry>", (400, "InvalidXmlNodeValue")),
        ("<Expiry>soon</Expiry>", (400, "InvalidXmlNodeValue")),
        (
            "<Start>2026-03-02T12:00:00Z</Start><Expiry>2026-03-02T11:00:00Z</Expiry>",
            (400, "InvalidXmlNodeValue"),
        ),
        ("<Start>2026-03-02T12:00:00Z</Start>", (400, "MissingRequiredXmlNode")),
        ("<Expiry>", (400, "InvalidXmlDocument")),
    ],
)
def test_a_key_of_a_token_s_owner_lasts_seven_days(storage, inner, expected):
    url = f"{storage.endpoint}/?restype=service&comp=userdelegationkey"
    sent = {"authorization": f"Bearer {Token('app').get_token().token}"}
    assert told(storage.ask_at("POST", url, sent, f"<KeyInfo>{inner}</KeyInfo>".encode())) == expected


CURL = shutil.which("curl")


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
def test_curl_makes_writes_and_reads_a_page_blob(tmp_path):
    """What curl sends: no length with `-X PUT` alone, and chunks for what it reads from a pipe."""
    with simulated(over_http=True) as storage:
        url = f"{storage.endpoint}/{CONTAINER}/web.vhd?{storage.sas()}"

        def curl(*arguments: str, at: str = url) -> tuple[int, bytes]:
            command = [str(CURL), "-sS", "--max-time", "20", "-w", "\n%{http_code}", *arguments, at]
            found = subprocess.run(command, capture_output=True, check=True, input=b"p" * PAGE)
            body, _, status = found.stdout.rpartition(b"\n")
            return int(status), body

        page = ["-H", "x-ms-page-write: update", "-H", "x-ms-range: bytes=512-1023"]
        made = ["-H", "x-ms-blob-type: PageBlob", "-H", "x-ms-blob-content-length: 1024"]
        assert curl("-X", "PUT", *made)[0] == 411
        assert curl("-X", "PUT", "-d", "", *made) == (201, b"")
        status, document = curl("-T", "-", *page, at=f"{url}&comp=page")
        assert (status, b"<Code>MissingContentLengthHeader</Code>" in document) == (411, True)
        (tmp_path / "page").write_bytes(b"p" * PAGE)
        assert curl("-T", str(tmp_path / "page"), *page, at=f"{url}&comp=page") == (201, b"")
        assert curl("-r", "1022-") == (206, b"pp")
        assert curl("-I", "-H", "If-None-Match: *")[0] == 400
        assert b"<Start>512</Start><End>1023</End>" in curl(at=f"{url}&comp=pagelist")[1]
        assert curl("-X", "DELETE")[0] == 202
