"""Restores from page blobs that are cut off, refused, or hindered for a while."""

from __future__ import annotations

from datetime import timedelta

import pytest

import activities.batches
from activities.blob_restores import BlobWork, begin_import_blob, end_upload, upload_pages
from activities.restores import begin_disk
from domain.errors import Refused, Transient
from domain.restores import plan_disks
from gateways.connection import cloud
from gateways.page_blobs import PageBlob
from infra.deployed_roles import deployed_on_replicas
from settings import Identity
from simulator.arm.disk_model import Disk
from tests import paged_world
from tests.page_restore_world import (
    LATER,
    UploadWorld,
    assert_back,
    assert_closed,
    backed_up,
    blobs,
    built,
    on_disks,
)
from tests.paged_world import REGION, VAULT, PagedWorld
from tests.restored_world import asked, found, made, restored
from tests.secrets_check import assert_no_secrets
from tests.world import MIB


@pytest.fixture(params=[PagedWorld, UploadWorld], ids=["import", "upload"])
def paged(request, tmp_path, accounts):
    yield from built(request.param, tmp_path, accounts)


@pytest.fixture
def importing(tmp_path, accounts):
    yield from built(PagedWorld, tmp_path, accounts)


@pytest.fixture
def uploading(tmp_path, accounts, monkeypatch):
    monkeypatch.setattr(activities.batches, "WINDOW_BYTES", 16 * MIB)
    monkeypatch.setattr(activities.batches, "MOST_WINDOWS", 1)  # so an upload takes some batches
    yield from built(UploadWorld, tmp_path, accounts)


def cut_off(world, operation, is_whole=True):
    """End a restore, first itself: it does not see its children end."""
    world.host.terminate(f"restore:{operation}", "a test")
    world.host.settle()
    for status in world.host.statuses() if is_whole else ():
        if status["name"] == "restore_from_blob":
            world.host.terminate(status["instanceId"], "a test")


@pytest.mark.parametrize("seconds", [0, 1, 6])
@pytest.mark.parametrize("is_whole", [True, False], ids=["with-its-children", "alone"])
def test_a_restore_that_is_cut_off_is_finished_by_the_next_watch_and_makes_nothing_twice(
    paged, seconds, is_whole
):
    point, contents = backed_up(paged)
    operation = asked(paged, {"restorePoint": point, "location": VAULT})
    paged.pass_time(timedelta(seconds=seconds))
    assert paged.operation(operation)["state"] in ("accepted", "running")
    cut_off(paged, operation, is_whole)
    paged.pass_time(timedelta(minutes=30))

    assert_back(paged, paged.operation(operation), contents)
    paged.pass_time(LATER)
    assert blobs(paged) == []


def planned(world, operation="20261122-0123456789abcdef0123"):
    """Plan to bring the disk `web-os` of the newest point back."""
    newest = world.points_of(world.machines["web"].id)[0]
    location = cloud().policies.locations[VAULT]
    plans = plan_disks(operation, cloud().manifests.read(newest.vm.key, newest.id, location), location)
    return BlobWork(operation, next(plan for plan in plans if plan.source_disk == "web-os"))


def ended(world, work):
    """End an upload; that nobody gets in any more takes a moment, in which time must pass."""
    try:
        return end_upload(work)
    except Transient:
        world.pass_time(timedelta(seconds=5))
        return end_upload(work)


def test_every_step_of_an_upload_can_be_done_twice_and_by_two_runs_beside_each_other(uploading, monkeypatch):
    _, contents = backed_up(uploading)
    first = planned(uploading)
    plan = first.plan
    assert begin_disk(plan) == begin_disk(plan)
    uploading.pass_time(timedelta(seconds=5))

    reached = [first]
    while not reached[-1].is_uploaded:
        further = upload_pages(reached[-1])
        assert further == upload_pages(reached[-1])  # also by somebody else, or once more
        reached.append(further)
    assert len(reached) == 5  # windows of 16 MiB, and the beginning

    def write(blob, start, length, source, usual=PageBlob.put_from_url):
        ended(uploading, reached[-1])
        return usual(blob, start, length, source)

    with monkeypatch.context() as beside:
        beside.setattr(PageBlob, "put_from_url", write)
        assert upload_pages(first).is_uploaded  # whoever is slow finds it ended
    assert ended(uploading, reached[-1]) == end_upload(reached[-1])

    assert uploading.bytes_of(plan.id) == contents[plan.source_disk]
    assert upload_pages(first).is_uploaded  # whoever comes late leaves the disk as it is
    assert end_upload(first).is_ready
    assert uploading.bytes_of(plan.id) == contents[plan.source_disk]
    assert_closed(uploading)


def test_an_upload_with_time_for_one_write_in_a_batch_leaves_none_out(uploading, monkeypatch):
    backed_up(uploading)
    for place in (5, 10, 50):
        uploading.write("web", "os", b"more", offset=place * MIB)
    point, contents = uploading.back_up("web")["restorePoint"]["id"], on_disks(uploading)
    monkeypatch.setattr(activities.batches, "MOST_SECONDS", 0.0)
    monkeypatch.setattr("orchestrators.restore_from_blob.MOST_BATCHES", 2)

    assert_back(uploading, restored(uploading, restorePoint=point, location=VAULT), contents)


def test_what_was_uploaded_before_a_failure_need_not_be_uploaded_again(uploading, monkeypatch):
    def write(blob, start, length, source, usual=PageBlob.put_from_url):
        if start:
            raise Transient("ServerBusy", "the disk takes no more")
        return usual(blob, start, length, source)

    backed_up(uploading)
    uploading.write("web", "os", b"more", offset=5 * MIB)
    uploading.back_up("web")
    first = planned(uploading)
    begin_disk(first.plan)
    uploading.pass_time(timedelta(seconds=5))
    monkeypatch.setattr(PageBlob, "put_from_url", write)
    further = upload_pages(first)
    assert 0 < further.reached <= 5 * MIB
    with pytest.raises(Transient, match="no more"):
        upload_pages(further)


def test_whoever_comes_after_a_restore_is_over_makes_nothing_any_more(importing):
    point, _ = backed_up(importing)
    operation = restored(importing, restorePoint=point, location=VAULT)
    for step in (begin_import_blob, upload_pages):
        with pytest.raises(Refused, match="is over; ask for another one"):
            step(planned(importing, operation["id"]))


def test_a_disk_that_is_half_uploaded_is_taken_up_by_the_next_run(uploading):
    point, contents = backed_up(uploading)
    uploading.cloud.faults.fail("PUT", "/abcd", status=503, skip=2, times=6)
    operation = asked(uploading, {"restorePoint": point, "location": VAULT})
    uploading.pass_time(timedelta(seconds=10))
    before = {disk.id.name: disk for disk in found(uploading, Disk, f"restored-{VAULT}")}
    assert all(disk.upload for disk in before.values())
    assert any(disk.upload.writes for disk in before.values())
    cut_off(uploading, operation)
    uploading.pass_time(timedelta(hours=1))

    uploading.cloud.faults.verify_all_met()
    assert_back(uploading, uploading.operation(operation), contents)
    assert {disk.id.name: disk for disk in found(uploading, Disk, f"restored-{VAULT}")} == before


def test_every_fault_is_listed_at_once_and_nothing_is_made(paged):
    point, _ = backed_up(paged)
    [known] = paged.points_of(paged.machines["web"].id)
    pages = paged.copies_of(known)["web-data"].pages
    paged.account.blob("replicas", pages.blob).page_blob.snapshots.pop(pages.sealed)
    paged.cloud.add_virtual_machine("web", REGION, f"restored-{VAULT}", {"os": 64 * MIB})  # somebody else's
    before = made(paged, VAULT)

    operation = restored(paged, restorePoint=point, location=VAULT, what="vm")

    assert operation["state"] == "failed"
    faults = {fault["field"]: fault["message"] for fault in operation["outcome"]["faults"]}
    assert faults.keys() == {"name", "restorePoint"}
    assert f"{pages.blob} is not there; choose another location or point" in faults["restorePoint"]
    assert (made(paged, VAULT), blobs(paged)) == (before, [])


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        ((), "may not HEAD"),  # told before anything is made
        (("blobs/read",), "may not PUT"),  # the copy for the import
    ],
)
def test_an_account_that_refuses_is_told_with_the_identity_and_nothing_is_left(
    tmp_path, accounts, monkeypatch, rights, said
):
    def fewer(container, usual=deployed_on_replicas):
        of_restore = tuple(each for each in usual(container) if each.action.endswith(rights))
        return [
            each for each in usual(container) if each.identity is not Identity.RESTORE or each in of_restore
        ]

    monkeypatch.setattr(paged_world, "deployed_on_replicas", fewer)
    for world in built(PagedWorld, tmp_path, accounts):
        point, _ = backed_up(world)
        operation = restored(world, restorePoint=point, location=VAULT)
        assert operation["state"] == "failed"
        assert f"identity 'restore' ({Identity.RESTORE.setting}) {said}" in operation["failure"]
        assert (made(world, VAULT), blobs(world)) == ([], [])


def test_an_account_that_is_lost_is_told_with_where_else_the_point_is(importing):
    point, _ = backed_up(importing)
    importing.lose_region(REGION)

    operation = restored(importing, restorePoint=point, location=VAULT)

    assert operation["state"] == "failed"
    assert "location 'vault' cannot be reached now" in operation["failure"]
    assert "also available in west" in operation["failure"]


@pytest.mark.parametrize(
    "plant",
    [
        lambda faults: faults.fail("PUT", "/abcd", status=403, code="AuthenticationFailed", skip=1, times=2),
        lambda faults: faults.fail("PUT", "/abcd", status=503, skip=1, times=2),
        lambda faults: faults.fail(
            "PUT", "/abcd", status=409, code="CopySourceCannotBeIncrementalCopyBlob", times=1
        ),
        lambda faults: faults.drop("PUT", "/abcd", skip=1, times=3, after_executing=True),
        lambda faults: faults.fail("POST", "/endGetAccess", status=500, after_executing=True),
        lambda faults: faults.fail("POST", "/beginGetAccess", status=429, retry_after=600, skip=2),
        # Nobody documents whether what is open for writing can be opened again.
        lambda faults: faults.fail("POST", "/beginGetAccess", status=409, code="Conflict", skip=2, times=2),
    ],
    ids=["address-ended", "busy", "not-served", "dropped", "end-lost", "throttled", "still-open"],
)
def test_an_upload_goes_on_after_what_passes(uploading, plant, caplog):
    point, contents = backed_up(uploading)
    plant(uploading.cloud.faults)

    operation = restored(uploading, restorePoint=point, location=VAULT)

    uploading.cloud.faults.verify_all_met()
    assert_back(uploading, operation, contents)
    assert_no_secrets(uploading, caplog.text)
