"""Leftovers: what failed attempts have left in Azure, so that it can be deleted and not be looked for again.

Every name is known: a point plans its snapshots before they exist, and a copy's names follow from its
attempts. A failed creation may leave a snapshot in the state Failed behind (azure-semantics §5): one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.copies import MOST_ATTEMPTS, Copy, CopyState
from domain.restore_points import PointState, ReplicaState, RestorePoint
from domain.retention import VmBooks, is_put_off, may_be_kept, newest_offered

# A step that was given up may still be at work somewhere, and make what it was asked for: steps last minutes.
QUIET = timedelta(hours=1)
FAILURES_TOLD = timedelta(days=7)  # a failed point or replica stays to be looked into

_LOST = (ReplicaState.FAILED, ReplicaState.SKIPPED, ReplicaState.DAMAGED)
_OVER = (ReplicaState.DELETED, *_LOST)


@dataclass(frozen=True)
class CopyLeftovers:
    """What the attempts of a copy have left in its location, by name: snapshots or page blobs.

    `is_all` says whether there will be no more, so that it need not be looked at again.
    """

    copy: Copy
    names: tuple[str, ...]
    is_all: bool


def is_failure_to_clean(point: RestorePoint, now: datetime) -> bool:
    """Whether a failed point may have left snapshots at home that nobody has looked for yet."""
    is_quiet = point.decided is not None and now >= point.decided + QUIET
    is_open = point.state is PointState.FAILED and not point.is_cleaned
    return is_open and is_quiet and not is_put_off(point, point.home, now)


def copy_leftovers(books: VmBooks, point: RestorePoint, now: datetime) -> list[CopyLeftovers]:
    """Return what the copies of a point have left behind.

    What belongs to a replica that is there, or whose deletion has begun, is none of it.
    """
    found = (_leftovers(books, point, copy, now) for copy in books.copies_of(point.id))
    return [left for left in found if left]


def _leftovers(books: VmBooks, point: RestorePoint, copy: Copy, now: datetime) -> CopyLeftovers | None:
    state = point.replicas.get(copy.location)
    if copy.is_cleaned or state is ReplicaState.DELETED or copy.location in point.deletions:
        return None
    failed = attempt_names(copy, copy.attempt - 1)
    if copy.state.is_open:
        # A failed attempt of it that Azure still works on keeps the next one from beginning.
        return CopyLeftovers(copy, failed, is_all=False) if failed else None
    if copy.renewed is not None and now < copy.renewed + QUIET:
        return None
    every = attempt_names(copy, copy.attempt)
    if copy.state is not CopyState.AVAILABLE:
        return CopyLeftovers(copy, every, is_all=True)
    if _is_useless(books, point, copy, now):
        return CopyLeftovers(copy, every, is_all=True)
    is_all = state is ReplicaState.AVAILABLE or state is ReplicaState.EXPIRING
    return CopyLeftovers(copy, failed, is_all) if failed or copy.earlier_blobs else None


def ended_imports(point: RestorePoint, now: datetime) -> list[str]:
    """Return the restores that are over and may have left the blobs that they imported disks from."""
    return [by for by, left in point.imports.items() if by not in point.uses and now >= left.since + QUIET]


def _is_useless(books: VmBooks, point: RestorePoint, copy: Copy, now: datetime) -> bool:
    """Whether a copy that has arrived is of a replica that is not offered, and nothing will build on it.

    The next copy of its disk builds on it, until a newer one has arrived; but where none comes, as of a VM
    that was deleted, it is not kept for ever. A damaged replica is, as nobody may have another one.
    """
    state = point.replicas.get(copy.location)
    if state is ReplicaState.DAMAGED:
        is_wanted = point.hold or point.uses or is_put_off(point, copy.location, now)
        return not is_wanted and _is_overtaken(books, point, copy.location)
    if state not in _LOST:
        return False
    is_old = point.decided is not None and now >= point.decided + FAILURES_TOLD
    return is_old or _is_overtaken(books, point, copy.location) or _has_successor(books, copy)


def _has_successor(books: VmBooks, copy: Copy) -> bool:
    """Whether a newer copy of the same disk has arrived in the same location."""
    return any(
        (other.disk, other.location) == (copy.disk, copy.location)
        and other.state is CopyState.AVAILABLE
        and not other.is_cleaned
        and other.source_created > copy.source_created
        for other in books.copies
    )


def attempt_names(copy: Copy, attempts: int) -> tuple[str, ...]:
    """Return the names of what the first attempts of a copy make."""
    return tuple(replace(copy, attempt=number).target_name for number in range(1, attempts + 1))


def replica_names(
    books: VmBooks, point: RestorePoint, location: str
) -> Iterator[tuple[Copy, tuple[str, ...]]]:
    """Yield each copy that a point may have in a recovery location, with the names of what its attempts made.

    Where a copy's row is lost, every name that it can have had.
    """
    known = {copy.disk: copy for copy in books.copies_of(point.id) if copy.location == location}
    for part in point.disks:
        found = known.get(part.disk.key)
        copy = found or Copy.of(point, part, location)
        yield copy, attempt_names(copy, found.attempt if found else MOST_ATTEMPTS)


def is_forgettable(books: VmBooks, point: RestorePoint, now: datetime) -> bool:
    """Whether nothing of a point is left in Azure, so that its rows only make looking things up slower."""
    if point.hold or point.uses or point.imports:
        return False
    if point.state is PointState.FAILED:
        is_old = point.decided is not None and now >= point.decided + FAILURES_TOLD
        return point.is_cleaned and is_old and _is_older(point, newest_offered(books.points))
    if not point.is_available or not all(state in _OVER for state in point.replicas.values()):
        return False
    copies = [copy for copy in books.copies if copy.point == point.id]
    return all(
        copy.is_cleaned for copy in copies if point.replicas.get(copy.location) in _LOST or copy.state.is_open
    )


def _is_overtaken(books: VmBooks, point: RestorePoint, location: str) -> bool:
    """Whether the next copy of the VM's disks to a location builds on a newer point than this one."""
    arrived = [other for other in books.points if may_be_kept(other, location)]
    return _is_older(point, arrived[0] if arrived else None)


def _is_older(point: RestorePoint, other: RestorePoint | None) -> bool:
    return other is not None and (point.slot, point.attempt) < (other.slot, other.attempt)


def disk_keys(points: Sequence[RestorePoint]) -> list[str]:
    """Return the keys of all disks that were ever protected, for their copies are filed under them."""
    return list(dict.fromkeys(part.disk.key for point in points for part in point.disks))
