"""Batches of pages that come late, run beside another worker's, or died: recorded once, and closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from activities.copies import Claim, CopyOrder, begin_next_copy, queue_copies
from activities.opening import LASTS, opened_snapshots
from activities.page_copies import carry_pages
from activities.settling import settle
from domain.copies import CopyState
from domain.copy_queues import CopyLook
from domain.errors import Transient
from domain.manifests import recovery_manifest
from domain.page_copies import PageBase
from domain.restore_points import ReplicaState
from gateways.catalogue import Copies
from gateways.connection import cloud
from gateways.page_blobs import PageBlob
from gateways.page_transfers import PageTransfer
from tests.activities.taken import take_a_point
from tests.paged_world import AT_ONCE, VAULT, PagedWorld


@pytest.fixture
def world(tmp_path, accounts):
    made = PagedWorld(tmp_path, accounts, tempo=AT_ONCE, has_timers=False)
    try:
        yield made
    finally:
        made.close()


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
