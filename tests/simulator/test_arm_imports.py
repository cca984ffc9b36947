"""Disks that are made from page blobs: createOption Import (azure-semantics §4.5)."""

from __future__ import annotations

from random import Random

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient

from simulator.data_plane.vhd import footer
from simulator.tempo import Tempo
from simulator.transport import transport
from tests.simulator.conftest import GIB, HOME, MIB, RECOVERY, code_of
from tests.simulator.storage_accounts import account_of

BYTES = Random(1).randbytes(64 * 1024)
DISK = 24 * MIB


@pytest.fixture
def vault(azure):
    """An account in the recovery region, with the VHD of a disk of 24 MiB in `web.vhd`."""
    handle = azure.cloud.add_storage_account("vault", RECOVERY, "recovery")
    vault = account_of(azure.cloud, handle, transport=transport(azure.cloud))
    put_vhd(vault.blob())
    return vault


def put_vhd(blob, size=DISK, last=None):
    blob.create_page_blob(size + 512)
    blob.upload_page(BYTES, MIB, len(BYTES))
    blob.upload_page(last or footer(size, "web"), size, 512)


def body(vault, region=RECOVERY, name="web.vhd", **changes):
    creation = {
        "createOption": "Import",
        "storageAccountId": vault.handle.id,
        "sourceUri": vault.blob(name).url,
    }
    properties = {"osType": "Linux", "hyperVGeneration": "V2", **changes.pop("properties", {})}
    creation = {key: value for key, value in {**creation, **changes}.items() if value is not None}
    return {"location": region, "properties": {**properties, "creationData": creation}}


def test_a_disk_is_imported_and_is_its_own_from_then_on(azure, vault):
    disk = azure.make_disk("restored", body(vault), group="recovery")
    assert (disk.disk_size_bytes, disk.disk_size_gb, disk.disk_state) == (DISK, 1, "Unattached")
    assert disk.creation_data.create_option == "Import"
    assert disk.creation_data.source_uri == vault.blob().url
    assert (disk.os_type, disk.hyper_v_generation) == ("Linux", "V2")
    image = azure.cloud.disk(disk.id).image
    vault.blob().delete_blob()
    assert image.read(MIB, len(BYTES)) == BYTES
    image.write(0, b"its own")
    assert image.read(0, 7) == b"its own"


def test_a_blob_is_exported_from_a_snapshot_imported_and_equal(azure, vault):
    """The whole way of a replica: SAS, Put Page From URL, import."""
    azure.web.disk("data").image.write(3 * MIB, BYTES)
    azure.take("s1")
    sas = azure.sdk.snapshots.begin_grant_access(
        "production", "s1", {"access": "Read", "durationInSeconds": 600}
    )
    source, blob = sas.result().access_sas, vault.blob("data.vhd")
    length = BlobClient.from_blob_url(
        source, transport=transport(azure.cloud), api_version="2020-10-02"
    ).get_blob_properties()["size"]
    blob.create_page_blob(length)
    for start, size in ((3 * MIB, len(BYTES)), (length - 512, 512)):
        blob.upload_pages_from_url(source, start, size, start)
    azure.make_disk("data", body(vault, name="data.vhd"), group="recovery")
    restored = azure.cloud.disk(azure.id("disks", "data", "recovery")).image
    assert restored.size_bytes == 64 * GIB
    assert [*restored.page_ranges()] == [
        *azure.cloud.snapshot_image(azure.id("snapshots", "s1")).page_ranges()
    ]
    assert restored.read(3 * MIB, len(BYTES)) == BYTES


def test_it_may_be_larger_than_the_blob(azure, vault):
    disk = azure.make_disk("restored", body(vault, properties={"diskSizeGB": 2}), group="recovery")
    assert disk.disk_size_bytes == 2 * GIB
    assert azure.cloud.disk(disk.id).image.read(DISK, 512) == bytes(512)  # the footer was none of the disk's


def damaged(at, value):
    last = bytearray(footer(DISK, "web"))
    last[at : at + len(value)] = value
    return bytes(last)


BLOBS = [
    ("no footer", {"last": bytes(512)}, "'conectix'"),
    ("a footer that is not whole", {"last": damaged(40, b"x")}, "checksum"),
    ("the footer of another size", {"last": footer(DISK + MIB, "web")}, "size"),
    ("no whole number of MiB", {"size": DISK + 512, "last": footer(DISK + 512, "web")}, "MBs"),
]


@pytest.mark.parametrize(("why", "blob", "words"), BLOBS, ids=[row[0] for row in BLOBS])
def test_a_blob_that_is_no_fixed_vhd_is_refused(azure, vault, why, blob, words):
    put_vhd(vault.blob("odd.vhd"), **blob)
    with pytest.raises(HttpResponseError, match=words) as raised:
        azure.make_disk("restored", body(vault, name="odd.vhd"), group="recovery")
    assert (raised.value.status_code, code_of(raised)) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("why", "changes", "code"),
    [
        ("another region", {"region": HOME}, "SimulatorRegionMismatch"),
        ("the account is not named", {"storageAccountId": None}, "InvalidParameter"),
        ("no account", {"storageAccountId": "/subscriptions/x"}, "InvalidParameter"),
        ("the blob is not named", {"sourceUri": None}, "InvalidParameter"),
        (
            "the blob of another account",
            {"sourceUri": "https://other.blob.core.windows.net/a/b"},
            "InvalidParameter",
        ),
        ("a blob that is not there", {"name": "absent.vhd"}, "NotFound"),
        ("smaller than the blob is not possible", {"properties": {"diskSizeGB": 0}}, "InvalidParameter"),
        (
            "guest state",
            {"properties": {"securityProfile": {"securityType": "TrustedLaunch"}}},
            "SimulatorNotSimulated",
        ),
        ("guest state of its own", {"createOption": "ImportSecure"}, "SimulatorNotSimulated"),
    ],
)
def test_what_cannot_be_imported_is_refused(azure, vault, why, changes, code):
    with pytest.raises(HttpResponseError) as raised:
        azure.make_disk("restored", body(vault, **changes), group="recovery")
    assert code_of(raised) == code


def test_a_snapshot_of_a_blob_and_a_pending_copy_are_not_imported(azure, vault):
    moment = vault.blob().create_snapshot()["snapshot"]
    url = f"{vault.blob().url}?snapshot={moment}"
    with pytest.raises(HttpResponseError) as raised:
        azure.make_disk("restored", body(vault, sourceUri=url), group="recovery")
    assert code_of(raised) == "InvalidParameter"
    vault.blob("fresh.vhd").start_copy_from_url(url)
    with pytest.raises(HttpResponseError) as raised:
        azure.make_disk("restored", body(vault, name="fresh.vhd"), group="recovery")
    assert code_of(raised) == "OperationNotAllowed"
    azure.clock.advance(Tempo().copying_blob(DISK + 512))
    azure.make_disk("restored", body(vault, name="fresh.vhd"), group="recovery")


def test_it_needs_a_right_on_the_account(azure, vault):
    azure.cloud.roles.grant("app", ["Microsoft.Compute/*"])
    sdk = azure.client("app")
    with pytest.raises(HttpResponseError) as raised:
        sdk.disks.begin_create_or_update("recovery", "restored", body(vault))
    assert code_of(raised) == "LinkedAuthorizationFailed"
    azure.cloud.roles.grant("app", ["Microsoft.Storage/storageAccounts/listKeys/action"], vault.handle.id)
    assert (
        sdk.disks.begin_create_or_update("recovery", "restored", body(vault)).result().disk_size_bytes == DISK
    )


def test_in_a_lost_region_nothing_is_imported(azure, vault):
    azure.cloud.lose_region(RECOVERY)
    with pytest.raises(Exception, match=r"Connection aborted|unavailable"):
        azure.make_disk("restored", body(vault))
