"""Opening the snapshots that pages are read from, and closing them again: a part of steps, not a step.

Azure lets five snapshots of a disk be open at a time, and whoever has the address of an open one can read it.
So they are opened for one step, by whoever has the turn at the disk, and closed at its end. What a step that
died has left open ends by itself after minutes; whoever has the next turn, or settles the copy, closes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from domain.copies import Copy
from domain.copy_queues import Permit
from domain.policy import SnapshotAccess
from gateways.blob_access import Opened
from gateways.connection import cloud

LASTS = timedelta(minutes=10)  # of a turn and of what is opened in it: ten times as long as a step
MOST_BATCHES = 3  # at a time, in all: each keeps a core busy


@contextmanager
def turn(holder: str, disk: str) -> Iterator[bool]:
    """Hold a place for a batch, and the turn at a disk; tells whether both were to be had."""
    permits, now = cloud().catalogue.permits, cloud().now()
    permit = Permit(holder, now + LASTS)
    place = permits.take("batches", permit, now, most=MOST_BATCHES)
    held = permits.take(f"turn~{disk}", permit, now, most=1) if place else None
    try:
        yield held is not None
    finally:
        for taken in (held, place):
            if taken:
                permits.give_back(taken)


@contextmanager
def opened(copy: Copy) -> Iterator[tuple[Opened, Opened | None]]:
    """Let the snapshot of a copy, and the one that its difference is taken against, be read for a while."""
    data, base = cloud().disk_data, copy.pages.base if copy.pages else None
    try:
        source = data.open(copy.source_id, LASTS)
        yield source, data.open(base.snapshot_id, LASTS) if base else None
    finally:
        close_sources(copy)


def close_sources(copy: Copy) -> None:
    """Let nobody read the snapshots of a copy any more."""
    _close(copy.source_id)
    if copy.pages and copy.pages.base:
        _close(copy.pages.base.snapshot_id)


def _close(snapshot_id: str) -> None:
    """Close a snapshot; the network access that it keeps is that of the location in whose group it is."""
    here = (
        location.snapshot_access
        for location in cloud().policies.locations.values()
        if snapshot_id.lower().startswith(f"{location.group_id.lower()}/")
    )
    cloud().disk_data.close(snapshot_id, next(here, SnapshotAccess.DENIED))
