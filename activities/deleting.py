"""Deleting what replicas and failed attempts consist of: parts of the steps of pruning."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from domain.errors import Refused
from domain.policy import Location
from domain.restore_points import RestorePoint
from domain.retention import put_off
from domain.stored import Stored, StoredSnapshot
from gateways.connection import cloud

_log = logging.getLogger("tidemark.retention")


@dataclass(frozen=True)
class Deletion:
    """How far a deletion is: over, or to be looked at again; and what Azure refused."""

    is_over: bool
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """Whether something is still there, and what Azure refused."""

    is_open: bool
    refusals: tuple[str, ...] = ()

    def and_also(self, other: Progress) -> Progress:
        """Return the progress of both."""
        return Progress(self.is_open or other.is_open, (*self.refusals, *other.refusals))


def delete_all(point: str, things: Iterable[Stored]) -> Progress:
    """Ask for the deletion of all; one that Azure refuses keeps the others from nothing."""
    is_open, refusals = False, []
    for each in things:
        try:
            is_open |= not _is_gone(each, point)
        except Refused as refused:
            is_open = True
            refusals.append(str(refused))
    return Progress(is_open, tuple(refusals))


def _is_gone(stored: Stored, point: str) -> bool:
    if isinstance(stored, StoredSnapshot):
        return cloud().deletions.delete_snapshot(stored.id, point)
    return cloud().page_blob_deletions.delete(stored, point)


def unknown_location(location: str) -> str:
    """Say that nothing can be deleted in a location that the policy file does not know."""
    return (
        f"location '{location}' is not in the policy file any more, so nobody knows where its snapshots are; "
        "put it back until they are deleted"
    )


def is_manifest_gone(point: RestorePoint, location: Location) -> bool:
    """Delete a replica's manifest; while it is immutable, put off what is left to be done."""
    connected = cloud()
    if connected.deletions.delete_manifest(point.vm.key, point.id, location):
        return True
    now = connected.now()
    connected.catalogue.restore_points.alter(point.id, lambda known: put_off(known, location.name, now))
    _log.info(
        "restore point %s has left its manifest in %s, which is immutable still", point.id, location.name
    )
    return False
