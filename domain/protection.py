"""How well a VM is protected: one summary per VM, for an overview in one query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from domain.names import point_parts, vm_key
from domain.restore_points import PointState, ReplicaState, RestorePoint
from domain.vms import VirtualMachine


@dataclass(frozen=True)
class ProtectedVm:
    """One protected VM: its policy, its newest point, its newest available point per location.

    `newest_decided` is None while the newest point is being taken.
    """

    key: str
    id: str
    name: str
    region: str
    policy: str
    newest_point: str | None = None
    newest_state: PointState | None = None
    newest_decided: datetime | None = None
    newest_available: Mapping[str, str] = field(default_factory=dict)  # location → point
    last_failure: str | None = None

    @classmethod
    def of(cls, vm: VirtualMachine, policy: str) -> ProtectedVm:
        """Return the summary of a VM of which nothing is known yet."""
        return cls(vm.key, vm.id, vm.name, vm.region, policy)

    @classmethod
    def unseen(cls, vm_id: str, policy: str, region: str) -> ProtectedVm:
        """Return the summary of a VM that could not be looked at; it ought to be in `region`."""
        return cls(vm_key(vm_id), vm_id, vm_id.rsplit("/", 1)[-1], region, policy)

    def with_failure(self, point: str, reason: str, now: datetime) -> ProtectedVm:
        """Take in that a point failed before it could be begun."""
        if _is_newer(self.newest_point, point):
            return self
        failed = replace(self, newest_point=point, newest_state=PointState.FAILED, newest_decided=now)
        return replace(failed, last_failure=reason)

    @property
    def running(self) -> str | None:
        """The point that is being taken."""
        return self.newest_point if self.newest_state is PointState.BEGUN else None

    def achieved_rpo(self, now: datetime) -> dict[str, timedelta]:
        """Return, per location that holds an available point, how old the newest one's slot is."""
        return {place: now - point_parts(point)[1] for place, point in self.newest_available.items()}

    def with_point(self, point: RestorePoint) -> ProtectedVm:
        """Take in what became of a point."""
        available = dict(self.newest_available)
        for location, state in point.replicas.items():
            if state is ReplicaState.AVAILABLE and not _is_newer(available.get(location), point.id):
                available[location] = point.id
        is_old_news = self.newest_point == point.id and self.newest_decided and not point.is_decided
        if is_old_news or _is_newer(self.newest_point, point.id):
            return replace(self, newest_available=available)
        return replace(
            self,
            newest_point=point.id,
            newest_state=point.state,
            newest_decided=point.decided,
            newest_available=available,
            last_failure=None if point.is_available else point.failure or self.last_failure,
        )


def _is_newer(known: str | None, point: str) -> bool:
    return known is not None and point_parts(known)[1:] > point_parts(point)[1:]
