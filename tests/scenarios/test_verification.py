"""Replicas in page blobs are held against their sources, and what is not equal never passes silently."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from activities import damage, verifications
from domain.errors import Absent
from domain.names import copy_partition
from domain.restore_points import ReplicaState
from domain.verifications import ROTATION_DAYS, WINDOW_BYTES
from domain.windows import sampled_windows
from gateways.connection import cloud
from simulator.arm import snapshots
from simulator.arm.snapshot_model import Snapshot
from tests.paged_world import REGION, VAULT
from tests.world import MIB

YEARLY = {"tidemark-policy": "yearly"}


def events(caplog):
    """Return the events of damage, oldest first."""
    lines = [json.loads(line) for line in caplog.messages if '"replica_damaged"' in line]
    return [line for line in lines if line["event"] == "replica_damaged"]


def backed_up(world, **disks):
    """Back a VM up twice, so that its second point is a difference; return both points, oldest first."""
    vm_id = world.add_vm("web", {"os": b"first", "data": b"kept"} | disks, tags=YEARLY)
    world.write("web", "os", b"elsewhere", offset=40 * MIB)
    world.back_up("web", timedelta(minutes=10))
    world.write("web", "os", b"second", offset=10 * MIB)
    world.back_up("web", timedelta(minutes=10))
    newest, first = world.points_of(vm_id)
    return first, newest


def disk_of(world, point, disk="web-os"):
    """Return what the API tells of a disk in the vault."""
    told = world.ask("GET", f"restore-points/{point.id}").body["replicas"]
    [vault] = [replica for replica in told if replica["location"] == VAULT]
    return next(each for each in vault["disks"] if each["name"] == disk)


def day_of(world, copy, offset):
    """Return how many days it is until a verification reads a window, whatever has changed; tomorrow is 1."""
    start = offset // WINDOW_BYTES * WINDOW_BYTES
    seed, length = copy_partition(copy.disk, VAULT), copy.pages.length
    today = world.clock.now().toordinal()
    return next(
        days
        for days in range(1, ROTATION_DAYS + 1)
        if start
        in [first for first, _ in sampled_windows(length, WINDOW_BYTES, seed, today + days, ROTATION_DAYS)]
    )


def test_what_is_equal_is_verified_and_says_so(paged, caplog):
    first, newest = backed_up(paged)
    assert disk_of(paged, newest)["verified"] is None

    paged.verify()

    copies = paged.copies_of(newest)
    assert all(copy.verified is not None for copy in copies.values())
    told = disk_of(paged, newest)
    assert (told["verified"], told["notVerified"], told["isDamaged"]) == (
        copies["web-os"].verified.isoformat().replace("+00:00", "Z"),
        None,
        False,
    )
    assert [copy.verified for copy in paged.copies_of(first).values()] == [None, None]
    assert events(caplog) == []
    paged.assert_closed()


@pytest.mark.parametrize(
    ("offset", "why"),
    [
        (10 * MIB, "where the difference was written"),
        (10 * MIB + 4096, "beside it in the same window, where neither side should hold anything"),
        (64 * MIB + 300, "in the footer, without which Azure imports nothing"),
    ],
)
def test_a_byte_that_changed_in_a_changed_window_is_found_the_first_time(paged, caplog, offset, why):
    _, newest = backed_up(paged)
    paged.tamper(newest, "web-os", offset)
    paged.verify()
    copy = paged.copies_of(newest)["web-os"]
    assert copy.is_damaged, why
    assert copy.damaged_at == min(offset, 64 * MIB)
    assert copy.verified is None
    assert [event["subject"] for event in events(caplog)] == [newest.id]


def test_damage_is_told_and_followed_by_a_whole_copy_without_waiting_for_the_next_slot(paged, caplog):
    first, newest = backed_up(paged)
    paged.tamper(newest, "web-os", 10 * MIB + 7)

    paged.verify()

    [event] = events(caplog)
    assert (event["disk"], event["location"], event["address"], event["older_points"]) == (
        "web-os", VAULT, 10 * MIB + 7, 1,
    )  # fmt: skip
    assert "a backup of the VM is begun at once" in event["message"]
    after, damaged, before = paged.points_of(paged.machines["web"].id)
    assert (damaged.id, before.id) == (newest.id, first.id)
    assert [point.replicas[VAULT] for point in (before, damaged, after)] == [
        ReplicaState.AVAILABLE,
        ReplicaState.DAMAGED,
        ReplicaState.AVAILABLE,
    ]
    whole, kept = paged.copies_of(after)["web-os"].pages, paged.copies_of(after)["web-data"].pages
    assert whole.why_whole == f"the replica of {newest.id} is damaged"
    assert whole.blob != paged.copies_of(newest)["web-os"].pages.blob
    assert kept.base.point == newest.id
    assert paged.kept(after, "web-os")[10 * MIB : 10 * MIB + 6] == b"second"
    assert paged.seen("web")["coverage"] == "protected"


def test_where_no_backup_can_be_begun_the_event_says_so_and_the_overview_falls_back(paged, caplog):
    first, newest = backed_up(paged)
    known = cloud().catalogue.vms.find(first.vm.key)
    cloud().catalogue.vms.update(known, lambda vm: replace(vm, policy="none of that name"))
    paged.tamper(newest, "web-os", 10 * MIB)
    with paged.cloud.estate.lock:
        paged.machines["web"].machine.tags["tidemark-policy"] = "none of that name"

    paged.verify()

    [event] = events(caplog)
    assert "its VM is under no policy any more" in event["message"]
    vm = cloud().catalogue.vms.find(first.vm.key)
    assert vm.newest_available[VAULT] == first.id
    assert vm.copy_failures == {VAULT: f"restore point {newest.id} is damaged in {VAULT}"}
    told = paged.ask("GET", f"restore-points/{newest.id}").body["replicas"]
    assert {each["location"]: each["state"] for each in told} == {"west": "available", VAULT: "damaged"}
    answer = paged.ask("POST", "restores", {"restorePoint": newest.id, "location": VAULT})
    assert answer.status == 400, answer.body


def test_a_byte_that_changed_where_nothing_was_written_is_found_within_the_rotation(paged, caplog):
    _, newest = backed_up(paged)
    copy = paged.copies_of(newest)["web-os"]
    paged.verify()
    paged.tamper(newest, "web-os", 40 * MIB + 3)
    days = day_of(paged, copy, 40 * MIB)
    for _ in range(days - 1):
        paged.verify()
        assert events(caplog) == []
    paged.verify()
    assert [event["address"] for event in events(caplog)] == [40 * MIB + 3]


def test_days_without_verification_are_caught_up_with(paged, caplog):
    _, newest = backed_up(paged)
    paged.verify()
    paged.tamper(newest, "web-os", 40 * MIB + 3)
    days = day_of(paged, paged.copies_of(newest)["web-os"], 40 * MIB)
    paged.jump(paged.clock.now().replace(hour=5) + timedelta(days=days + 3))
    paged.verify()
    assert [event["address"] for event in events(caplog)] == [40 * MIB + 3]


def test_a_replica_whose_source_is_gone_is_not_taken_for_verified(paged, caplog):
    _, newest = backed_up(paged)
    [part] = [part for part in newest.disks if part.disk.name == "web-os"]
    with paged.cloud.estate.lock:
        snapshots.remove(paged.cloud.estate.shelf.find(Snapshot, part.snapshot_id))
    paged.verify()
    told = disk_of(paged, newest)
    assert told["verified"] is None
    assert told["notVerified"] == f"snapshot {part.snapshot_id}, which it was copied from, is gone"
    assert any("could not be verified" in line for line in caplog.messages)
    assert disk_of(paged, newest, "web-data")["verified"]
    assert events(caplog) == []


def test_an_account_that_does_not_answer_is_told_and_tried_again_the_next_day(paged, caplog):
    _, newest = backed_up(paged)
    paged.lose_region(REGION)
    paged.verify()
    paged.pass_time(timedelta(hours=1, minutes=20))
    told = disk_of(paged, newest)
    assert told["verified"] is None
    assert "it is tried again tomorrow" in told["notVerified"]

    paged.bring_back_region(REGION)
    paged.verify()
    told = disk_of(paged, newest)
    assert told["verified"]
    assert told["notVerified"] is None
    assert events(caplog) == []


def test_a_seal_that_somebody_deleted_is_damage(paged, caplog):
    _, newest = backed_up(paged)
    pages = paged.copies_of(newest)["web-os"].pages
    del paged.account.blob("replicas", pages.blob).page_blob.snapshots[pages.sealed]
    paged.verify()
    [event] = events(caplog)
    assert "address" not in event
    assert f"its blob snapshot {pages.sealed} of {pages.blob} is gone" in event["message"]


def test_a_long_verification_goes_on_batch_by_batch_and_its_history_begins_anew(paged, monkeypatch, caplog):
    _, newest = backed_up(paged)
    monkeypatch.setattr(verifications, "MOST_SECONDS", 0.0)  # one piece, and no more
    monkeypatch.setattr("orchestrators.verify_replica.MOST_BATCHES", 2)
    for place in (30, 45, 60):
        paged.write("web", "os", b"more", offset=place * MIB)
    paged.back_up("web", timedelta(minutes=10))
    newest = paged.points_of(newest.vm.id)[0]
    paged.tamper(newest, "web-os", 60 * MIB)
    paged.verify()
    assert [event["address"] for event in events(caplog)] == [60 * MIB]
    assert paged.copies_of(newest)["web-data"].verified


def test_older_points_with_the_same_fault_are_found_at_once(paged, caplog):
    vm_id = paged.add_vm("web", {"os": b"first"}, tags=YEARLY)
    paged.back_up("web", timedelta(minutes=10))
    paged.verify()
    paged.write("web", "os", b"second", offset=10 * MIB)
    paged.back_up("web", timedelta(minutes=10))
    newest, first = paged.points_of(vm_id)
    assert paged.copies_of(first)["web-os"].verified
    for point in (first, newest):
        paged.tamper(point, "web-os", 10 * MIB + 100)

    paged.verify()

    assert [event["subject"] for event in events(caplog)] == [newest.id, first.id]
    after, *damaged = paged.points_of(vm_id)
    assert [point.replicas[VAULT] for point in damaged] == [ReplicaState.DAMAGED] * 2
    assert after.replicas[VAULT] is ReplicaState.AVAILABLE
    paged.assert_kept(after)
    assert len(paged.points_of(vm_id)) == 3


def test_what_passes_by_itself_is_waited_for_and_read_on_from_there(paged, caplog):
    _, newest = backed_up(paged)
    faults = paged.cloud.faults
    faults.fail("GET", "/replicas/.*snapshot=", status=503, times=3, skip=2)
    faults.cut("GET", "/md-.*/abcd|z45.blob", after_bytes=100, times=2)
    faults.delay("GET", "comp=pagelist", by=timedelta(minutes=11))  # longer than a grant lasts
    faults.fail("POST", "/endGetAccess", status=500, after_executing=True)
    paged.verify()
    paged.pass_time(timedelta(minutes=30))
    faults.verify_all_met()
    assert all(copy.verified for copy in paged.copies_of(newest).values())
    paged.assert_closed()
    assert events(caplog) == []


def test_damage_that_was_not_told_to_the_end_is_told_the_next_day(paged, monkeypatch, caplog):
    first, newest = backed_up(paged)
    paged.tamper(newest, "web-os", 10 * MIB)
    told = []

    def announce(event, usual=damage.announce):
        told.append(event)
        if len(told) == 1:
            raise KeyError("whoever was at it has ended")
        usual(event)

    monkeypatch.setattr(damage, "announce", announce)
    paged.verify()
    assert paged.copies_of(newest)["web-os"].is_damaged
    assert events(caplog) == []

    paged.verify()

    assert [event["subject"] for event in events(caplog)] == [newest.id]
    after, damaged, before = paged.points_of(first.vm.id)
    assert damaged.replicas[VAULT] is ReplicaState.DAMAGED
    assert (before.id, after.replicas[VAULT]) == (first.id, ReplicaState.AVAILABLE)
    assert cloud().catalogue.vms.find(first.vm.key).newest_available[VAULT] == after.id


def test_a_copy_of_the_disk_goes_first_and_what_it_builds_on_damage_is_made_whole(paged, caplog):
    first, newest = backed_up(paged)
    paged.tamper(newest, "web-os", 10 * MIB)
    paged.jump(paged.clock.now().replace(hour=4, minute=24, second=0) + timedelta(days=1))
    paged.write("web", "os", b"third", offset=50 * MIB)
    paged.cloud.faults.fail("PUT", "/replicas/web-os.*comp=page", status=503, times=12)
    assert paged.ask("POST", "backups", {"vm": first.vm.id}).status == 202

    paged.pass_time(timedelta(hours=2))

    after = paged.points_of(first.vm.id)[0]
    copy = paged.copies_of(after)["web-os"]
    assert after.replicas[VAULT] is ReplicaState.AVAILABLE
    paged.assert_kept(after)
    assert events(caplog)
    assert copy.pages.blob != paged.copies_of(newest)["web-os"].pages.blob
    paged.assert_closed()


def test_a_damaged_replica_is_deleted_once_a_newer_one_has_arrived(paged, caplog):
    first, newest = backed_up(paged)
    paged.tamper(newest, "web-os", 10 * MIB)
    paged.verify()
    copies = paged.copies_of(newest)
    paged.jump(paged.clock.now().replace(minute=36) + timedelta(hours=2))
    paged.pass_time(timedelta(minutes=20))

    assert all(copy.is_cleaned for copy in paged.copies_of(newest).values())
    blob = paged.account.blob("replicas", copies["web-os"].pages.blob)
    assert blob.snapshots == [paged.copies_of(first)["web-os"].pages.sealed]
    assert paged.kept(first, "web-os")
    with pytest.raises(Absent):
        cloud().manifests.read(first.vm.key, newest.id, cloud().policies.locations[VAULT])
    assert cloud().manifests.read(first.vm.key, first.id, cloud().policies.locations[VAULT])
