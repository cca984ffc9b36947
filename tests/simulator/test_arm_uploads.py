"""Disks that are made by upload (azure-semantics §4.5), and snapshots that are opened and closed for it."""

from __future__ import annotations

from random import Random

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient

from simulator.data_plane.vhd import footer
from simulator.server import Server
from simulator.transport import transport
from simulator.wire import Request
from tests.simulator.conftest import MIB, RECOVERY, code_of
from tests.simulator.storage_accounts import account_of, refusal

BYTES = Random(1).randbytes(64 * 1024)
DISK = 24 * MIB
FOOTER = footer(DISK, "any")
READ = {"access": "Read", "durationInSeconds": 600}
WRITE = {"access": "Write", "durationInSeconds": 600}


def body(size=DISK + 512, region=RECOVERY, **properties):
    creation = {"createOption": "Upload", "uploadSizeBytes": size}
    return {"location": region, "properties": {"creationData": creation, **properties}}


def state(azure):
    return azure.sdk.disks.get("recovery", "restored").disk_state


def open_upload(azure, server_url=None):
    """Return the blob to write to; Resource Manager itself is always asked in memory."""
    options = {} if server_url else {"transport": transport(azure.cloud)}
    sas = azure.sdk.disks.begin_grant_access("recovery", "restored", WRITE).result().access_sas
    if server_url:
        sas = sas.replace("https://", f"{server_url}/").replace(".z45.blob.storage.azure.net", "")
    return BlobClient.from_blob_url(sas, api_version="2020-10-02", retry_total=0, **options)


def close(azure):
    azure.sdk.disks.begin_revoke_access("recovery", "restored").result()


@pytest.mark.parametrize("over_http", [False, True])
def test_a_disk_is_uploaded_page_by_page(azure, over_http):
    if over_http:
        with Server(azure.cloud) as server:
            assert_uploaded_page_by_page(azure, server.url)
    else:
        assert_uploaded_page_by_page(azure)


def assert_uploaded_page_by_page(azure, server_url=None):
    """A disk that is written page by page has these pages, and nothing else."""
    azure.make_disk("restored", body(osType="Linux", hyperVGeneration="V2"), group="recovery")
    assert state(azure) == "ReadyToUpload"
    blob = open_upload(azure, server_url)
    assert "/md-impexp-" in blob.url
    assert state(azure) == "ActiveUpload"
    assert blob.get_blob_properties().size == DISK + 512
    blob.upload_page(BYTES, MIB, len(BYTES))
    blob.upload_page(BYTES, 2 * MIB, len(BYTES))
    blob.clear_page(2 * MIB, len(BYTES))
    blob.upload_page(FOOTER, DISK, 512)
    assert [(each.start, each.end + 1) for each in blob.list_page_ranges()] == [
        (MIB, MIB + len(BYTES)),
        (DISK, DISK + 512),
    ]
    close(azure)
    disk = azure.sdk.disks.get("recovery", "restored")
    assert (disk.disk_state, disk.disk_size_bytes, disk.os_type) == ("Unattached", DISK, "Linux")
    image = azure.cloud.disk(disk.id).image
    assert image.read(0, DISK) == bytes(MIB) + BYTES + bytes(DISK - MIB - len(BYTES))
    with pytest.raises(HttpResponseError) as raised:
        blob.upload_page(BYTES, MIB, len(BYTES))
    assert refusal(raised.value) == "403 AuthenticationFailed"
    with pytest.raises(HttpResponseError) as raised:
        azure.sdk.disks.begin_grant_access("recovery", "restored", WRITE)
    assert code_of(raised) == "OperationNotAllowed"


def test_pages_come_from_a_snapshot_and_from_a_page_blob(azure):
    azure.web.disk("os").image.write(MIB, BYTES)
    azure.take("s1", "os")
    source = azure.sdk.snapshots.begin_grant_access("production", "s1", READ).result().access_sas
    vault = account_of(
        azure.cloud,
        azure.cloud.add_storage_account("vault", RECOVERY, "recovery"),
        transport=transport(azure.cloud),
    )
    vault.blob().create_page_blob(MIB)
    vault.blob().upload_page(FOOTER, 0, 512)
    azure.make_disk("restored", body(), group="recovery")
    blob = open_upload(azure)
    blob.upload_pages_from_url(source, 4 * MIB, len(BYTES), MIB)
    blob.upload_pages_from_url(f"{vault.blob().url}?{vault.sas('r')}", DISK, 512, 0)
    close(azure)
    image = azure.cloud.disk(azure.id("disks", "restored", "recovery")).image
    assert image.read(4 * MIB, len(BYTES)) == BYTES
    assert [*image.page_ranges()] == [(4 * MIB, 4 * MIB + len(BYTES), False)]


def test_the_host_of_an_upload_refuses_what_an_account_s_does(azure):
    azure.make_disk("restored", body(), group="recovery")
    blob = open_upload(azure)
    sent = {"x-ms-version": "2020-10-02", "x-ms-page-write": "update", "x-ms-range": "bytes=0-511"}
    url, page = f"{blob.url}&comp=page", bytes(512)
    for more, data, code in (
        ({"x-ms-content-crc64": "AAAAAAAAAAE="}, page, "Crc64Mismatch"),
        ({"x-ms-range": f"bytes={DISK}-{DISK + 1023}"}, bytes(1024), "InvalidPageRange"),
        ({}, bytes(4 * MIB + 512), "RequestBodyTooLarge"),
    ):
        answer = azure.cloud.handle(Request.of("PUT", url, sent | more, data))
        assert answer.headers["x-ms-error-code"] == code
    assert azure.cloud.handle(Request.of("PUT", url, sent, page)).headers["x-ms-content-crc64"]
    for refused in (blob.delete_blob, blob.create_snapshot):
        with pytest.raises(HttpResponseError) as raised:
            refused()
        assert refusal(raised.value) == "403 AuthorizationPermissionMismatch"


def test_before_it_is_uploaded_a_disk_serves_for_nothing(azure):
    disk = azure.make_disk("restored", body(region="westeurope"), group="production")
    machine = azure.sdk.virtual_machines.get("production", "web")
    machine.storage_profile.data_disks.append(
        {"lun": 7, "createOption": "Attach", "managedDisk": {"id": disk.id}, "name": "restored"}
    )
    snapshot = {"createOption": "Copy", "sourceResourceId": disk.id}
    for ask in (
        lambda: azure.sdk.virtual_machines.begin_create_or_update("production", "web", machine),
        lambda: azure.sdk.disks.begin_grant_access("production", "restored", READ),
        lambda: azure.sdk.disks.begin_update("production", "restored", {"properties": {"diskSizeGB": 9}}),
        lambda: azure.sdk.snapshots.begin_create_or_update(
            "production",
            "s1",
            {"location": "westeurope", "properties": {"incremental": True, "creationData": snapshot}},
        ),
    ):
        with pytest.raises(HttpResponseError, match="ReadyToUpload") as raised:
            ask()
        assert code_of(raised) == "OperationNotAllowed"


def test_an_upload_that_is_no_vhd_is_not_accepted_and_can_be_mended(azure):
    azure.make_disk("restored", body(), group="recovery")
    blob = open_upload(azure)
    blob.upload_page(BYTES, 0, len(BYTES))
    with pytest.raises(HttpResponseError, match="conectix") as raised:
        close(azure)
    assert code_of(raised) == "BadRequest"
    assert state(azure) == "ReadyToUpload"
    open_upload(azure).upload_page(FOOTER, DISK, 512)
    close(azure)
    assert state(azure) == "Unattached"
    assert azure.cloud.disk(azure.id("disks", "restored", "recovery")).image.read(0, len(BYTES)) == BYTES


def test_an_upload_goes_on_when_its_sas_has_expired(azure):
    azure.make_disk("restored", body(), group="recovery")
    first = open_upload(azure)
    first.upload_page(BYTES, 0, len(BYTES))
    azure.pass_time(hours=1)
    with pytest.raises(HttpResponseError) as raised:
        first.upload_page(FOOTER, DISK, 512)
    assert refusal(raised.value) == "403 AuthenticationFailed"
    assert state(azure) == "ActiveUpload"
    open_upload(azure).upload_page(FOOTER, DISK, 512)
    close(azure)
    assert azure.cloud.disk(azure.id("disks", "restored", "recovery")).image.read(0, len(BYTES)) == BYTES


@pytest.mark.parametrize(
    ("why", "asked", "code"),
    [
        ("how long it is, is not said", body(size=None), "InvalidParameter"),
        ("shorter than 20 MiB and a footer", body(size=20 * MIB), "InvalidParameter"),
        ("no footer", body(size=DISK), "InvalidParameter"),
        ("longer than 32 TiB and a footer", body(size=(1 << 45) + MIB + 512), "InvalidParameter"),
        ("a size of its own", body(diskSizeGB=4), "InvalidParameter"),
        ("an OS disk of no generation", body(osType="Linux"), "InvalidParameter"),
        ("a generation of no OS", body(hyperVGeneration="V2"), "InvalidParameter"),
        (
            "guest state",
            body(securityProfile={"securityType": "TrustedLaunch"}),
            "SimulatorNotSimulated",
        ),
    ],
)
def test_what_cannot_be_uploaded_is_refused(azure, why, asked, code):
    with pytest.raises(HttpResponseError) as raised:
        azure.make_disk("restored", asked, group="recovery")
    assert code_of(raised) == code


def test_the_smallest_upload_is_20_mib_and_a_footer(azure):
    disk = azure.make_disk("restored", body(size=20_972_032), group="recovery")
    assert disk.disk_size_bytes == 20 * MIB


@pytest.mark.parametrize("is_refused", [False, True])
def test_out_of_incremental_snapshots_either_way_of_azure_can_be_had(azure, is_refused):
    """§4.4: Microsoft's sample rests on it, reports say that it fails."""
    azure.take("s1", "os")
    azure.take("whole", "os", incremental=False)
    handle = azure.cloud.add_storage_account(
        "vault", RECOVERY, "recovery", refuses_incremental_sources=is_refused
    )
    vault = account_of(azure.cloud, handle, transport=transport(azure.cloud))
    vault.blob().create_page_blob(MIB)
    found = {}
    for name in ("s1", "whole"):
        source = azure.sdk.snapshots.begin_grant_access("production", name, READ).result().access_sas
        try:
            vault.blob().upload_pages_from_url(source, 0, 512, 0)
            found[name] = "copied"
        except HttpResponseError as error:
            found[name] = refusal(error)
        azure.sdk.snapshots.begin_revoke_access("production", name).result()
        with pytest.raises(HttpResponseError) as raised:
            vault.blob().upload_pages_from_url(source, 0, 512, 0)
        assert refusal(raised.value) == "403 CannotVerifyCopySource"
    refused = "409 CopySourceCannotBeIncrementalCopyBlob"
    assert found == {"s1": refused if is_refused else "copied", "whole": "copied"}


def test_a_snapshot_is_opened_and_closed_around_an_access(azure):
    """§4.1: networkAccessPolicy and publicNetworkAccess of a snapshot can be changed, and bind."""
    azure.take("s1", networkAccessPolicy="DenyAll", publicNetworkAccess="Disabled")
    sdk = azure.sdk
    for policy, public, may in (("AllowAll", "Enabled", True), ("DenyAll", "Disabled", False)):
        change = {"properties": {"networkAccessPolicy": policy, "publicNetworkAccess": public}}
        found = sdk.snapshots.begin_update("production", "s1", change).result()
        assert (found.network_access_policy, found.public_network_access) == (policy, public)
        if may:
            assert sdk.snapshots.begin_grant_access("production", "s1", READ).result().access_sas
            sdk.snapshots.begin_revoke_access("production", "s1").result()
            continue
        with pytest.raises(HttpResponseError) as raised:
            sdk.snapshots.begin_grant_access("production", "s1", READ)
        assert code_of(raised) == "SimulatorAccessNotPermitted"
