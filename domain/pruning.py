"""What pruning has to do for one VM now: one decision, made from fresh books each time it is needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.leftovers import copy_leftovers, ended_imports, is_failure_to_clean, is_forgettable
from domain.policy import Policy
from domain.restore_points import ReplicaState
from domain.retention import VmBooks, decide, excess, is_past_grace, is_put_off


@dataclass(frozen=True)
class ReplicaName:
    """One replica: a point, and the location of its data."""

    point: str
    location: str


@dataclass(frozen=True)
class PrunePlan:
    """What is to be done for one VM.

    `keep` are expiring replicas that are kept again, `expire` available ones that no rule keeps, `delete`
    those past their grace, or whose deletion has begun and is not put off; `clean` are points with leftovers
    of failed attempts or of restores, `forget` points of which nothing is left. `stopped` says why no further
    replica expires or is deleted.
    """

    keep: tuple[ReplicaName, ...] = ()
    expire: tuple[ReplicaName, ...] = ()
    delete: tuple[ReplicaName, ...] = ()
    clean: tuple[str, ...] = ()
    forget: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do, and nothing to tell."""
        return self == PrunePlan()


def plan_pruning(books: VmBooks, policy: Policy | None, now: datetime) -> PrunePlan:
    """Say what is to be done for a VM.

    Where more would expire at once than the policy allows, nothing expires, and no deletion begins: one that
    has begun goes on.
    """
    points = {point.id: point for point in books.points}
    keep, expire, due = [], [], []
    for verdict in decide(books, policy):
        point, name = points[verdict.point], ReplicaName(verdict.point, verdict.location)
        is_expiring = point.replicas[verdict.location] is ReplicaState.EXPIRING
        if verdict.is_kept:
            keep += [name] if is_expiring else []
        elif not is_expiring:
            expire.append(name)
        elif is_past_grace(point, verdict.location, now):
            due.append(name)
    stopped = tuple(excess(books, policy))
    return PrunePlan(
        keep=tuple(keep),
        expire=() if stopped else tuple(expire),
        delete=(*_begun(books, now), *(() if stopped else due)),
        clean=tuple(
            point.id
            for point in books.points
            if is_failure_to_clean(point, now)
            or copy_leftovers(books, point, now)
            or ended_imports(point, now)
        ),
        forget=tuple(point.id for point in books.points if is_forgettable(books, point, now)),
        stopped=stopped,
    )


def _begun(books: VmBooks, now: datetime) -> list[ReplicaName]:
    return [
        ReplicaName(point.id, location)
        for point in books.points
        for location in point.deletions
        if point.replicas.get(location) is ReplicaState.EXPIRING and not is_put_off(point, location, now)
    ]
