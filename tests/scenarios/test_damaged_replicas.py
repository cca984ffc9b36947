"""A replica that is damaged is told, offered no more, replaced by a whole one, and deleted then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from activities import damage
from activities.announcing import announce
from domain.errors import Absent
from domain.restore_points import ReplicaState
from gateways.connection import cloud
from tests.paged_world import VAULT
from tests.scenarios.test_verification import YEARLY, backed_up, events
from tests.secrets_check import assert_no_secrets
from tests.world import MIB


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
    assert_no_secrets(paged, caplog.text)


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


def test_a_seal_that_somebody_deleted_is_damage(paged, caplog):
    _, newest = backed_up(paged)
    pages = paged.copies_of(newest)["web-os"].pages
    del paged.account.blob("replicas", pages.blob).page_blob.snapshots[pages.sealed]
    paged.verify()
    [event] = events(caplog)
    assert "address" not in event
    assert f"its blob snapshot {pages.sealed} of {pages.blob} is gone" in event["message"]


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


def test_damage_that_was_not_told_to_the_end_is_told_the_next_day(paged, monkeypatch, caplog):
    first, newest = backed_up(paged)
    paged.tamper(newest, "web-os", 10 * MIB)
    told = []

    def cut_off(event):
        told.append(event)
        if len(told) == 1:
            raise KeyError("whoever was at it has ended")
        announce(event)

    monkeypatch.setattr(damage, "announce", cut_off)
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
    for copy in paged.copies_of(newest).values():  # what a failed attempt had left was deleted before
        cloud().catalogue.copies.alter(copy, lambda known: replace(known, is_cleaned=True))
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
