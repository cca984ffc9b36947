"""The queues that copies wait in, and the permits that limit how many are made at a time.

Azure wants the snapshots of a disk copied in the order of their creation, one at a time, so each disk and
location has one queue, worked oldest first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.copies import Copy
from domain.names import copy_partition
from domain.policy import Backlog, Location

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
