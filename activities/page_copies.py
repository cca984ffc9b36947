"""The step that carries a copy by pages: one batch, which lasts less than a minute and may be repeated.

It opens the snapshots that it reads, lists what is to be written, writes it, records how far it came, and
closes the snapshots again. What an earlier batch has left open is closed by the next one, or when the copy is
settled.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import azure.durable_functions as df

from activities.settling import settle
from domain.copies import Copy, CopyState
from domain.copy_queues import CopyLook, Permit
from domain.errors import Absent, Refused, Transient
from domain.page_plans import plan_pages
from durable import activity
from gateways.blob_access import Opened
from gateways.connection import cloud
from gateways.page_lists import NO_DIFFERENCE

blueprint = df.Blueprint()

MOST_BATCHES = 3  # at a time, in all: each keeps a core busy
WINDOW_BYTES = 64 << 30  # of addresses that one batch lists
MOST_SECONDS = 40.0  # of writing in one batch
OPEN_FOR = timedelta(minutes=10)  # a batch that dies leaves nothing open for longer
TURN_LASTS = timedelta(minutes=10)
_log = logging.getLogger("tidemark.copies")


def begin_pages(copy: Copy, now: datetime, earlier: list[Copy]) -> Copy:
    """Plan a copy by pages, and see that there is a blob to write into; `earlier` are those of its queue.

    Raises Refused where there is nothing to copy, or the storage account takes no such blob.
    """
    connected = cloud()
    source = connected.snapshots.find(copy.source_id)
    if source is None or not source.is_usable:
        raise Refused("CopySourceNotFound", f"snapshot {copy.source_id}, which is to be copied, is gone")
    pages = copy.pages or plan_pages(copy, source, earlier, connected.snapshots.find)
    blob = connected.page_blobs.at(copy.container, pages.blob)
    if pages.base is None:
        blob.create(pages.length, _meaning(copy))
    elif pages.base.length != pages.length:
        blob.resize(pages.length)
    return copy.planned(pages, now)


@activity(blueprint)
def carry_pages(look: CopyLook) -> Copy:
    """Write more of a copy into its blob; seal it when all is written.

    Safe to repeat: the same bytes are written again, a blob that is sealed for this point is not sealed
    again, and a copy that is over, or that another worker has taken over, stays as it is.
    """
    copy = cloud().catalogue.copies.known(look.copy)
    if copy.state is not CopyState.COPYING:
        return settle(copy, look.location)
    if (copy.owner, copy.attempt) != (look.copy.owner, look.copy.attempt):
        return copy
    with _turn(copy) as is_ours:
        carried = _carried(copy) if is_ours else _recorded(copy, copy.kept_waiting(cloud().now()))
    return carried if carried.state.is_open else settle(carried, look.location)


@contextmanager
def _turn(copy: Copy) -> Iterator[bool]:
    """Hold one of the places for batches, and the turn at the disk: whether both were to be had."""
    permits, now = cloud().catalogue.permits, cloud().now()
    permit = Permit(copy.holder, now + TURN_LASTS, copy.attempt)
    place = permits.take("batches", permit, now, most=MOST_BATCHES)
    turn = permits.take(f"turn~{copy.disk}", permit, now, most=1) if place else None
    try:
        yield turn is not None
    finally:
        for taken in (turn, place):
            if taken:
                permits.give_back(taken)


def _carried(copy: Copy) -> Copy:
    """Do one batch, and record what came of it."""
    now = cloud().now()
    try:
        with opened(copy) as (source, previous):
            return _further(copy, source, previous)
    except Absent as absent:
        changed = copy.lost(str(absent), now)
    except Refused as refused:
        if refused.code == "AuthenticationFailed":  # the grant has ended; the next batch has its own
            raise Transient("AccessEnded", str(refused)) from refused
        is_undifferent = refused.code in NO_DIFFERENCE
        changed = (copy.without_difference if is_undifferent else copy.lost)(str(refused), now)
    except Transient as trouble:
        waiting = _recorded(cloud().catalogue.copies.known(copy), None)
        if waiting.kept_waiting(now).state is CopyState.COPYING:
            raise
        changed = waiting.kept_waiting(now)
        _log.warning("restore point %s: %s", copy.point, trouble)
    return _recorded(copy, changed)


@contextmanager
def opened(copy: Copy) -> Iterator[tuple[Opened, Opened | None]]:
    """Let the snapshot of a copy, and the one that its difference is taken against, be read for a while."""
    data, base = cloud().disk_data, copy.pages.base if copy.pages else None
    try:
        source = data.open(copy.source_id, OPEN_FOR)
        yield source, data.open(base.snapshot_id, OPEN_FOR) if base else None
    finally:
        close_all(copy)
