"""Replicas in page blobs are held against their sources, and what is not equal never passes silently."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from activities import batches
from domain.names import copy_partition
from domain.verifications import ROTATION_DAYS, WINDOW_BYTES
from domain.windows import sampled_windows
from simulator.arm import snapshots
from simulator.arm.snapshot_model import Snapshot
from tests.paged_world import REGION, VAULT
from tests.secrets_check import assert_no_secrets
from tests.world import MIB

YEARLY = {"tidemark-policy": "yearly"}


def events(caplog, name="replica_damaged"):
    """Return the events of damage, oldest first."""
    lines = [json.loads(line) for line in caplog.messages if f'"{name}"' in line]
    return [line for line in lines if line["event"] == name]


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
    assert_no_secrets(paged, caplog.text)
    paged.assert_closed()


@pytest.mark.parametrize(
    ("offset", "content", "why"),
    [
        (10 * MIB, b"!", "where the difference was written"),
        (10 * MIB, b"", "where it never came to, so that the blob holds no page"),
        (10 * MIB + 4096, b"!", "beside it in the same window, where neither side should hold anything"),
        (64 * MIB + 300, b"!", "in the footer, without which Azure imports nothing"),
    ],
)
def test_a_byte_that_changed_in_a_changed_window_is_found_the_first_time(paged, caplog, offset, content, why):
    _, newest = backed_up(paged)
    paged.tamper(newest, "web-os", offset, content)
    paged.verify()
    copy = paged.copies_of(newest)["web-os"]
    assert copy.is_damaged, why
    assert copy.damaged_at == min(offset, 64 * MIB)
    assert copy.verified is None
    assert [event["subject"] for event in events(caplog)] == [newest.id]


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
    for _ in range(2):
        paged.verify()
    assert events(caplog, "replica_unverified") == []
    paged.verify()  # the fourth day on which it could not be
    [event] = events(caplog, "replica_unverified")
    assert (event["subject"], event["disk"], event["location"]) == (newest.id, "web-os", VAULT)
    assert "since 2026-11-23 04:27 UTC: snapshot" in event["message"]


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


def test_a_long_verification_goes_on_batch_by_batch_and_its_history_begins_anew(paged, monkeypatch, caplog):
    _, newest = backed_up(paged)
    for place in (30, 45, 60):
        paged.write("web", "os", b"more", offset=place * MIB)
    paged.back_up("web", timedelta(minutes=10))
    newest = paged.points_of(newest.vm.id)[0]
    paged.tamper(newest, "web-os", 60 * MIB)
    monkeypatch.setattr(batches, "MOST_SECONDS", 0.0)  # one piece, and no more
    monkeypatch.setattr("orchestrators.verify_replica.MOST_BATCHES", 2)
    paged.verify()
    assert [event["address"] for event in events(caplog)] == [60 * MIB]
    assert paged.copies_of(newest)["web-data"].verified


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
