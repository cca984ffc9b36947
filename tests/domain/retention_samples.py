"""Books of a VM for tests of retention."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from domain.copies import Copy
from domain.policy import Policy
from domain.restore_points import ReplicaState, RestorePoint
from domain.retention import VmBooks
from tests.domain.samples import DAILY, SLOT, available_point

AVAILABLE, EXPIRING = ReplicaState.AVAILABLE, ReplicaState.EXPIRING
FREE = replace(DAILY, most_pruned=1.0)  # expires as much as it likes at once


def points(count: int, **replicas: ReplicaState) -> list[RestorePoint]:
    """So many daily points, newest first, whole at home and in the north unless told otherwise."""
    state = {"west": AVAILABLE, "north": AVAILABLE, **replicas}
    taken = [available_point(slot=SLOT + timedelta(days=day)) for day in range(count)]
    return [replace(point, replicas=state) for point in reversed(taken)]


def books(known: Sequence[RestorePoint], copies: Iterable[Copy] = ()) -> VmBooks:
    """The books of a VM with these points and copies."""
    return VmBooks(known[0].vm.key if known else "web-0123456789ab", tuple(known), tuple(copies))


def keeping(west: int = 7, north: int = 30, **more: Any) -> Policy:
    """A policy that keeps so many in each location."""
    return replace(FREE, keep_last={"west": west, "north": north}, **more)
