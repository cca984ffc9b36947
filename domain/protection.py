"""How well a VM is protected: one summary per VM, for an overview in one query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.names import point_parts
from domain.restore_points import PointState, ReplicaState, RestorePoint


@dataclass(frozen=True)
class ProtectedVm:
    """One protected VM: its policy, its newest slot and available points, its last failure."""

    key: str
    id: str
    name: str
    region: str
    policy: str
    seen: datetime  # when it was first seen under protection; slots before that are nobody's fault
    newest_slot: datetime | None = None
    running: str | None = None  # the point that is being taken
    newest_available: Mapping[str, str] = field(default_factory=dict)  # location → point
    last_failure: str | None = None

    def with_point(self, point: RestorePoint) -> ProtectedVm:
        """Take in what became of a point."""
        newest_slot = max(self.newest_slot or point.slot, point.slot)
        running = point.id if point.state is PointState.BEGUN else None
        if self.running and self.running != point.id:
            running = self.running  # another point's news
        available = dict(self.newest_available)
        for location, state in point.replicas.items():
            known = available.get(location)
            if state is ReplicaState.AVAILABLE and (known is None or _age(known) < _age(point.id)):
                available[location] = point.id
        return replace(
            self,
            newest_slot=newest_slot,
            running=running,
            newest_available=available,
            last_failure=point.failure
            if point.state is PointState.FAILED
            else self._remaining_failure(point),
        )

    def _remaining_failure(self, point: RestorePoint) -> str | None:
        # A success at the newest slot ends what went wrong before it.
        is_newest = self.newest_slot is None or point.slot >= self.newest_slot
        return None if point.state is PointState.AVAILABLE and is_newest else self.last_failure


def _age(point: str) -> tuple[datetime, int]:
    _, slot, attempt = point_parts(point)
    return slot, attempt
