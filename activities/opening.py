"""Opening the snapshots that pages are read from, and closing them again: a part of steps, not a step.

Azure lets five snapshots of a disk be open at a time, and whoever has the address of an open one can read it.
So they are opened for one step, by whoever has the turn at the disk, and closed at its end. What a step that
died has left open ends by itself after minutes; whoever has the next turn, or settles the copy, closes it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import MappingProxyType

from domain.copies import Copy
from domain.copy_queues import Permit
from domain.errors import Refused
from domain.policy import SnapshotAccess
from domain.snapshots import Snapshot
from gateways.blob_access import Opened
from gateways.connection import cloud
from gateways.tables import Row

LASTS = timedelta(minutes=10)  # of a turn and of what is opened in it: ten times as long as a step
MOST_BATCHES = 3  # at a time, in all: each keeps a core busy
_log = logging.getLogger("tidemark.opening")
_NOTHING: Mapping[str, int] = MappingProxyType({})


@contextmanager
def turn(holder: str, disk: str, also: Mapping[str, int] = _NOTHING) -> Iterator[bool]:
    """Hold a place for a batch, and the turn at a disk; tells whether all of it was to be had.

    `also` names further pools, and how many places there are in each.
    """
    permits, now = cloud().catalogue.permits, cloud().now()
    permit = Permit(holder, now + LASTS)
    pools = {**also, "batches": MOST_BATCHES, f"turn~{disk}": 1}
    held: list[Row] = []
    try:
        for pool, most in pools.items():
            place = permits.take(pool, permit, now, most=most)
            if place is None:
                break
            held.append(place)
        yield len(held) == len(pools)
    finally:
        for taken in reversed(held):
            permits.give_back(taken)


def found_source(copy: Copy) -> Snapshot:
    """Return the snapshot that a copy is made of; raises Refused if it is gone, or another has its name.

    What state Azure tells of one that is open, or was just changed, is not documented: so none is asked for.
    """
    source = cloud().snapshots.find(copy.source_id)
    if source is None:
        raise Refused("CopySourceNotFound", f"snapshot {copy.source_id}, which is copied, is gone")
    if not source.is_known_as(copy.source_unique_id):
        another = f"snapshot {copy.source_id}, which is copied, is another one than was taken"
        raise Refused("CopySourceNotFound", f"{another}; what was made in its place is no backup")
    return source


@contextmanager
def opened(copy: Copy) -> Iterator[tuple[Opened, Opened | None]]:
    """Let the snapshot of a copy, and the one that its difference is taken against, be read for a while."""
    with opened_snapshots(copy.source_id, _base_id(copy)) as sources:
        yield sources


@contextmanager
def opened_snapshots(source_id: str, previous_id: str | None) -> Iterator[tuple[Opened, Opened | None]]:
    """Let a snapshot, and maybe an older one of its disk, be read for a while."""
    data = cloud().disk_data
    try:
        source = data.open(source_id, LASTS)
        yield source, data.open(previous_id, LASTS) if previous_id else None
    finally:
        try:
            _close(source_id)
        finally:
            if previous_id:
                _close(previous_id)


def close_sources(copy: Copy) -> None:
    """Let nobody read the snapshots of a copy any more."""
    _close(copy.source_id)
    if copy.pages and copy.pages.base:
        _close(copy.pages.base.snapshot_id)


def _close(snapshot_id: str) -> None:
    """Close a snapshot; the network access that it keeps is that of the location in whose group it is.

    Where Azure refuses that, what was read is right all the same, and the address ends by itself; that nobody
    can ask for another one is left to the next copy of the disk, which builds on this snapshot.
    """
    here = (
        location.snapshot_access
        for location in cloud().policies.locations.values()
        if snapshot_id.lower().startswith(f"{location.group_id.lower()}/")
    )
    try:
        cloud().disk_data.close(snapshot_id, next(here, SnapshotAccess.DENIED))
    except Refused as refused:
        _log.warning("snapshot %s stays open for %s at most: %s", snapshot_id, LASTS, refused)


def _base_id(copy: Copy) -> str | None:
    return copy.pages.base.snapshot_id if copy.pages and copy.pages.base else None
