"""What goes wrong while pages are copied: the replica is whole and equal, or failed with a reason."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from activities import page_copies
from activities.opening import turn
from domain.restore_points import ReplicaState
from gateways import page_transfers
from gateways.connection import cloud
from gateways.page_blobs import PageBlob
from orchestrators.replicate_disk import FIRST_LOOK
from simulator.arm import snapshots
from simulator.arm.snapshot_model import Snapshot
from simulator.data_plane.vhd import Vhd
from tests.paged_world import PAGED, VAULT
from tests.world import MIB

LONG = timedelta(hours=3)


@pytest.fixture
def web(paged):
    vm_id = paged.add_vm("web", {"os": b"system"}, tags=PAGED)
    for place in (5, 17, 40):
        paged.write("web", "os", b"more", offset=place * MIB)
    return vm_id


@pytest.mark.parametrize(
    "plant",
    [
        # A storm: the service is busy, again and again.
        lambda faults: faults.fail("PUT", "/replicas/.*comp=page", status=503, times=8),
        lambda faults: faults.fail("GET", "comp=pagelist", status=503, times=4),
        # Resource Manager takes no requests for a while, and says for how long.
        lambda faults: faults.fail("POST", "/beginGetAccess", status=429, retry_after=1200),
        # Azure copies the snapshot, too, and lets nobody change its network access meanwhile.
        lambda faults: faults.fail("PATCH", "/snapshots/", status=409, code="Conflict", times=12),
        # Opened, and nobody was told; closed, and nobody was told.
        lambda faults: faults.fail("POST", "/beginGetAccess", status=500, after_executing=True, times=2),
        lambda faults: faults.fail("POST", "/endGetAccess", status=500, after_executing=True, times=2),
        # Written, sealed, made: and the answer is lost.
        lambda faults: faults.drop("PUT", "/replicas/.*comp=page", after_executing=True, times=3),
        lambda faults: faults.drop("PUT", "/replicas/.*comp=snapshot", after_executing=True),
        lambda faults: faults.drop("PUT", r"/replicas/[^?]*$", after_executing=True, times=2),
        # A list that ends in the middle.
        lambda faults: faults.cut("GET", "comp=pagelist", after_bytes=100),
        # The grant has ended when its turn to be used comes.
        lambda faults: faults.delay("PUT", "/replicas/.*comp=page", by=timedelta(minutes=11)),
        lambda faults: faults.delay("GET", "comp=pagelist", by=timedelta(minutes=11)),
    ],
)
def test_what_passes_by_itself_is_waited_for(paged, web, plant):
    plant(paged.cloud.faults)

    paged.back_up("web", within=LONG)

    paged.cloud.faults.verify_all_met()
    [point] = paged.points_of(web)
    assert point.replicas[VAULT] is ReplicaState.AVAILABLE, paged.copies_of(point)
    assert [len(blob.snapshots) for blob in paged.replicas().values()] == [1]
    paged.assert_kept(point)
    paged.assert_closed()


@pytest.mark.parametrize(
    "plant",
    [
        lambda faults: faults.cut("GET", "/md-.*/abcd|z45.blob", after_bytes=1000, times=2, skip=2),
        lambda faults: faults.fail("PUT", "/replicas/.*comp=page", status=503, times=2, skip=2),
    ],
)
def test_where_the_service_reads_no_source_itself_the_bytes_pass_through_us(paged, web, plant):
    paged.account.resource.refuses_incremental_sources = True
    plant(paged.cloud.faults)

    paged.back_up("web", within=LONG)

    paged.cloud.faults.verify_all_met()
    [point] = paged.points_of(web)
    assert paged.copies_of(point)["web-os"].pages.streamed_bytes >= 4 * 512
    paged.assert_kept(point)

    paged.write("web", "os", bytes(512), offset=17 * MIB)  # zeros, where the blob has something else
    paged.back_up("web", within=LONG)

    paged.assert_kept(paged.points_of(web)[0])
    paged.assert_closed()


def test_a_copy_that_finds_no_room_asks_again_after_a_pause(paged, web, monkeypatch):
    asked = []

    def crowded(holder, disk, usual=turn):
        asked.append(paged.clock.now())
        return usual(holder, disk) if len(asked) > 4 else nullcontext(False)

    monkeypatch.setattr(page_copies, "turn", crowded)
    paged.back_up("web", within=LONG)

    assert all(later - earlier >= FIRST_LOOK for earlier, later in pairwise(asked[:5]))
    [point] = paged.points_of(web)
    paged.assert_kept(point)


def test_a_copy_that_somebody_else_has_is_left_alone_until_that_claim_has_run_out(paged, web):
    paged.cloud.faults.fail("PUT", "/replicas/.*comp=page", status=503, times=4)
    paged.back_up("web", within=timedelta(seconds=40))
    [point] = paged.points_of(web)
    [copy] = paged.copies_of(point).values()
    theirs = replace(copy, owner="another", renewed=paged.clock.now())
    cloud().catalogue.copies.alter(copy, lambda known: theirs)

    paged.pass_time(timedelta(minutes=10))
    assert paged.copies_of(point) == {"web-os": theirs}

    paged.pass_time(timedelta(minutes=20))
    paged.assert_kept(point)
    assert paged.copies_of(point)["web-os"].owner == copy.owner  # it has waited for it


def test_a_batch_that_dies_in_the_middle_is_done_again(paged, web, monkeypatch):
    monkeypatch.setattr(page_transfers, "MOST_WRITTEN", 4096)
    writes = []

    def write(self, start, length, source, usual=PageBlob.put_from_url):
        writes.append(start)
        if len(writes) == 3:
            raise MemoryError("the process has no memory left")
        return usual(self, start, length, source)

    monkeypatch.setattr(PageBlob, "put_from_url", write)
    paged.back_up("web", within=LONG)

    assert len(writes) > 3
    [point] = paged.points_of(web)
    paged.assert_kept(point)
    paged.assert_closed()


@pytest.mark.parametrize("happens", ["is gone", "is another one"])
def test_a_source_that_is_deleted_in_the_middle_fails_the_copy_with_the_reason(paged, web, happens):
    paged.cloud.faults.fail("PUT", "/replicas/.*comp=page", status=503, times=400)
    paged.back_up("web", within=timedelta(minutes=1))
    [point] = paged.points_of(web)
    with paged.cloud.estate.lock:
        source = paged.cloud.estate.shelf.find(Snapshot, point.disks[0].snapshot_id)
        paged.cloud.estate.accesses.revoke(source.id.key)
        if happens == "is gone":
            snapshots.remove(source)
        else:  # somebody has made another one of that name
            source.unique_id = paged.cloud.estate.unique_ids.new()
    paged.pass_time(LONG)

    [point] = paged.points_of(web)
    copy = paged.copies_of(point)["web-os"]
    assert point.replicas[VAULT] is ReplicaState.FAILED
    assert happens in copy.failure


def test_a_blob_that_does_not_end_with_a_footer_is_not_sealed(paged, web, monkeypatch):
    def without_footer(vhd, start, end):
        return vhd._image.page_ranges(start, min(end, vhd.disk_bytes))

    monkeypatch.setattr(Vhd, "page_ranges", without_footer)
    paged.back_up("web", within=timedelta(minutes=45))  # then what the attempts have left is still there
    [point] = paged.points_of(web)
    assert point.replicas[VAULT] is ReplicaState.FAILED
    assert "a VHD has the cookie" in paged.copies_of(point)["web-os"].failure
    assert [blob.snapshots for blob in paged.replicas().values()] == [[]] * 3
    paged.assert_closed()


def test_a_target_that_refuses_fails_the_copy_and_the_next_one_goes_on(paged, web, caplog):
    paged.cloud.faults.fail("PUT", r"/replicas/[^?]*$", status=403, times=3)
    paged.back_up("web", within=LONG)
    [point] = paged.points_of(web)
    assert point.replicas[VAULT] is ReplicaState.FAILED
    assert "may not PUT" in paged.copies_of(point)["web-os"].failure
    assert "copy_failed" in caplog.text

    paged.cloud.faults.verify_all_met()
    paged.back_up("web", within=LONG)

    newest = paged.points_of(web)[0]
    assert newest.replicas[VAULT] is ReplicaState.AVAILABLE
    paged.assert_kept(newest)
    paged.assert_closed()
