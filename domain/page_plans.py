"""What a copy by pages builds on: the newest replica that Azure can tell a difference to, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.copies import Copy, CopyState
from domain.page_copies import PageBase, PageProgress
from domain.snapshots import Snapshot
from domain.vhd import blob_bytes

# Azure gives no difference between two snapshots of which one alone is larger (azure-semantics.md §5).
RESIZE_BOUNDARY_BYTES = 4 << 40


def plan_pages(
    copy: Copy, source: Snapshot, queue: Sequence[Copy], find: Callable[[str], Snapshot | None]
) -> PageProgress:
    """Plan the pages of a copy; `queue` has all copies of its disk there, `find` looks a snapshot up.

    Raises ValueError if the source does not tell its size.
    """
    if source.size_bytes is None:
        raise ValueError(f"snapshot {source.id} does not tell its size")
    length = blob_bytes(source.size_bytes)
    arrived = [other for other in queue if other.state is CopyState.AVAILABLE and other.pages]
    newest = arrived[-1] if arrived else None
    why_whole = copy.whole_because or _damage(newest, arrived) or _why_whole(source, newest, find)
    if why_whole or newest is None or newest.pages is None:
        return PageProgress(copy.target_name, length, f"{copy.point} {copy.disk}", why_whole=why_whole or "")
    base = PageBase(newest.point, newest.source_id, newest.pages.sealed, newest.pages.length)
    return PageProgress(newest.pages.blob, length, f"{copy.point} {copy.disk} {newest.pages.link}", base)


def _damage(newest: Copy | None, arrived: Sequence[Copy]) -> str | None:
    """Say what is damaged in the blob of the newest replica: what is wrong there every newer one has, too."""
    blob = newest.pages.blob if newest and newest.pages else None
    damaged = [other for other in arrived if other.is_damaged and other.pages and other.pages.blob == blob]
    return f"the replica of {damaged[-1].point} is damaged" if damaged else None


def _why_whole(source: Snapshot, newest: Copy | None, find: Callable[[str], Snapshot | None]) -> str | None:
    """Say why a difference cannot be had, or None where it can."""
    if newest is None:
        return "it is the first of its disk there"
    previous = find(newest.source_id)
    if previous is None or not previous.is_usable or previous.size_bytes is None:
        return f"the snapshot of {newest.point} at home is gone"
    if not previous.is_known_as(newest.source_unique_id):  # what changed before it was made would be missing
        return f"the snapshot of {newest.point} at home is another one than was copied"
    if previous.family_id is None or previous.family_id != source.family_id:
        return f"the snapshot of {newest.point} is of another family"
    size_bytes = source.size_bytes or 0
    if previous.size_bytes <= RESIZE_BOUNDARY_BYTES < size_bytes:
        return f"the disk has grown across 4 TiB since {newest.point}, and Azure gives no difference there"
    if previous.size_bytes > size_bytes:
        return f"the disk was larger when {newest.point} was taken"
    return None
