"""Batches of a verification: what cannot be told apart is read whole, and no part of it is left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from activities import verifications
from activities.opening import turn
from activities.verifications import (
    VerificationEnd,
    VerificationLook,
    begin_verification,
    find_replicas_to_verify,
    record_verification,
    verify_windows,
)
from domain.verifications import GIVES_WAY, WINDOW_BYTES, VerificationOrder, VerificationState
from gateways.connection import cloud
from simulator.arm import snapshots
from simulator.arm.snapshot_model import Snapshot
from tests.paged_world import VAULT
from tests.scenarios.test_verification import backed_up
from tests.world import MIB

UNCHANGED = 40 * MIB + 3  # written before the first of two points


@pytest.fixture
def world(paged):
    return paged


@pytest.fixture
def newest(world):
    """The second of two points, which was copied as a difference; the first one was verified."""
    first, second = backed_up(world)
    for copy in world.copies_of(first).values():
        cloud().catalogue.copies.alter(copy, lambda known: replace(known, verified=world.clock.now()))
    return second


@pytest.fixture
def begun(newest):
    """The verification of its disk `web-os`; nothing is compared yet."""
    [disk] = [part.disk.key for part in newest.disks if part.disk.name == "web-os"]
    return begin_verification(VerificationOrder(disk, VAULT))


@pytest.mark.parametrize("happens", ["PreviousSnapshotOperationNotSupported", "the older one is gone"])
def test_where_there_is_no_difference_any_more_all_of_it_is_read(world, newest, begun, happens):
    world.tamper(newest, "web-os", UNCHANGED)
    if happens.startswith("Previous"):
        world.cloud.faults.fail("GET", "comp=pagelist", status=409, code=happens)
    else:
        with world.cloud.estate.lock:
            snapshots.remove(world.cloud.estate.shelf.find(Snapshot, begun.previous_id))

    came = verify_windows(begun)

    world.cloud.faults.verify_all_met()
    assert came == begun.without_difference()
    assert verify_windows(came).address == UNCHANGED
    world.assert_closed()


def test_every_list_of_a_large_disk_is_compared(world, newest, begun, monkeypatch):
    monkeypatch.setattr(verifications, "LISTED_BYTES", WINDOW_BYTES)
    whole = replace(begun, is_whole=True)
    assert verify_windows(whole).state is VerificationState.EQUAL
    world.tamper(newest, "web-os", UNCHANGED)
    assert verify_windows(whole).address == UNCHANGED


def test_a_seal_of_another_length_is_damage(world, begun):
    pages = begun.pages
    state = world.account.blob("replicas", pages.blob).page_blob.snapshots[pages.sealed]
    image = state.image.thaw_copy()
    image.resize(image.size_bytes + MIB)
    state.image = image.freeze_copy()
    came = verify_windows(begun)
    assert came.state is VerificationState.DAMAGED
    assert f"has {pages.length + MIB} bytes instead of {pages.length}" in came.reason


def test_one_batch_of_verifications_runs_at_a_time_and_the_others_wait(world, begun):
    with turn("another", "another disk", {"verifications": 1}):
        assert verify_windows(begun) == begun.waiting(world.clock.now())
    assert verify_windows(begun).state is VerificationState.EQUAL


def test_a_copy_of_the_same_disk_goes_first_for_a_while(world, begun):
    world.cloud.faults.fail("PUT", "/replicas/web-os.*comp=page", status=503, times=4)
    world.write("web", "os", b"third", offset=20 * MIB)
    world.back_up("web", timedelta(seconds=40))
    now = world.clock.now()
    assert verify_windows(begun) == begun.waiting(now)
    assert verify_windows(begun.waiting(now - GIVES_WAY)).state is VerificationState.EQUAL


def test_what_ends_on_another_day_is_verified_as_of_its_own(world, newest, begun):
    world.clock.advance(timedelta(days=2))
    record_verification(VerificationEnd(VerificationOrder(begun.copy.disk, VAULT, begun.equal())))
    assert world.copies_of(newest)["web-os"].verified.toordinal() == begun.day


def test_what_is_to_be_verified_is_listed_page_by_page_to_the_last_one(newest, monkeypatch):
    monkeypatch.setattr(verifications, "PAGE", 1)
    page = find_replicas_to_verify(VerificationLook())
    assert {order.disk for order in page.orders} == {part.disk.key for part in newest.disks}
    [vm] = cloud().catalogue.vms.page(after="", most=2)
    assert page.following == vm.key
    assert find_replicas_to_verify(VerificationLook(page.following)).orders == ()
