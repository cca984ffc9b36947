"""What a page blob is to the real SDK, held against the simulator, in memory and over HTTP, and Azurite.

Azurite differs in what azure-semantics.md §4.6 lists; none of that is here.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError

from clock import SystemClock
from tests.simulator.storage_accounts import CONTAINER, MIB, of_azurite, refusal, simulated

BYTES = Random(1).randbytes(64 * 1024)


@pytest.fixture(params=["transport", "server", "azurite"])
def storage(request):
    """One account with the container `disks`."""
    if request.param == "azurite":
        yield of_azurite(request.getfixturevalue("accounts").fresh())
        return
    with simulated(over_http=request.param == "server", clock=SystemClock()) as storage:
        yield storage


@pytest.fixture
def blob(storage):
    """A page blob of 1 MiB and 512 bytes with some pages at 4 KiB."""
    blob = storage.blob()
    blob.create_page_blob(MIB + 512, metadata={"point": "one"})
    blob.upload_page(BYTES, 4096, len(BYTES))
    return blob


def ranges(blob, **options):
    return [(each.start, each.end + 1, each.cleared) for each in blob.list_page_ranges(**options)]


def test_what_is_written_is_read_and_the_rest_is_zeros(blob):
    content = blob.download_blob().readall()
    assert content == bytes(4096) + BYTES + bytes(MIB + 512 - 4096 - len(BYTES))
    assert blob.download_blob(4096 + 100, 1000).readall() == BYTES[100:1100]
    assert ranges(blob) == [(4096, 4096 + len(BYTES), False)]


def test_cleared_pages_read_as_zeros_and_leave_the_ranges(blob):
    blob.clear_page(8192, 4096)
    assert blob.download_blob(8192, 4096).readall() == bytes(4096)
    assert ranges(blob) == [(4096, 8192, False), (12288, 4096 + len(BYTES), False)]
    assert ranges(blob, offset=0, length=8192) == [(4096, 8192, False)]
    blob.clear_page(0, MIB + 512)  # also longer than 4 MiB would be taken
    assert ranges(blob) == []


def test_its_properties_are_those_of_a_page_blob(blob):
    found = blob.get_blob_properties()
    assert (found.blob_type, found.size, found.page_blob_sequence_number) == ("PageBlob", MIB + 512, 0)
    assert found.metadata == {"point": "one"}
    assert found.content_settings.content_type == "application/octet-stream"
    blob.set_blob_metadata({"point": "two"})
    assert blob.get_blob_properties().metadata == {"point": "two"}


def test_it_grows_with_zeros_and_shrinks_for_good(blob):
    blob.resize_blob(8192)
    assert blob.download_blob().readall() == bytes(4096) + BYTES[:4096]
    blob.resize_blob(16384)
    assert blob.download_blob().readall() == bytes(4096) + BYTES[:4096] + bytes(8192)
    assert ranges(blob) == [(4096, 8192, False)]


def test_a_snapshot_keeps_what_the_blob_was(storage, blob):
    first = blob.create_snapshot()["snapshot"]
    second = blob.create_snapshot(metadata={"point": "own"})["snapshot"]
    assert first < second
    blob.upload_page(BYTES[:512], 0, 512)
    blob.clear_page(4096, 512)
    kept = storage.blob(snapshot=second)
    assert kept.download_blob(0, 8192).readall() == bytes(4096) + BYTES[:4096]
    assert kept.get_blob_properties().metadata == {"point": "own"}
    assert storage.blob(snapshot=first).get_blob_properties().metadata == {"point": "one"}
    assert ranges(kept) == [(4096, 4096 + len(BYTES), False)]


def test_a_list_has_names_in_order_and_snapshots_when_asked(storage, blob):
    moment = blob.create_snapshot()["snapshot"]
    for name in ("db.vhd", "web-data.vhd"):
        storage.blob(name).create_page_blob(512)
    container = storage.service.get_container_client(CONTAINER)
    assert [each.name for each in container.list_blobs()] == ["db.vhd", "web-data.vhd", "web.vhd"]
    pages = [[each.name for each in page] for page in container.list_blobs(results_per_page=2).by_page()]
    assert pages == [["db.vhd", "web-data.vhd"], ["web.vhd"]]
    found = container.list_blobs(name_starts_with="web", include=["snapshots", "metadata"])
    assert [(each.name, each.snapshot, each.size, each.metadata or {}) for each in found] == [
        ("web-data.vhd", None, 512, {}),
        ("web.vhd", moment, MIB + 512, {"point": "one"}),
        ("web.vhd", None, MIB + 512, {"point": "one"}),
    ]


def test_deleting_minds_the_snapshots(storage, blob):
    moment = blob.create_snapshot()["snapshot"]
    with pytest.raises(HttpResponseError) as raised:
        blob.delete_blob()
    assert refusal(raised.value) == "409 SnapshotsPresent"
    storage.blob(snapshot=moment).delete_blob()
    blob.create_snapshot()
    blob.delete_blob(delete_snapshots="only")
    blob.create_snapshot()
    blob.delete_blob(delete_snapshots="include")
    assert list(storage.service.get_container_client(CONTAINER).list_blobs(include=["snapshots"])) == []


REFUSALS = [
    ("there is no such blob", lambda s, b: s.blob("absent").get_blob_properties(), "404 BlobNotFound"),
    (
        "there is no such container",
        lambda s, b: s.service.get_blob_client("absent", "x").create_page_blob(512),
        "404 ContainerNotFound",
    ),
    (
        "the container is there",
        lambda s, b: s.service.create_container(CONTAINER),
        "409 ContainerAlreadyExists",
    ),
    (
        "nothing is to be written over",
        lambda s, b: b.create_page_blob(512, match_condition=MatchConditions.IfMissing),
        "409 BlobAlreadyExists",
    ),
    (
        "the ETag is an old one",
        lambda s, b: b.upload_page(
            bytes(512), 0, 512, etag='"0x1"', match_condition=MatchConditions.IfNotModified
        ),
        "412 ConditionNotMet",
    ),
    ("the range begins behind the end", lambda s, b: b.download_blob(MIB * 2, 512), "416 InvalidRange"),
]


@pytest.mark.parametrize(("why", "ask", "told"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_it_refuses_as_documented(storage, blob, why, ask, told):
    with pytest.raises(HttpResponseError) as raised:
        ask(storage, blob)
    # to HEAD there is no body, but the code is in a header
    assert refusal(raised.value) == told


def test_a_sas_gives_what_it_says(storage, blob):
    reader, writer = storage.blob_by(storage.sas("r")), storage.blob_by(storage.sas("w"))
    assert reader.download_blob(4096, 512).readall() == BYTES[:512]
    writer.upload_page(bytes(512), 0, 512)
    for refused in (lambda: reader.upload_page(bytes(512), 0, 512), lambda: writer.download_blob().readall()):
        with pytest.raises(HttpResponseError) as raised:
            refused()
        assert refusal(raised.value) == "403 AuthorizationPermissionMismatch"
    for sas in (storage.sas("r", lasting=timedelta(minutes=-1)), storage.sas("r").replace("sp=r", "sp=rw")):
        with pytest.raises(HttpResponseError) as raised:
            storage.blob_by(sas).download_blob()
        assert raised.value.status_code == 403
