"""The queues that copies wait in, and the permits that limit how many are made at a time.

Azure wants the snapshots of a disk copied in the order of their creation, one at a time, so each disk and
location has one queue, worked oldest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.copies import Copy, CopyState
from domain.names import copy_partition
from domain.policy import Backlog, Location, Method

MOST_COPIES = 100  # at a time, per subscription and region: Azure's limit
PERMIT_LASTS = timedelta(hours=12)  # renewed every few hours


@dataclass(frozen=True)
class CopyQueue:
    """The copies of one disk to one location, and what becomes of those that wait behind another one."""

    disk: str
    location: Location
    backlog: Backlog = Backlog.EVERY

    @property
    def partition(self) -> str:
        """The partition of its copies in the catalogue."""
        return copy_partition(self.disk, self.location.name)

    @property
    def instance(self) -> str:
        """The id of the orchestration that works it."""
        return f"copy:{self.disk}:{self.location.name}"


@dataclass(frozen=True)
class CopyWork:
    """What a worker is started with: its queue, and its name once it has one."""

    queue: CopyQueue
    worker: str | None = None


@dataclass(frozen=True)
class Permit:
    """One of the places that there are in a pool, and who holds it.

    Pools are the copies that Azure makes at a time per subscription and region, the batches of pages that the
    app writes at a time, and of each disk the turn to open its snapshots. `attempt` is the newest of the
    holder's attempts that it was taken for.
    """

    holder: str
    expires: datetime
    attempt: int = 1


@dataclass(frozen=True)
class CopyLook:
    """Which copy to look at, or to carry on, on its way to which location."""

    copy: Copy
    location: Location


def to_skip(copies: Sequence[Copy], backlog: Backlog) -> dict[str, str]:
    """Say which copies of a queue, oldest first, are not to be made: row key → reason.

    Azure takes the snapshots of a disk in the order of their creation only, so one that is older than one
    that has arrived would be refused for ever.
    """
    reasons = {}
    newest = max(
        (place for place, copy in enumerate(copies) if copy.state is CopyState.AVAILABLE), default=-1
    )
    for copy in copies[: newest + 1]:
        if copy.state.is_open:
            point = copies[newest].point
            reasons[copy.row_key] = f"overtaken: restore point {point} has arrived, and it is newer"
    waiting = [copy for copy in copies[newest + 1 :] if copy.state is CopyState.WAITING]
    if backlog is Backlog.NEWEST:
        for copy in waiting[:-1]:
            reason = f"the policy sends only the newest of those that wait, {waiting[-1].point}"
            reasons[copy.row_key] = reason
    return reasons


def queued_for(copy: Copy, location: Location) -> Copy:
    """Return a copy with the place that its data goes to, which it keeps whatever the policies say later."""
    container = location.pages if location.method is Method.PAGES else ""
    return replace(copy, group_id=location.group_id, container=container)
