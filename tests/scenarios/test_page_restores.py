"""Restores from page blobs: by import where the account allows it, by upload everywhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

import activities.blob_restores
from activities.blob_restores import BlobWork, begin_import_blob, end_upload, upload_pages
from activities.restores import begin_disk
from domain.errors import Refused, Transient
from domain.restores import plan_disks
from domain.tags import OPERATION_METADATA
from gateways.connection import cloud
from settings import Identity
from simulator.arm.disk_model import Disk
from simulator.arm.machine_model import VirtualMachine
from tests.paged_world import AT_ONCE, BLOBS, REGION, RIGHTS, VAULT, PagedWorld
from tests.restored_world import asked, attached, found, made, restored
from tests.secrets_check import assert_no_secrets
from tests.world import HOME, MIB

PAGED = {"tidemark-policy": "paged"}
LATER = timedelta(hours=3)  # when pruning has looked


class UploadWorld(PagedWorld):
    """The vault is in an account that Azure does not import from."""

    def _told(self):
        told = super()._told()
        del told["locations"][VAULT]["account"]
        return told


def built(kind, tmp_path, accounts, tempo=AT_ONCE):
    world = kind(tmp_path, accounts, tempo=tempo)
    yield world
    world.assert_histories_replay()
    world.close()


@pytest.fixture(params=[PagedWorld, UploadWorld], ids=["import", "upload"])
def paged(request, tmp_path, accounts):
    yield from built(request.param, tmp_path, accounts)


@pytest.fixture
def importing(tmp_path, accounts):
    yield from built(PagedWorld, tmp_path, accounts)


@pytest.fixture
def uploading(tmp_path, accounts, monkeypatch):
    monkeypatch.setattr(activities.blob_restores, "WINDOW_BYTES", 16 * MIB)  # so an upload takes some batches
    yield from built(UploadWorld, tmp_path, accounts)


def backed_up(world):
    """Back a VM up; return the point, and what its disks held."""
    world.add_vm("web", {"os": b"system" * 1000, "data": b"first"}, tags=PAGED)
    world.write("web", "os", b"elsewhere", offset=40 * MIB)
    return world.back_up("web")["restorePoint"]["id"], on_disks(world)


def on_disks(world):
    disks = [each.disk for each in world.machines["web"].machine.attached]
    return {disk.id.name: disk.image.read(0, disk.image.size_bytes) for disk in disks}


def blobs(world):
    """Return the names of the blobs that restores have made for their imports."""
    there = world.account.resource.containers["replicas"].blobs
    return sorted(name for name in there if name.startswith("restores/"))


def assert_closed(world):
    """Nobody can read or write a restored disk from outside."""
    for disk in found(world, Disk, f"restored-{VAULT}"):
        assert world.cloud.estate.accesses.active(disk.id.key) is None
        assert disk.properties["networkAccessPolicy"] == "DenyAll"


def assert_back(world, operation, contents):
    assert operation["state"] == "succeeded", operation["failure"]
    disks = operation["outcome"]["disks"]
    assert {disk["sourceDisk"]: world.bytes_of(disk["id"]) for disk in disks} == contents
    assert sorted(made(world, VAULT)) == sorted(disk["id"] for disk in disks)
    assert_closed(world)


def test_disks_of_a_lost_region_come_back_from_either_of_two_points_byte_for_byte(paged, caplog):
    first, contents = backed_up(paged)
    paged.write("web", "os", b"second", offset=10 * MIB)
    paged.write("web", "data", b"\0" * 512)
    second = paged.back_up("web")["restorePoint"]["id"]
    newest = on_disks(paged)
    paged.lose_region(HOME)

    for point, wanted in ((first, contents), (second, newest)):
        back = paged.restore(point, VAULT)
        assert back.operation["state"] == "succeeded", back.operation["failure"]
        assert back.contents == wanted
    assert_closed(paged)
    assert_no_secrets(paged, caplog.text)

    with pytest.raises(AssertionError, match="the log has 'sig='"):
        assert_no_secrets(paged, "PUT https://md-impexp-1.blob.core.windows.net/c/abcd?si=1&sig=2")
    told = dict(back.operation["outcome"]) | {"address": "https://md-1.blob.core.windows.net/c/abcd?sig=2"}
    cloud().catalogue.operations.alter(back.operation["id"], lambda known: replace(known, outcome=told))
    with pytest.raises(AssertionError, match="table operations has 'sig='"):
        assert_no_secrets(paged, caplog.text)


def test_a_whole_vm_runs_again_and_a_chosen_disk_comes_back(paged):
    point, contents = backed_up(paged)
    paged.lose_region(HOME)

    operation = restored(paged, restorePoint=point, location=VAULT, what="vm")
    assert operation["state"] == "succeeded", operation["failure"]
    [machine] = found(paged, VirtualMachine, f"restored-{VAULT}")
    assert [start[:5] for start, _ in attached(machine).values()] == [b"syste", b"first"]
    assert machine.power == "running"

    chosen = restored(paged, restorePoint=point, location=VAULT, disks=["web-data"])
    [disk] = chosen["outcome"]["disks"]
    assert paged.bytes_of(disk["id"]) == contents["web-data"]


def test_what_a_disk_was_imported_from_is_deleted_when_the_restore_is_over_and_no_replica_is(importing):
    point, contents = backed_up(importing)
    operation = restored(importing, restorePoint=point, location=VAULT)
    assert len(blobs(importing)) == len(contents)
    for name in blobs(importing):
        assert importing.account.blob("replicas", name).metadata == {OPERATION_METADATA: operation["id"]}

    importing.pass_time(LATER)

    assert blobs(importing) == []
    [kept] = importing.points_of(importing.machines["web"].id)
    assert kept.imports == {}
    assert len(importing.account.resource.containers["replicas"].blobs) == len(contents)
    assert importing.restore(point, VAULT).contents == contents  # and the replica serves again


def test_a_blob_of_somebody_else_under_such_a_name_is_not_deleted(importing):
    point, _ = backed_up(importing)
    restored(importing, restorePoint=point, location=VAULT)
    strange, *_ = blobs(importing)
    importing.account.blob("replicas", strange).page_blob.base.metadata.clear()

    importing.pass_time(LATER)

    assert blobs(importing) == [strange]
    [kept] = importing.points_of(importing.machines["web"].id)
    assert len(kept.imports) == 1  # it is told every hour


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


def ended(world, work):
    """End an upload; that nobody gets in any more takes a moment, in which time must pass."""
    try:
        return end_upload(work)
    except Transient:
        world.pass_time(timedelta(seconds=5))
        return end_upload(work)


def test_every_step_of_an_upload_can_be_done_twice_and_by_two_runs_beside_each_other(uploading):
    point, contents = backed_up(uploading)
    [known] = uploading.points_of(uploading.machines["web"].id)
    location = cloud().policies.locations[VAULT]
    operation = "20261122-0123456789abcdef0123"
    plan, _ = plan_disks(operation, cloud().manifests.read(known.vm.key, point, location), location)
    first = BlobWork(operation, plan)
    assert begin_disk(plan) == begin_disk(plan)
    uploading.pass_time(timedelta(seconds=5))

    reached = [first]
    while not reached[-1].is_uploaded:
        further = upload_pages(reached[-1])
        assert further == upload_pages(reached[-1])  # also by somebody else, or once more
        reached.append(further)
    assert len(reached) == 5  # windows of 16 MiB, and the beginning
    assert ended(uploading, reached[-1]) == end_upload(reached[-1])

    assert uploading.bytes_of(plan.id) == contents[plan.source_disk]
    assert upload_pages(first).is_uploaded  # whoever comes late leaves the disk as it is
    assert end_upload(first).is_ready
    assert uploading.bytes_of(plan.id) == contents[plan.source_disk]
    assert_closed(uploading)


def test_whoever_comes_after_a_restore_is_over_makes_nothing_any_more(importing):
    point, _ = backed_up(importing)
    operation = restored(importing, restorePoint=point, location=VAULT)
    [known] = importing.points_of(importing.machines["web"].id)
    location = cloud().policies.locations[VAULT]
    plan, _ = plan_disks(operation["id"], cloud().manifests.read(known.vm.key, point, location), location)
    for step in (begin_import_blob, upload_pages):
        with pytest.raises(Refused, match="is over; ask for another one"):
            step(BlobWork(operation["id"], plan))


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
        ((f"{BLOBS}/read",), "may not PUT"),  # the copy for the import
    ],
)
def test_an_account_that_refuses_is_told_with_the_identity_and_nothing_is_left(
    tmp_path, accounts, monkeypatch, rights, said
):
    monkeypatch.setitem(RIGHTS, Identity.RESTORE, rights)
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
    ],
    ids=["address-ended", "busy", "not-served", "dropped", "end-lost", "throttled"],
)
def test_an_upload_goes_on_after_what_passes(uploading, plant, caplog):
    point, contents = backed_up(uploading)
    plant(uploading.cloud.faults)

    operation = restored(uploading, restorePoint=point, location=VAULT)

    uploading.cloud.faults.verify_all_met()
    assert_back(uploading, operation, contents)
    assert_no_secrets(uploading, caplog.text)
