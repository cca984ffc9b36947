"""How well a VM is protected: one summary per VM, for an overview in one query.

The summary also keeps two backups of a VM apart: whoever begins a point writes it here first, under the row's
ETag, and is refused while another point is being taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.errors import Busy
from domain.names import point_parts, vm_key
from domain.restore_points import PointState, ReplicaState, RestorePoint
from domain.vms import VirtualMachine


class Coverage(StrEnum):
    """How far a VM is protected; the fields of its summary say why it is not more."""

    PROTECTED = "protected"
    PARTLY = "partly"  # a disk is left out, the newest backup failed, or a location has not got its copy
    NOT = "not"  # nothing is taken of it now, or nothing has ever been


@dataclass(frozen=True)
class ProtectedVm:
    """One protected VM: its policy, its newest point, its newest available point per location.

    `first_slot` is the slot that a VM is due for that was never backed up. `problem` says why no new points
    are taken of it, `left_out` which of its disks are in none. `newest_decided` is None while the newest
    point is being taken; `newest_is_refused` says that another attempt at its slot would come to the same.
    `missed` counts the slots before the newest that nobody took. `recovery` names the
    locations that the newest point is meant for.
    """

    key: str
    id: str
    name: str
    region: str
    policy: str
    newest_point: str | None = None
    newest_state: PointState | None = None
    newest_decided: datetime | None = None
    newest_is_refused: bool = False
    newest_available: Mapping[str, str] = field(default_factory=dict)  # location → point
    last_failure: str | None = None
    first_slot: datetime | None = None
    problem: str | None = None
    problem_since: datetime | None = None
    left_out: tuple[str, ...] = ()
    missed: int = 0
    copy_failures: Mapping[str, str] = field(default_factory=dict)  # location → why its newest copy failed
    unsent: tuple[str, ...] = ()  # available points whose copies are not all in their queues yet
    recovery: tuple[str, ...] = ()
    damaged: Mapping[str, str] = field(default_factory=dict)  # location → newest point found damaged there

    @classmethod
    def of(cls, vm: VirtualMachine, policy: str) -> ProtectedVm:
        """Return the summary of a VM of which nothing is known yet."""
        return cls(vm.key, vm.id, vm.name, vm.region, policy)

    @classmethod
    def unseen(cls, vm_id: str, policy: str, region: str) -> ProtectedVm:
        """Return the summary of a VM that could not be looked at; it ought to be in `region`."""
        return cls(vm_key(vm_id), vm_id, vm_id.rsplit("/", 1)[-1], region, policy)

    @property
    def running(self) -> str | None:
        """The point that is being taken."""
        return self.newest_point if self.newest_state is PointState.BEGUN else None

    @property
    def coverage(self) -> Coverage:
        """How far it is protected."""
        if self.problem or not self.newest_available:
            return Coverage.NOT
        is_empty = not self.newest_available.keys() >= set(self.recovery)  # some location has none yet
        is_partly = is_empty or self.left_out or self.last_failure or self.copy_failures
        return Coverage.PARTLY if is_partly else Coverage.PROTECTED

    def beginning(self, point: str) -> ProtectedVm:
        """Return the summary with a point that is about to be taken; a repeat changes nothing.

        Raises Busy while another point is being taken, where the slot has an available point, and where a
        newer slot has been taken already: an older one taken after it would hold newer data than its slot
        says.
        """
        if self.running == point:
            return self
        if self.running:
            raise Busy(
                f"restore point {self.running} of VM '{self.name}' is being taken; ask again when it is done",
                operation=None,
                point=self.running,
            )
        if (
            self.newest_point
            and self.newest_state is PointState.AVAILABLE
            and _is_in_slot(self.newest_point, point)
        ):
            raise Busy(
                f"the slot of restore point {point} of VM '{self.name}' has {self.newest_point}, which is "
                "available; ask again in the next minute if another is wanted",
                operation=None,
                point=self.newest_point,
            )
        if _is_newer(self.newest_point, point):
            raise Busy(
                f"restore point {self.newest_point} of VM '{self.name}' was taken meanwhile, and it is newer",
                operation=None,
                point=self.newest_point,
            )
        begun = replace(self, newest_point=point, newest_state=PointState.BEGUN, newest_decided=None)
        return replace(begun, newest_is_refused=False)

    def with_failure(self, point: str, reason: str, now: datetime) -> ProtectedVm:
        """Take in that a point failed before it could be written down."""
        if self.running not in (None, point) or _is_newer(self.newest_point, point):
            return self
        failed = replace(self, newest_point=point, newest_state=PointState.FAILED, newest_decided=now)
        return replace(failed, newest_is_refused=False, last_failure=reason)

    def with_damage(self, point: str, location: str, fallback: str | None) -> ProtectedVm:
        """Take in that a point is damaged in a location; `fallback` is the newest that is available there."""
        available = {place: newest for place, newest in self.newest_available.items() if place != location}
        newest = self.newest_available.get(location)
        newest = fallback if newest == point else newest
        if newest:
            available[location] = newest
        told = replace(self, newest_available=available)
        if _is_newer(newest, point) or _is_newer(self.damaged.get(location), point):
            return told
        reason = f"restore point {point} is damaged in {location}"
        failures = {**self.copy_failures, location: reason}
        return replace(told, copy_failures=failures, damaged={**self.damaged, location: point})

    def sent(self, point: str) -> ProtectedVm:
        """Return the summary once all copies of a point are in their queues."""
        return replace(self, unsent=tuple(each for each in self.unsent if each != point))

    def achieved_rpo(self, now: datetime) -> dict[str, timedelta]:
        """Return, per location that holds an available point, how old the newest one's slot is."""
        return {place: now - point_parts(point)[1] for place, point in self.newest_available.items()}

    def with_point(self, point: RestorePoint) -> ProtectedVm:
        """Take in what became of a point."""
        told = replace(self, newest_available=self._available_with(point))
        told = replace(told, copy_failures=told._failures_with(point))
        is_old_news = self.newest_point == point.id and self.newest_decided and not point.is_decided
        if is_old_news or _is_newer(self.newest_point, point.id):
            return told
        is_unsent = point.is_available and point.recovery and self.newest_state is not PointState.AVAILABLE
        return replace(
            told,
            unsent=(*self.unsent, point.id) if is_unsent else self.unsent,
            newest_point=point.id,
            newest_state=point.state,
            newest_decided=point.decided,
            newest_is_refused=point.is_refused,
            last_failure=None if point.is_available else point.failure or self.last_failure,
            left_out=point.left_out,
            recovery=point.recovery,
        )

    def _available_with(self, point: RestorePoint) -> dict[str, str]:
        available = dict(self.newest_available)
        for location, state in point.replicas.items():
            if state is ReplicaState.AVAILABLE and not _is_newer(available.get(location), point.id):
                available[location] = point.id
        return available

    def _failures_with(self, point: RestorePoint) -> dict[str, str]:
        """A failed copy, or a damaged replica, is told until a newer point has arrived in its location."""
        failures = dict(self.copy_failures)
        for location, state in point.replicas.items():
            is_newest = not _is_newer(self.newest_available.get(location), point.id)
            if state is ReplicaState.FAILED and is_newest:
                failures[location] = f"restore point {point.id} did not arrive in {location}"
            elif self.newest_available.get(location) == point.id and not _is_newer(
                self.damaged.get(location), point.id
            ):
                failures.pop(location, None)
        return failures


def _is_in_slot(known: str, point: str) -> bool:
    return point_parts(known)[1] == point_parts(point)[1]


def _is_newer(known: str | None, point: str) -> bool:
    return known is not None and point_parts(known)[1:] > point_parts(point)[1:]
