"""Page blobs as replicas: on the simulated account, in process and over HTTP, and on Azurite."""

from __future__ import annotations

from random import Random

import pytest
from azure.core.credentials import AzureNamedKeyCredential

from domain.errors import Absent, Refused, Transient
from domain.page_ranges import PageRange
from domain.stored import StoredBlob
from gateways import checksums
from gateways.deletions import PageBlobDeletions
from gateways.disk_data import read_into
from gateways.http_connection import Answer
from gateways.page_blobs import OVERTAKEN, PageBlobs
from gateways.wire import Network
from settings import Identity
from simulator.streams import streams
from simulator.wire import Headers, Response
from tests.gateways.pages_world import MIB, pages
from tests.gateways.scripted import Script, Token

OWNER = {"tidemark_disk": "web-os"}
DATA = Random(1).randbytes(8192)


@pytest.fixture(params=["in process", "over HTTP", "azurite"])
def replicas(request):
    """A container for replicas, as a function that gives one of its page blobs."""
    if request.param == "azurite":
        account = request.getfixturevalue("accounts").fresh()
        account.make_container("replicas")
        network = Network()
        blobs = PageBlobs(network, lambda endpoint: AzureNamedKeyCredential(account.name, account.key))
        blobs.at(account.blob_endpoint, "x")
        yield lambda name="web/os disk.vhd": blobs.at(f"{account.blob_endpoint}/replicas", name)
        network.close()
        return
    with pages(over_http=request.param == "over HTTP") as world:
        yield lambda name="web/os disk.vhd": world.blob(name)


def content(blob, snapshot="", length=MIB):
    found = bytearray(length)
    read_into(blob.wire, blob.opened(snapshot), 0, memoryview(found))
    return bytes(found)


def test_a_blob_is_made_once_and_what_else_is_there_is_left_alone(replicas):
    blob = replicas()
    assert blob.length() is None
    assert blob.metadata() is None
    blob.create(MIB, OWNER)
    blob.put(0, DATA)
    blob.create(MIB, OWNER)
    assert (blob.length(), blob.metadata()) == (MIB, OWNER)
    with pytest.raises(Refused, match=f"{MIB} bytes instead of {2 * MIB}") as refused:
        blob.create(2 * MIB, OWNER)
    assert refused.value.code == "NameTaken"
    assert content(blob) == DATA + bytes(MIB - len(DATA))


def test_pages_are_written_cleared_and_listed(replicas):
    blob = replicas()
    blob.create(MIB, OWNER)
    blob.put(512, memoryview(DATA))
    blob.put(65536, DATA)
    blob.clear(1024, 2048)
    wanted = bytearray(MIB)
    wanted[512 : 512 + 8192], wanted[65536 : 65536 + 8192] = DATA, DATA
    wanted[1024:2048] = bytes(1024)
    assert content(blob) == wanted
    assert list(blob.ranges("", 0, MIB)) == [
        PageRange(512, 1024), PageRange(2048, 8704), PageRange(65536, 73728),
    ]  # fmt: skip


def test_what_an_earlier_batch_still_writes_has_no_effect(replicas):
    blob = replicas()
    blob.create(MIB, OWNER)
    earlier = blob.fenced()
    earlier.put(0, DATA)
    later = blob.fenced()
    for late in (lambda: earlier.put(0, bytes(8192)), lambda: earlier.clear(0, 512)):
        with pytest.raises(Refused) as refused:
            late()
        assert refused.value.code == OVERTAKEN
    later.put(65536, DATA)
    later.clear(65536, 65536 + 512)
    blob.put(16384, DATA)  # bound to nothing
    wanted = bytearray(MIB)
    wanted[:8192], wanted[16384 : 16384 + 8192] = DATA, DATA
    wanted[65536 + 512 : 65536 + 8192] = DATA[512:]
    assert content(blob) == wanted


def test_a_seal_keeps_what_was_there_and_is_found_by_its_metadata(replicas):
    blob, other = replicas(), replicas("web/os disk.vhd.other")
    for each in (blob, other):
        each.create(MIB, OWNER)
    other.seal({"tidemark_point": "first"})
    assert blob.sealed({"tidemark_point": "first"}) is None
    blob.put(0, DATA)
    first = blob.seal({"tidemark_point": "first", "tidemark_vm": "web"})
    blob.put(0, bytes(8192))
    second = blob.seal({"tidemark_point": "second", "tidemark_vm": "web"})
    assert blob.sealed({"tidemark_point": "first"}) == first
    assert blob.sealed({"tidemark_point": "second"}) == second
    assert blob.sealed({"tidemark_vm": "web"}) == min(first, second)
    assert blob.sealed({"tidemark_point": "first", "tidemark_vm": "other"}) is None
    assert content(blob, first)[:8192] == DATA
    assert content(blob, second) == content(blob) == bytes(MIB)


def test_a_blob_snapshot_is_copied_into_a_new_blob_once(replicas):
    blob, scratch = replicas(), replicas("scratch")
    blob.create(MIB, OWNER)
    blob.put(0, DATA)
    sealed = blob.seal(OWNER)
    blob.clear(0, 8192)
    assert scratch.copy_status() is None
    begun = scratch.begin_copy(blob.opened(sealed), {"tidemark_operation": "o1"})
    assert begun.status in ("pending", "success")
    scratch.begin_copy(blob.opened(sealed), {"tidemark_operation": "another"})
    assert scratch.metadata() == {"tidemark_operation": "o1"}
    assert scratch.copy_status().status in ("pending", "success")


@pytest.mark.parametrize("code", ["TargetConditionNotMet", "ConditionNotMet"])
def test_a_copy_that_is_there_is_taken_up_however_the_service_says_so(code):
    told = {"x-ms-blob-type": "PageBlob", "x-ms-copy-status": "success"}
    script = Script(Response(412, Headers({"x-ms-error-code": code})), Response(200, Headers(told)))
    blobs = PageBlobs(Network(streams(script)), lambda endpoint: Token())
    blob = blobs.at("https://vault.blob.core.windows.net/replicas", "x")
    assert blob.begin_copy(blob.opened("a time"), OWNER).status == "success"


def deleting(blob):
    """Return what deletes a blob as whoever made it."""
    deletions = PageBlobDeletions(
        PageBlobs(blob.wire, lambda endpoint: Token("development:retention"), Identity.RETENTION)
    )
    deletions.blobs._accesses[blob.container] = blob.access
    return deletions


def test_deleting_is_for_what_is_ours_and_snapshots_go_first(replicas):
    blob = replicas()
    deletions = deleting(blob)
    blob.create(MIB, OWNER)
    sealed = blob.seal(OWNER)
    with pytest.raises(Refused, match="move it away") as refused:
        deletions.delete_snapshot(blob.container, blob.name, sealed, {"tidemark_disk": "other"})
    assert refused.value.code == "NotOfThisPoint"
    assert not deletions.delete_blob(blob.container, blob.name, OWNER)  # it has a snapshot
    assert deletions.delete_snapshot(blob.container, blob.name, sealed, OWNER)
    assert deletions.delete_snapshot(blob.container, blob.name, sealed, OWNER)
    assert deletions.delete_blob(blob.container, blob.name, OWNER)
    assert deletions.delete_blob(blob.container, blob.name, OWNER)
    assert blob.length() is None


def test_all_that_a_point_has_sealed_goes_and_the_blob_with_the_last_seal_of_anybody(replicas):
    blob = replicas()
    deletions = deleting(blob)
    blob.create(MIB, OWNER)
    for point in ("first", "second", "first"):  # a request to seal it came late
        blob.seal({"tidemark_point": point})
    part, whole = (
        StoredBlob(blob.container, blob.name, "web-os", is_of_attempt=is_of_attempt)
        for is_of_attempt in (False, True)
    )
    assert deletions.delete(part, "first")  # the rest is the second one's
    assert blob.sealed({"tidemark_point": "first"}) is None
    assert not deletions.delete(whole, "first")
    assert blob.sealed({"tidemark_point": "second"})
    assert deletions.delete(whole, "second")
    assert blob.length() is None


def test_a_missing_container_is_not_taken_for_a_missing_blob(replicas):
    blob = replicas()
    elsewhere = PageBlobs(blob.wire, lambda endpoint: None)
    elsewhere._accesses[f"{blob.container}-not"] = blob.access
    with pytest.raises(Absent, match="ContainerNotFound"):
        elsewhere.at(f"{blob.container}-not", "x").length()


@pytest.fixture
def here():
    with pages() as world:
        yield world


def test_the_service_refuses_what_was_damaged_on_its_way(here):
    blob = here.blob()
    blob.create(MIB, OWNER)
    blob.put(0, DATA, checksums.crc64(DATA))
    with pytest.raises(Transient) as failure:
        blob.put(0, bytes(8192), checksums.crc64(DATA))
    assert failure.value.code == "Crc64Mismatch"
    assert content(blob)[:8192] == DATA


def test_an_answer_that_tells_another_checksum_is_not_believed():
    told = Headers({"x-ms-content-crc64": checksums.written(1)})
    blob = PageBlobs(Network(streams(Script(Response(201, told)))), lambda endpoint: Token()).at(
        "https://vault.blob.core.windows.net/replicas", "x"
    )
    with pytest.raises(Transient, match="write it again") as failure:
        blob.put(0, DATA, checksums.crc64(DATA))
    assert failure.value.code == "Crc64Mismatch"


def listed(shown, marker):
    """One page of a list of blobs."""
    return Response(
        200,
        Headers({}),
        f"<EnumerationResults><Blobs>{shown}</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>".encode(),
    )


def test_a_seal_is_found_on_whatever_page_of_the_list_it_is():
    seal = "<Blob><Name>x</Name><Snapshot>2026</Snapshot><Metadata><Point>p</Point></Metadata></Blob>"
    script = Script(listed("", "more"), listed(seal, ""))
    blobs = PageBlobs(Network(streams(script)), lambda endpoint: Token())
    assert blobs.at("https://vault.blob.core.windows.net/replicas", "x").sealed({"point": "p"}) == "2026"
    assert [request.query.get("marker") for request in script.requests] == [None, "more"]


def test_sealing_is_asked_for_once_for_twice_would_make_two():
    class Told:
        def send(self, *asked, is_repeatable=True, **more):
            assert not is_repeatable
            return Answer(201, {"x-ms-snapshot": "2026"})

    blobs = PageBlobs(Told(), lambda endpoint: Token())
    assert blobs.at("https://vault.blob.core.windows.net/replicas", "x").seal(OWNER) == "2026"


def test_a_blob_grows_with_its_disk_by_zeros(here):
    blob = here.blob()
    blob.create(MIB, OWNER)
    blob.put(0, DATA)
    blob.resize(2 * MIB)
    blob.resize(2 * MIB)
    assert blob.length() == 2 * MIB
    assert content(blob, length=2 * MIB) == DATA + bytes(2 * MIB - len(DATA))


def test_what_differs_since_a_seal_is_listed(here):
    blob = here.blob()
    blob.create(MIB, OWNER)
    blob.put(0, DATA)
    sealed = blob.seal(OWNER)
    blob.put(65536, DATA)
    blob.clear(0, 512)
    assert list(blob.ranges(sealed, 0, MIB)) == [PageRange(0, 512, True), PageRange(65536, 73728)]
