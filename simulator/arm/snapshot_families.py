"""Which snapshots belong together: those of one disk, and those of one disk's copies in one region.

A family is what Azure can take differences in. A copy in another region has a family of its own; that all
copies of one disk's snapshots in one region and subscription share that family is likely but not verified
(azure-semantics §2.2), and is the simulator's choice.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from simulator.arm.identifiers import UniqueIds

if TYPE_CHECKING:
    from simulator.arm.snapshot_model import Snapshot

LIMIT = 500
RATE, RATE_WINDOW = 7, timedelta(minutes=5)


@dataclass(eq=False)
class Family:
    """One family: the snapshots in it, and the copies that were made of them elsewhere."""

    id: str
    members: list[Snapshot] = field(default_factory=list)
    copies: list[Snapshot] = field(default_factory=list)
    taken: deque[datetime] = field(default_factory=deque)

    def is_full(self) -> bool:
        """Tell whether the disk has as many incremental snapshots as it can have."""
        return len(self.members) >= LIMIT

    def is_too_fast(self, now: datetime) -> bool:
        """Tell whether one more snapshot now would be more than seven within five minutes."""
        while self.taken and self.taken[0] <= now - RATE_WINDOW:
            self.taken.popleft()
        return len(self.taken) >= RATE

    def note_taken(self, now: datetime) -> None:
        self.taken.append(now)

    def running_copy(self) -> Snapshot | None:
        """Return the copy of one of these snapshots that is under way."""
        return next((copy for copy in self.copies if copy.is_copying), None)

    def copies_in(self, region: str, subscription: str) -> list[Snapshot]:
        """Return the usable or unfinished copies of these snapshots in a region and subscription."""
        where = (region, subscription.lower())
        return [
            copy
            for copy in self.copies
            if (copy.location, copy.id.subscription.lower()) == where
            and copy.copy_error is None
            and copy.provisioning_state != "Deleting"
        ]


class Families:
    """Every family, found by the disk whose snapshots it holds, or by the family that was copied and
    where to."""

    def __init__(self, unique_ids: UniqueIds) -> None:
        self._unique_ids = unique_ids
        self._families: dict[tuple[str, ...], Family] = {}

    def of_disk(self, disk_unique_id: str) -> Family:
        """Return the family of a disk's incremental snapshots."""
        return self._family(disk_unique_id)

    def of_copies(self, source: Family, region: str, subscription: str) -> Family:
        """Return the family of the copies of a family's snapshots in a region and subscription."""
        return self._family(source.id, region, subscription.lower())

    def _family(self, *key: str) -> Family:
        if key not in self._families:
            self._families[key] = Family(self._unique_ids.new())
        return self._families[key]
