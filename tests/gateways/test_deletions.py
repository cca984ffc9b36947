"""Deleting: what is absent is deleted, what is not ours stays, and Azure's refusals are told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import ContainerClient

from domain.copies import copies_of
from domain.errors import Absent, Refused, Transient
from domain.manifests import home_manifest
from gateways.deletions import Deletions
from gateways.manifests import Manifests
from simulator.transport import transport
from simulator.wire import Headers, Response
from tests.domain.samples import WEST, available_point
from tests.gateways.scripted import Script
from tests.gateways.simulated import Azure


@pytest.fixture
def deletions(azure: Azure) -> Deletions:
    return Deletions(azure.compute, None)


@pytest.fixture
def point(azure, web):
    return azure.taken(web)


def test_a_snapshot_is_gone_only_when_a_look_finds_nothing(azure, deletions, point):
    [first, second] = [part.snapshot_id for part in point.disks]
    assert not deletions.delete_snapshot(first, point.id)
    assert not deletions.delete_snapshot(first, point.id)  # Azure is at it
    azure.pass_time()
    assert deletions.delete_snapshot(first, point.id)
    assert deletions.delete_snapshot(first, point.id)
    assert azure.snapshots.find(first) is None
    assert azure.found(second).is_usable


def test_a_later_snapshot_of_the_disk_stays_whole(azure, deletions, web, point):
    web.disk("data").image.write(0, b"later")
    azure.pass_time(300)
    later = replace(point, attempt=2)  # another point, so another name
    name = azure.west.snapshot_id("later")
    azure.snapshots.begin(name, web.disk("data").id, azure.west, {"tidemark-point": later.id})
    azure.pass_time()
    for part in point.disks:
        deletions.delete_snapshot(part.snapshot_id, point.id)
    azure.pass_time()
    assert azure.found(name).is_usable
    assert azure.cloud.snapshot_image(name).read(0, 5) == b"later"


@pytest.mark.parametrize("tags", [{}, {"tidemark-point": "web-0123456789ab~20261122T0200Z~9"}])
def test_a_snapshot_of_something_else_is_refused_and_stays(azure, deletions, web, point, tags):
    name = azure.west.snapshot_id("theirs")
    azure.snapshots.begin(name, web.disk("os").id, azure.west, tags)
    azure.pass_time()
    with pytest.raises(Refused, match="is not deleted; if it is not Tidemark's") as refused:
        deletions.delete_snapshot(name, point.id)
    assert refused.value.code == "NotOfThisPoint"
    azure.pass_time()
    assert azure.found(name).is_usable


def test_a_snapshot_that_azure_left_behind_failed_is_deleted_too(azure, deletions, web, point):
    tags = {"tidemark-point": point.id}
    for number in range(6):  # with the point's own, seven in five minutes
        azure.snapshots.begin(azure.west.snapshot_id(f"n{number}"), web.disk("os").id, azure.west, tags)
    eighth = azure.west.snapshot_id("n6")
    with pytest.raises(Refused):
        azure.snapshots.begin(eighth, web.disk("os").id, azure.west, tags)
    assert azure.found(eighth).provisioning_state == "Failed"
    assert not deletions.delete_snapshot(eighth, point.id)
    azure.pass_time()
    assert deletions.delete_snapshot(eighth, point.id)


def test_a_missing_group_is_a_mistake_and_not_an_empty_location(azure, deletions, point):
    nowhere = replace(azure.west, resource_group="nowhere")
    with pytest.raises(Absent, match="nowhere"):
        deletions.delete_snapshot(nowhere.snapshot_id("one"), point.id)


def test_a_lock_is_a_refusal_and_throttling_is_not(azure, deletions, point):
    name = point.disks[0].snapshot_id
    azure.cloud.faults.fail(
        "DELETE", "/snapshots/", status=409, code="ScopeLocked", message="a lock on the group"
    )
    with pytest.raises(Refused, match="ScopeLocked: a lock on the group"):
        deletions.delete_snapshot(name, point.id)
    azure.cloud.faults.fail("DELETE", "/snapshots/", status=429, retry_after=60)
    with pytest.raises(Transient):
        deletions.delete_snapshot(name, point.id)
    assert azure.found(name).is_usable


def test_a_deletion_whose_answer_was_lost_is_asked_for_again(azure, deletions, point):
    name = point.disks[0].snapshot_id
    azure.cloud.faults.drop("DELETE", "/snapshots/", after_executing=True)
    with pytest.raises(Transient):
        deletions.delete_snapshot(name, point.id)
    azure.pass_time()
    assert deletions.delete_snapshot(name, point.id)


def test_a_deletion_that_azure_accepted_and_did_not_carry_out_is_asked_for_again(azure, deletions, point):
    name = point.disks[0].snapshot_id
    azure.cloud.faults.fail_operation("DELETE", "/snapshots/")
    deletions.delete_snapshot(name, point.id)
    azure.pass_time()
    assert not deletions.delete_snapshot(name, point.id)
    azure.pass_time()
    assert deletions.delete_snapshot(name, point.id)


def test_a_copy_in_another_region_is_deleted_like_any_snapshot(azure, deletions, point):
    manifest = azure.copied(point)
    assert len(manifest.disks) == len(copies_of(point))
    target = manifest.disks[0].snapshot_id
    deletions.delete_snapshot(target, point.id)
    azure.pass_time()
    assert deletions.delete_snapshot(target, point.id)


def test_a_manifest_is_deleted_once_and_only_that_one(accounts):
    account = accounts.fresh()
    location = replace(WEST, manifests=f"{account.blob_endpoint}/manifests")
    credential = AzureNamedKeyCredential(account.name, account.key)
    first, second = available_point(), available_point(attempt=2)
    deletions = Deletions(None, lambda endpoint: credential)
    assert deletions.delete_manifest(first.vm.key, first.id, location)  # not even a container
    with ContainerClient(
        account.blob_endpoint, "manifests", credential=credential, api_version="2021-12-02"
    ) as container:
        container.create_container()
    manifests = Manifests(lambda endpoint: credential)
    for point in (first, second):
        manifests.write(home_manifest(point, location), location)

    for _ in range(2):
        assert deletions.delete_manifest(first.vm.key, first.id, location)

    with pytest.raises(Absent):
        manifests.read(first.vm.key, first.id, location)
    assert manifests.read(second.vm.key, second.id, location).point == second.id


def told(code: str) -> Response:
    """What a storage account answers; the words are those of its list of error codes, not seen on Azure."""
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>It is not permitted.</Message></Error>'
    return Response(409, Headers({"content-type": "application/xml", "x-ms-error-code": code}), body.encode())


@pytest.mark.parametrize("code", ["BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold"])
def test_an_immutable_manifest_is_not_gone_yet_and_no_fault(code):
    script = Script(told(code))
    deletions = Deletions(None, lambda endpoint: None, transport(script))
    point = available_point()
    assert not deletions.delete_manifest(point.vm.key, point.id, WEST)
    assert [request.method for request in script.requests] == ["DELETE"]


def test_what_else_keeps_a_manifest_from_being_deleted_is_a_refusal():
    deletions = Deletions(None, lambda endpoint: None, transport(Script(told("LeaseIdMissing"))))
    point = available_point()
    with pytest.raises(Refused, match="LeaseIdMissing") as refused:
        deletions.delete_manifest(point.vm.key, point.id, WEST)
    assert not isinstance(refused.value, Absent)
