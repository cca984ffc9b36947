"""Copies by pages: only what changed is written into page blobs of any storage account."""

from __future__ import annotations

from datetime import timedelta

import pytest

from activities import batches
from domain.errors import Refused
from domain.restore_points import ReplicaState
from gateways.connection import cloud
from gateways.page_blobs import OVERTAKEN, PageBlob
from simulator.data_plane.vhd import Vhd
from tests.paged_world import PAGED, VAULT
from tests.world import MIB


def test_a_disk_is_kept_as_a_page_blob_and_then_by_what_has_changed(paged):
    vm_id = paged.add_vm("web", {"os": b"first" * 1000, "data": b"kept"}, tags=PAGED)
    paged.write("web", "os", b"elsewhere", offset=40 * MIB)
    paged.back_up("web")
    paged.write("web", "os", b"second", offset=10 * MIB)
    paged.machines["web"].disk("os").image.clear(40 * MIB, 512)
    paged.back_up("web")

    second, first = paged.points_of(vm_id)
    assert [point.replicas[VAULT] for point in (first, second)] == [ReplicaState.AVAILABLE] * 2
    paged.assert_kept(first)
    paged.assert_kept(second)
    whole, changed = (paged.copies_of(point)["web-os"].pages for point in (first, second))
    assert (whole.base, whole.why_whole) == (None, "it is the first of its disk there")
    assert changed.base.point == first.id
    assert changed.blob == whole.blob
    assert (changed.written_bytes, changed.cleared_bytes) == (512, 512)


def test_pages_wait_for_no_copy_of_azures_and_none_waits_for_them(paged):
    vm_id = paged.add_vm("web", {"os": b"first"}, tags={"tidemark-policy": "both"})
    for content in (b"second", b"third"):
        paged.back_up("web")
        paged.write("web", "os", content)

    for point in paged.points_of(vm_id):
        paged.assert_kept(point)
        begun = {each: cloud().catalogue.copies.find(point, each)[0].started for each in ("north", VAULT)}
        assert abs(begun["north"] - begun[VAULT]) < timedelta(seconds=15), begun


def test_a_disk_that_was_replaced_or_has_grown_is_kept_right(paged):
    vm_id = paged.add_vm("web", {"os": b"system", "data": b"old"}, tags=PAGED)
    paged.back_up("web")
    disk = paged.machines["web"].disk("os")
    with paged.cloud.estate.lock:
        disk.image.resize(96 * MIB)
    paged.write("web", "os", b"far", offset=95 * MIB)
    paged.back_up("web")

    second, first = paged.points_of(vm_id)
    paged.assert_kept(first)
    paged.assert_kept(second)
    assert paged.copies_of(second)["web-os"].pages.base.point == first.id


def test_a_copy_of_many_batches_goes_on_where_the_last_one_stopped(paged, monkeypatch):
    monkeypatch.setattr(batches, "MOST_SECONDS", 0.0)  # one write, and no more
    monkeypatch.setattr(batches, "WINDOW_BYTES", 32 * MIB)
    monkeypatch.setattr("orchestrators.replicate_disk.MOST_LOOKS", 3)
    vm_id = paged.add_vm("web", {"os": b"system"}, tags=PAGED)
    paged.write("web", "os", b"across two windows" * 100, offset=32 * MIB - 512)
    paged.back_up("web")
    disk = paged.machines["web"].disk("os")
    for place in (3, 31, 33, 64):
        paged.write("web", "os", b"more", offset=place * MIB - 512)
    disk.image.clear(32 * MIB, 512)
    with paged.cloud.estate.lock:
        disk.image.resize(80 * MIB)
    paged.write("web", "os", b"at the end", offset=80 * MIB - 512)
    paged.back_up("web")

    second, first = paged.points_of(vm_id)
    paged.assert_kept(first)
    paged.assert_kept(second)
    pages = paged.copies_of(second)["web-os"].pages
    assert pages.base.point == first.id
    assert (pages.written_bytes, pages.cleared_bytes, pages.requests) == (7 * 512, 512, 6)
    paged.assert_closed()


def test_the_footer_of_a_disk_that_has_grown_is_right_whatever_azure_lists_of_footers(paged, monkeypatch):
    def of_the_disk_alone(newer, older, start, end):
        return newer._image.changes_since(older._image, start, min(end, newer.disk_bytes))

    vm_id = paged.add_vm("web", {"os": b"system"}, tags=PAGED)
    paged.back_up("web")
    monkeypatch.setattr(Vhd, "changes_since", of_the_disk_alone)
    with paged.cloud.estate.lock:
        paged.machines["web"].disk("os").image.resize(65 * MIB)
    paged.back_up("web")

    second, first = paged.points_of(vm_id)
    assert paged.copies_of(second)["web-os"].pages.base.point == first.id
    paged.assert_kept(second)
    paged.assert_kept(first)


def test_a_blob_that_somebody_has_written_over_is_left_and_the_next_copy_is_whole(paged):
    vm_id = paged.add_vm("web", {"os": b"system"}, tags=PAGED)
    paged.back_up("web")
    [first] = paged.points_of(vm_id)
    pages = paged.copies_of(first)["web-os"].pages
    blob = cloud().page_blobs.at(f"{paged.account.endpoint}/replicas", pages.blob)
    source = {"x-ms-copy-source": blob.opened(pages.sealed).url()}  # its snapshot, promoted by hand
    blob._send("PUT", {}, source, (202,), "promoting a snapshot over")
    paged.pass_time(timedelta(hours=1))
    paged.write("web", "os", b"second")
    paged.back_up("web", within=timedelta(hours=1))

    second, first = paged.points_of(vm_id)
    whole = paged.copies_of(second)["web-os"].pages
    assert whole.base is None
    assert "BlobOverwritten" in whole.why_whole
    paged.assert_kept(second)
    paged.assert_kept(first)


def test_a_page_that_an_earlier_batch_wrote_and_that_arrives_late_is_not_sealed(paged, monkeypatch):
    vm_id = paged.add_vm("web", {"os": b"first"}, tags=PAGED)
    paged.back_up("web")
    [first] = paged.points_of(vm_id)
    pages = paged.copies_of(first)["web-os"].pages
    hung = cloud().page_blobs.at(f"{paged.account.endpoint}/replicas", pages.blob).fenced()
    seal, refused = PageBlob.seal, []

    def sealed_late(blob, metadata):
        with pytest.raises(Refused) as late:
            hung.put(0, b"late".ljust(512))
        refused.append(late.value.code)
        return seal(blob, metadata)

    monkeypatch.setattr(PageBlob, "seal", sealed_late)
    paged.write("web", "os", b"second")
    paged.back_up("web")
    assert refused == [OVERTAKEN]
    second, first = paged.points_of(vm_id)
    paged.assert_kept(second)
    paged.assert_kept(first)


def test_a_batch_that_another_one_has_overtaken_is_done_again(paged):
    vm_id = paged.add_vm("web", {"os": b"first"}, tags=PAGED)
    paged.cloud.faults.fail(
        "PUT", r"/replicas/.*comp=page($|&)", status=412, code="SequenceNumberConditionNotMet"
    )
    paged.back_up("web")
    paged.cloud.faults.verify_all_met()
    [point] = paged.points_of(vm_id)
    paged.assert_kept(point)
    assert paged.copies_of(point)["web-os"].attempt == 1


def test_what_an_unfinished_copy_has_left_in_the_blob_is_not_in_the_next_replica(paged):
    vm_id = paged.add_vm("web", {"os": b"system"}, tags=PAGED)
    paged.back_up("web")
    image = paged.machines["web"].disk("os").image
    image.write(20 * MIB, b"for a while")
    refused = paged.cloud.faults.fail  # the seal alone: everything is written by then
    refused("PUT", r"/replicas/.*comp=snapshot", status=403, times=3)
    paged.back_up("web", within=timedelta(hours=2))
    image.clear(20 * MIB, 512)
    paged.back_up("web", within=timedelta(hours=2))

    paged.cloud.faults.verify_all_met()
    third, second, first = paged.points_of(vm_id)
    states = [point.replicas[VAULT] for point in (first, second, third)]
    assert states == [ReplicaState.AVAILABLE, ReplicaState.FAILED, ReplicaState.AVAILABLE]
    assert paged.copies_of(third)["web-os"].pages.base.point == first.id
    paged.assert_kept(third)
    paged.assert_kept(first)
