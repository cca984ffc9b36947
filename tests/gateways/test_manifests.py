"""Manifests on Azurite: written once, the same when written again, and enough to restore from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import ContainerClient
from pydantic import TypeAdapter

from domain.errors import Absent, Refused, Transient
from domain.manifests import home_manifest
from domain.policy import Location
from gateways.manifests import Manifests
from simulator.transport import transport
from simulator.wire import ConnectionDropped, Headers, Response
from tests.conftest import Account, Accounts
from tests.domain.samples import WEST, available_point, disk, machine
from tests.gateways.scripted import Script


@pytest.fixture
def account(accounts: Accounts) -> Account:
    """An account with a container for manifests, as the deployment makes one."""
    account = accounts.fresh()
    _container(account).create_container()
    return account


def _container(account: Account) -> ContainerClient:
    return ContainerClient(
        account.blob_endpoint, "manifests", credential=account.key, api_version="2021-12-02", retry_total=0
    )


def _location(account: Account) -> Location:
    return replace(WEST, manifests=f"{account.blob_endpoint}/manifests")


def _manifests(account: Account) -> Manifests:
    return Manifests(lambda endpoint: AzureNamedKeyCredential(account.name, account.key))


def test_a_manifest_comes_back_as_it_was_written(account):
    location, manifests = _location(account), _manifests(account)
    vm = machine(
        disk("os", traits={"osType": "Linux"}, zones=("1", "2")),
        disk("data", lun=3, caching="ReadOnly", encryption_set_id="/subscriptions/x"),
        tags={"name": "Zoë \N{FIRE}"},
        model={"properties": {"osProfile": None, "size": 4.5, "list": [1, "a", {"b": False}]}},
    )
    manifest = home_manifest(available_point(vm), location)
    manifests.write(manifest, location)
    assert manifests.read(vm.key, manifest.point, location) == manifest


def test_writing_the_same_again_changes_no_byte(account):
    location, manifests = _location(account), _manifests(account)
    manifest = home_manifest(available_point(), location)
    manifests.write(manifest, location)
    blob = _container(account).get_blob_client(manifest.name)
    before, written = blob.download_blob().readall(), blob.get_blob_properties().etag
    manifests.write(manifest, location)
    # Also what went through the wire and came back is the same to the byte.
    manifests.write(manifests.read(manifest.vm.key, manifest.point, location), location)
    assert blob.download_blob().readall() == before
    assert blob.get_blob_properties().etag == written


def test_a_manifest_that_says_something_else_is_refused_and_the_first_stays(account):
    location, manifests = _location(account), _manifests(account)
    manifest = home_manifest(available_point(), location)
    manifests.write(manifest, location)
    with pytest.raises(Refused, match="exists and says something else") as refused:
        manifests.write(replace(manifest, skew=timedelta(seconds=9)), location)
    assert refused.value.code == "ManifestDiffers"
    assert manifests.read(manifest.vm.key, manifest.point, location) == manifest


@pytest.mark.parametrize("code", ["BlobAlreadyExists", "BlobImmutableDueToPolicy"])
@pytest.mark.parametrize("is_same", [True, False])
def test_writing_again_where_manifests_are_immutable_is_harmless_whichever_way_azure_says_so(code, is_same):
    # Both are in Azure's list of error codes; which of them comes first there is not known.
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>No.</Message></Error>'.encode()
    refusal = Response(409, Headers({"content-type": "application/xml", "x-ms-error-code": code}), body)
    there = home_manifest(available_point(), WEST)
    content = TypeAdapter(type(there)).dump_json(there, indent=1)
    headers = {"content-range": f"bytes 0-{len(content) - 1}/{len(content)}", "etag": '"1"'}
    script = Script(refusal, Response(206, Headers(headers), content))
    manifests = Manifests(lambda endpoint: AzureNamedKeyCredential("west", "a2V5"), transport(script))
    if is_same:
        manifests.write(there, WEST)
    else:
        with pytest.raises(Refused, match="exists and says something else"):
            manifests.write(replace(there, skew=timedelta(seconds=9)), WEST)
    assert [request.method for request in script.requests] == ["PUT", "GET"]
    assert script.requests[0].headers["if-none-match"] == "*"


def test_manifests_of_one_vm_lie_side_by_side(account):
    location, manifests = _location(account), _manifests(account)
    points = [available_point(attempt=attempt) for attempt in (1, 2)]
    for point in points:
        manifests.write(home_manifest(point, location), location)
    names = [blob.name for blob in _container(account).list_blobs(name_starts_with=f"{points[0].vm.key}/")]
    assert names == [f"{point.vm.key}/{point.id}.json" for point in points]


def test_a_manifest_is_marked_as_json(account):
    location = _location(account)
    manifest = home_manifest(available_point(), location)
    _manifests(account).write(manifest, location)
    properties = _container(account).get_blob_client(manifest.name).get_blob_properties()
    assert properties.content_settings.content_type == "application/json"


def test_a_manifest_that_is_not_there_is_missed_by_name(account):
    location, point = _location(account), available_point()
    with pytest.raises(Absent, match=f"there is no manifest .*{point.id}.json in west"):
        _manifests(account).read(point.vm.key, point.id, location)


def test_a_container_that_is_not_there_is_no_manifest_either(accounts):
    account, point = accounts.fresh(), available_point()
    with pytest.raises(Absent, match="there is no manifest"):
        _manifests(account).read(point.vm.key, point.id, _location(account))
    with pytest.raises(Absent, match="ContainerNotFound"):
        _manifests(account).write(home_manifest(point, _location(account)), _location(account))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",  # cut off
        b'{"format": 1}',  # fields are missing
        b"\xff\xfe not text",
        b'{"format": "1", "point": []}',
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused_by_name(account, content):
    location, point = _location(account), available_point()
    _container(account).upload_blob(f"{point.vm.key}/{point.id}.json", content)
    with pytest.raises(Refused, match=f"manifest .*{point.id}.json in west") as refused:
        _manifests(account).read(point.vm.key, point.id, location)
    assert refused.value.code == "ManifestUnreadable"


def test_a_manifest_of_a_later_format_is_refused(account):
    location, manifests = _location(account), _manifests(account)
    manifest = replace(home_manifest(available_point(), location), format=2)
    manifests.write(manifest, location)
    with pytest.raises(Refused, match="format 2") as refused:
        manifests.read(manifest.vm.key, manifest.point, location)
    assert refused.value.code == "ManifestUnreadable"


def test_a_wrong_key_is_refused(account, accounts):
    stranger = accounts.fresh()
    location = _location(account)
    manifests = Manifests(lambda endpoint: AzureNamedKeyCredential(account.name, stranger.key))
    with pytest.raises(Refused, match=r"AuthorizationFailure|AuthenticationFailed"):
        manifests.write(home_manifest(available_point(), location), location)


@pytest.mark.parametrize("answer", [Response(503), ConnectionDropped()])
def test_a_failed_request_is_sent_once_and_may_be_repeated_later(answer):
    script = Script(answer)
    manifests = Manifests(lambda endpoint: AzureNamedKeyCredential("west", "a2V5"), transport(script))
    location = replace(WEST, manifests="https://west.blob.core.windows.net/manifests")
    with pytest.raises(Transient, match="manifest"):
        manifests.read("web", "web-0123456789ab~20261122T0200Z~1", location)
    assert len(script.requests) == 1
