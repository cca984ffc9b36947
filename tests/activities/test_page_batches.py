"""Batches of pages that come late, run beside another worker's, or died: recorded once, and closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from activities import batches
from activities.copies import Claim, CopyOrder, begin_next_copy, queue_copies
from activities.opening import LASTS, opened_snapshots
from activities.page_copies import carry_pages
from activities.settling import settle
from activities.verifications import begin_verification, verify_windows
from domain.copies import GIVEN_UP, STALLED, CopyState
from domain.copy_queues import CopyLook, CopyQueue
from domain.errors import Transient
from domain.manifests import recovery_manifest
from domain.page_copies import PageBase
from domain.restore_points import ReplicaState
from domain.verifications import VerificationOrder, VerificationState
from gateways.catalogue import Copies
from gateways.connection import cloud
from gateways.page_blobs import PageBlob
from gateways.page_transfers import PageTransfer
from simulator.arm.snapshot_model import Snapshot
from tests.activities.taken import take_a_point
from tests.paged_world import VAULT
from tests.world import MIB


@pytest.fixture
def world(paged):
    return paged


@pytest.fixture
def look(world):
    """A look at a copy to the vault that a worker has begun; nothing of it is written."""
    recovery = cloud().policies.policies["paged"].recovery
    [queue] = queue_copies(CopyOrder(take_a_point(world, "paged"), recovery))
    begun = begin_next_copy(Claim(queue, "a worker")).copy
    return CopyLook(begun, queue.location)


def another_has(copy):
    """Let another worker have a copy."""
    return cloud().catalogue.copies.alter(copy, lambda known: replace(known, owner="another"))


def test_a_worker_that_has_lost_its_copy_writes_nothing(world, look):
    theirs = another_has(look.copy)
    assert carry_pages(look) == theirs
    [blob] = world.replicas().values()
    assert list(blob.page_blob.base.page_ranges(0, blob.length)) == []
    world.assert_closed()


def test_what_a_slow_worker_wrote_is_not_recorded_over_what_another_one_has(world, look, monkeypatch):
    def run(transfer, *asked, usual=PageTransfer.run, **more):
        another_has(look.copy)
        return usual(transfer, *asked, **more)

    monkeypatch.setattr(PageTransfer, "run", run)
    carry_pages(look)
    known = cloud().catalogue.copies.known(look.copy)
    assert (known.state, known.owner, known.pages.reached) == (CopyState.COPYING, "another", 0)
    monkeypatch.undo()
    assert carry_pages(CopyLook(known, look.location)).state is CopyState.AVAILABLE
    world.assert_closed()


def test_what_was_written_before_a_failure_need_not_be_written_again(world, look, monkeypatch):
    def write(blob, start, length, source, usual=PageBlob.put_from_url):
        if start:
            raise Transient("ServerBusy", "the service takes no more")
        return usual(blob, start, length, source)

    monkeypatch.setattr(PageBlob, "put_from_url", write)
    with pytest.raises(Transient, match="no more"):
        carry_pages(look)
    assert cloud().catalogue.copies.known(look.copy).pages.reached == 512
    world.assert_closed()


def test_what_was_read_counts_although_its_source_cannot_be_closed(world, look, caplog):
    world.cloud.faults.fail("POST", "/endGetAccess", status=403, times=2)  # by the batch, and at the end
    assert carry_pages(look).state is CopyState.AVAILABLE
    world.cloud.faults.verify_all_met()
    assert caplog.text.count("stays open for 0:10:00 at most") == 2


def carried(queue):
    """Carry the next copy of a queue to its end; return the state of the replica then."""
    copy = carry_pages(CopyLook(begin_next_copy(Claim(queue, "a worker")).copy, queue.location))
    assert copy.state is CopyState.AVAILABLE
    return cloud().catalogue.restore_points.find(copy.point).replicas[VAULT]


def test_a_replica_is_not_available_while_only_some_of_its_copies_are_queued(world, monkeypatch):
    def plan(copies, copy, usual=Copies.plan):
        if copy.disk_name == "web-data":
            raise Transient("ConnectionFailed", "whoever queues them dies in between")
        usual(copies, copy)

    recovery = cloud().policies.policies["paged"].recovery
    order = CopyOrder(take_a_point(world, "paged", data=b"first"), recovery)
    monkeypatch.setattr(Copies, "plan", plan)
    with pytest.raises(Transient, match="dies in between"):
        queue_copies(order)
    [queue] = cloud().catalogue.copy_queues.all_open()
    assert carried(queue) is ReplicaState.WAITING

    monkeypatch.undo()
    _, other = queue_copies(order)
    assert carried(other) is ReplicaState.AVAILABLE


def test_a_replica_whose_manifest_is_refused_has_failed_although_all_its_bytes_are_there(world, look):
    point = cloud().catalogue.restore_points.find(look.copy.point)
    another = recovery_manifest(point, look.location, [replace(look.copy, state=CopyState.AVAILABLE)])
    cloud().manifests.write(another, look.location)
    copy = carry_pages(look)
    assert "says something else" in copy.failure
    assert cloud().catalogue.restore_points.find(point.id).replicas[VAULT] is ReplicaState.FAILED
    assert VAULT not in cloud().catalogue.vms.find(point.vm.key).newest_available


@pytest.fixture
def other(world, look):
    """Another snapshot of the disk."""
    snapshot_id, disk = f"{look.copy.source_id}-2", world.machines["web"].disk("os")
    cloud().snapshots.begin(snapshot_id, disk.id, cloud().policies.locations["west"], {})
    world.clock.advance(timedelta(minutes=1))
    return snapshot_id


def test_a_copy_that_is_over_leaves_nothing_open_that_a_dead_batch_has_opened(world, look, other):
    for snapshot_id in (look.copy.source_id, other):
        cloud().disk_data.open(snapshot_id, LASTS)
    pages = replace(look.copy.pages, base=PageBase("a point", other, "a time", look.copy.pages.length))
    over = replace(look.copy, state=CopyState.FAILED, pages=pages)
    settle(cloud().catalogue.copies.alter(look.copy, lambda known: over), look.location)
    world.assert_closed()


def test_both_snapshots_are_closed_when_a_step_is_over_however_it_ends(world, look, other):
    with pytest.raises(MemoryError), opened_snapshots(other, look.copy.source_id):
        raise MemoryError
    world.assert_closed()


def begun_again(look):
    """Let a worker begin its copy again, as it does when its history has grown long."""
    return begin_next_copy(Claim(CopyQueue(look.copy.disk, look.location), look.copy.owner)).copy


def make_another_of_its_name(world, look):
    """Let somebody delete the snapshot that is copied, and make another one under its name."""
    with world.cloud.estate.lock:
        source = world.cloud.estate.shelf.find(Snapshot, look.copy.source_id)
        source.unique_id = world.cloud.estate.unique_ids.new()


def test_a_blob_that_is_gone_in_the_middle_of_a_copy_is_not_made_again_without_what_was_in_it(world, look):
    half = replace(look.copy.pages, reached=look.copy.pages.length // 1024 * 512)
    cloud().catalogue.copies.alter(look.copy, lambda known: replace(known, pages=half))
    with world.cloud.estate.lock:
        del world.account.resource.containers["replicas"].blobs[look.copy.pages.blob]
    copy = carry_pages(CopyLook(begun_again(look), look.location))
    assert (copy.state, copy.attempt, copy.pages) == (CopyState.WAITING, 2, None)
    assert "does not exist" in copy.failure
    world.assert_closed()


@pytest.mark.parametrize("are_many", [True, False], ids=["before the last batch", "before it is sealed"])
def test_a_blob_that_has_gone_back_behind_what_is_recorded_is_not_sealed(world, monkeypatch, are_many):
    world.add_vm("web", {"os": b"system"})
    for place in (5, 17, 40):
        world.write("web", "os", b"more", offset=place * MIB)
    recovery = cloud().policies.policies["paged"].recovery
    [queue] = queue_copies(CopyOrder(take_a_point(world, "paged"), recovery))
    copy = begin_next_copy(Claim(queue, "a worker")).copy
    state = world.account.blob("replicas", copy.pages.blob).page_blob.base
    before = replace(state, image=state.image.thaw_copy())
    with monkeypatch.context() as patch:
        if are_many:
            patch.setattr(batches, "MOST_SECONDS", -1)
        else:
            world.cloud.faults.fail("PUT", "comp=snapshot", status=503)
        try:
            copy = carry_pages(CopyLook(copy, queue.location))
        except Transient:
            copy = cloud().catalogue.copies.known(copy)
    assert (copy.pages.reached > 0, copy.pages.is_written) == (True, not are_many)
    # The account fails over to another region, which has not received all that was written.
    world.account.blob("replicas", copy.pages.blob).page_blob.base = before
    copy = carry_pages(CopyLook(copy, queue.location))
    assert (copy.state, copy.attempt) == (CopyState.WAITING, 2)
    assert "has gone back" in copy.failure
    world.assert_closed()


def test_a_snapshot_that_is_made_again_in_the_middle_of_a_copy_is_not_copied(world, look):
    make_another_of_its_name(world, look)
    copy = carry_pages(look)
    assert (copy.state, copy.attempt) == (CopyState.WAITING, 2)
    assert "is another one than was taken" in copy.failure
    world.assert_closed()


def test_a_replica_is_not_damaged_because_its_source_is_made_again_while_it_is_verified(world, look):
    copy = carry_pages(look)
    begun = begin_verification(VerificationOrder(copy.disk, copy.location))
    make_another_of_its_name(world, look)
    world.write("web", "os", b"another")
    came = verify_windows(begun)
    assert came.state is VerificationState.UNKNOWN
    assert "is another one" in came.reason
    world.assert_closed()


def test_a_replica_that_is_pruned_while_it_is_verified_is_not_damaged(world, look):
    copy = carry_pages(look)
    begun = begin_verification(VerificationOrder(copy.disk, copy.location))
    now = world.clock.now()
    cloud().catalogue.restore_points.alter(copy.point, lambda known: replace(known, deletions={VAULT: now}))
    cloud().page_blob_deletions.blobs.at(copy.container, copy.pages.blob).remove(copy.pages.sealed)
    came = verify_windows(begun)
    assert came.state is VerificationState.UNKNOWN
    assert "is being deleted" in came.reason


def test_what_is_sealed_when_home_is_lost_is_available_all_the_same(world, look, monkeypatch):
    def seal(blob, metadata, usual=PageBlob.seal):
        sealed = usual(blob, metadata)
        world.cloud.faults.fail("POST", "/endGetAccess", status=503, times=20)
        return sealed

    monkeypatch.setattr(PageBlob, "seal", seal)
    with pytest.raises(Transient):
        carry_pages(look)
    point = cloud().catalogue.restore_points.find(look.copy.point)
    assert point.replicas[VAULT] is ReplicaState.AVAILABLE
    assert cloud().manifests.read(point.vm.key, point.id, look.location).point == point.id


def test_the_manifest_goes_where_the_policy_file_has_it_when_the_copy_is_complete(world, look):
    nowhere = replace(look.location, manifests=f"{look.location.manifests}-before")
    carry_pages(CopyLook(look.copy, nowhere))
    point = cloud().catalogue.restore_points.find(look.copy.point)
    assert point.replicas[VAULT] is ReplicaState.AVAILABLE
    assert cloud().manifests.read(point.vm.key, point.id, look.location).point == point.id


def test_access_that_never_lasts_is_told_and_given_up_like_silence(world, look, caplog):
    world.cloud.faults.fail("PUT", "/replicas/", status=403, code="AuthenticationFailed", times=100)
    waited = timedelta(0)
    while waited < GIVEN_UP:
        with pytest.raises(Transient):
            carry_pages(look)
        assert ("copy_stalled" in caplog.text) is (waited >= STALLED)
        world.clock.advance(timedelta(hours=3))
        waited += timedelta(hours=3)
    copy = carry_pages(look)
    assert (copy.state, copy.attempt) == (CopyState.WAITING, 2)
    world.assert_closed()


def test_a_copy_that_was_planned_while_its_base_was_found_damaged_is_made_whole(world, look, monkeypatch):
    first = carry_pages(look)
    world.clock.advance(timedelta(hours=1))
    recovery = cloud().policies.policies["paged"].recovery
    [queue] = queue_copies(CopyOrder(take_a_point(world, "paged", slot=world.clock.now()), recovery))

    def length(blob, snapshot="", usual=PageBlob.length):  # asked when the plan is made and not yet recorded
        cloud().catalogue.copies.alter(first, lambda known: replace(known, is_damaged=True, damaged_at=0))
        return usual(blob, snapshot)

    monkeypatch.setattr(PageBlob, "length", length)
    begun = begin_next_copy(Claim(queue, "a worker")).copy
    assert begun.pages.base.point == first.point
    copy = carry_pages(CopyLook(begun, look.location))
    assert (copy.state, copy.attempt, copy.pages) == (CopyState.WAITING, 1, None)
    assert copy.whole_because == f"the replica of {first.point} is damaged"
    again = begin_next_copy(Claim(queue, "a worker")).copy
    assert carry_pages(CopyLook(again, look.location)).state is CopyState.AVAILABLE
    assert len(world.replicas()) == 2
    world.assert_closed()
