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
from gateways.connection import cloud
from gateways.page_transfers import PageTransfer
from tests.activities.taken import take_a_point
from tests.paged_world import AT_ONCE, PagedWorld


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


def test_a_copy_that_is_over_leaves_nothing_open_that_a_dead_batch_has_opened(world, look):
    cloud().disk_data.open(look.copy.source_id, LASTS)
    over = cloud().catalogue.copies.alter(look.copy, lambda known: replace(known, state=CopyState.FAILED))
    settle(over, look.location)
    world.assert_closed()


def test_both_snapshots_are_closed_when_a_step_is_over_however_it_ends(world, look):
    other, disk = f"{look.copy.source_id}-2", world.machines["web"].disk("os")
    cloud().snapshots.begin(other, disk.id, cloud().policies.locations["west"], {})
    world.clock.advance(timedelta(minutes=1))
    with pytest.raises(MemoryError), opened_snapshots(other, look.copy.source_id):
        raise MemoryError
    world.assert_closed()
