"""Retention: which replicas of a VM are kept, and why; which expire.

Deleting is two-phase. A replica that no rule keeps is `expiring` for some time: it is not offered any more,
and comes back if a rule keeps it again. After that its deletion is recorded as begun, and never turned back;
then its snapshots go, then its manifest, then it is `deleted`. A manifest that Azure keeps immutable for some
time puts the end off: until then the replica stays `expiring`, though its snapshots are gone.

The rules know nothing of the clock: the same points, holds and copies lead to the same decision at any hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from domain.copies import Copy
from domain.policy import Policy
from domain.restore_points import ReplicaState, RestorePoint

# Long enough that a policy changed by mistake on one working day is noticed before anything is gone.
GRACE = timedelta(days=1)
# Nobody tells the app how long an immutable manifest stays, so it asks now and then: immutability lasts days.
PUT_OFF = timedelta(days=1)

_ON_THE_WAY = (ReplicaState.WAITING, ReplicaState.COPYING)


@dataclass(frozen=True)
class VmBooks:
    """What the catalogue says of one VM: its points, newest first, and the copies of their disks."""

    vm: str
    points: tuple[RestorePoint, ...]
    copies: tuple[Copy, ...] = ()

    def copies_of(self, point: str) -> list[Copy]:
        """The copies of a point's disks, to every location."""
        return self._by_point.get(point, [])

    @cached_property
    def _by_point(self) -> dict[str, list[Copy]]:
        found: dict[str, list[Copy]] = {}
        for copy in self.copies:
            found.setdefault(copy.point, []).append(copy)
        return found

    @property
    def locations(self) -> tuple[str, ...]:
        """Every location that a point of the VM was ever in, or is meant for."""
        return tuple(dict.fromkeys(location for point in self.points for location in point.replicas))


@dataclass(frozen=True)
class Shelf:
    """The replicas of a VM in one location that may be kept or expire, newest first."""

    location: str
    points: tuple[RestorePoint, ...]
    books: VmBooks
    policy: Policy | None

    @property
    def available(self) -> list[RestorePoint]:
        """Those that are offered for restores."""
        return [point for point in self.points if point.replicas[self.location] is ReplicaState.AVAILABLE]

    @property
    def home(self) -> list[RestorePoint]:
        """Those that are the source of their points' copies."""
        return [point for point in self.points if point.home == self.location]


@dataclass(frozen=True)
class Verdict:
    """Whether a replica is kept. `because` has every reason; without one it expires."""

    point: str
    location: str
    because: tuple[str, ...]

    @property
    def is_kept(self) -> bool:
        """Whether any rule keeps it."""
        return bool(self.because)


Reasons = Iterator[tuple[RestorePoint, str]]
Rule = Callable[[Shelf], Reasons]


def _last(shelf: Shelf) -> Reasons:
    count = shelf.policy.keep_last.get(shelf.location) if shelf.policy else None
    for place, point in enumerate(shelf.points[:count], start=1):
        yield point, f"number {place} of the last {count}" if count is not None else _no_rule(shelf)


def _no_rule(shelf: Shelf) -> str:
    if shelf.policy is None:
        return "the VM's policy is not in the policy file"
    return f"policy '{shelf.policy.name}' does not say how many points {shelf.location} keeps"


def _newest(shelf: Shelf) -> Reasons:
    """The last one of a location stays, whatever happens, and what is copied next builds on it.

    Newest by slot and by the moment taken: a late backup of an old slot holds newer data.
    """
    for point in {point.id: point for point in (shelf.points[0], max(shelf.points, key=_moment))}.values():
        yield point, f"the newest in {shelf.location}"


def _held(shelf: Shelf) -> Reasons:
    for point in shelf.points:
        if point.hold:
            yield point, f"held: {point.hold}"


def _read(shelf: Shelf) -> Reasons:
    for point in shelf.points:
        if point.uses:
            yield point, f"read by {', '.join(point.uses)}"


def _copied(shelf: Shelf) -> Reasons:
    """Azure fails a copy whose source is deleted before it is complete."""
    for point in shelf.home:
        under_way = {place for place, state in point.replicas.items() if state in _ON_THE_WAY}
        copies = shelf.books.copies_of(point.id)
        under_way |= {copy.location for copy in copies if copy.state.is_open}
        if under_way:
            yield point, f"on its way to {', '.join(sorted(under_way))}"


def _base(shelf: Shelf) -> Reasons:
    """A difference needs both its ends: the newest snapshot that has arrived must be there at home too."""
    used = {location.name for location in shelf.policy.recovery} if shelf.policy else set()
    for location in sorted(used - {shelf.location}):
        arrived = next((point for point in shelf.books.points if may_be_kept(point, location)), None)
        if arrived and any(point.id == arrived.id for point in shelf.home):
            yield arrived, f"the next copy to {location} builds on it"


RULES: tuple[Rule, ...] = (_last, _newest, _held, _read, _copied, _base)


def decide(books: VmBooks, policy: Policy | None) -> list[Verdict]:
    """Say of every replica of a VM that is there, and whose deletion has not begun, whether it is kept."""
    return [verdict for shelf in shelves(books, policy) for verdict in _verdicts(shelf)]


def shelves(books: VmBooks, policy: Policy | None) -> list[Shelf]:
    """Return what each location holds."""
    made = []
    for location in books.locations:
        points = tuple(point for point in books.points if may_be_kept(point, location))
        if points:
            made.append(Shelf(location, points, books, policy))
    return made


def excess(books: VmBooks, policy: Policy | None) -> list[str]:
    """Say where more would expire at once than the policy allows, in words; nothing expires then.

    A single replica may always expire: of two, one is half.
    """
    told = []
    for shelf in shelves(books, policy):
        kept = {verdict.point for verdict in _verdicts(shelf) if verdict.is_kept}
        fresh = [point for point in shelf.available if point.id not in kept]
        count = len(kept) + len(fresh)  # what is kept again counts as if it were so already
        if policy and len(fresh) > 1 and len(fresh) > policy.most_pruned * count:
            told.append(
                f"{len(fresh)} of {count} restore points in {shelf.location} would expire at "
                f"once, and policy '{policy.name}' allows {policy.most_pruned:.0%}; if that is meant, raise "
                "its most_pruned_percent until they are gone, else raise its keep_last or hold what must stay"
            )
    return told


def may_be_kept(point: RestorePoint, location: str) -> bool:
    """Whether a point has a replica in a location that is whole and whose deletion has not begun."""
    is_there = point.replicas.get(location) in (ReplicaState.AVAILABLE, ReplicaState.EXPIRING)
    return is_there and location not in point.deletions


def is_offered(point: RestorePoint, location: str) -> bool:
    """Whether a point can be restored from a location."""
    return point.replicas.get(location) is ReplicaState.AVAILABLE


# What becomes of one replica. Each returns None where there is nothing to change.


def expiring(point: RestorePoint, location: str, now: datetime) -> RestorePoint | None:
    """Return the point with an available replica that expires from now on; a held or read one stays."""
    if not is_offered(point, location) or point.hold or point.uses:
        return None
    return _with(point, location, ReplicaState.EXPIRING, {**point.expires, location: now + GRACE})


def kept_again(point: RestorePoint, location: str) -> RestorePoint | None:
    """Return the point with an expiring replica that is kept after all, unless its deletion has begun."""
    if point.replicas.get(location) is not ReplicaState.EXPIRING or location in point.deletions:
        return None
    left = {place: moment for place, moment in point.expires.items() if place != location}
    return _with(point, location, ReplicaState.AVAILABLE, left)


def deleting(point: RestorePoint, location: str, now: datetime) -> RestorePoint | None:
    """Return the point with the deletion of a replica begun: from here on nothing brings it back."""
    is_due = is_past_grace(point, location, now) and not point.hold and not point.uses
    if not is_due or location in point.deletions:
        return None
    return replace(point, deletions={**point.deletions, location: now})


def put_off(point: RestorePoint, location: str, now: datetime) -> RestorePoint:
    """Return the point with the rest of a deletion put off, because its manifest is immutable still."""
    return replace(point, put_off={**point.put_off, location: now + PUT_OFF})


def is_put_off(point: RestorePoint, location: str, now: datetime) -> bool:
    """Whether a deletion waits for its manifest, and is not to be tried now."""
    until = point.put_off.get(location)
    return until is not None and now < until


def deleted(point: RestorePoint, location: str) -> RestorePoint | None:
    """Return the point with a replica gone whose deletion has begun."""
    if location not in point.deletions or point.replicas.get(location) is ReplicaState.DELETED:
        return None
    left = {place: moment for place, moment in point.expires.items() if place != location}
    waiting = {place: moment for place, moment in point.put_off.items() if place != location}
    return replace(_with(point, location, ReplicaState.DELETED, left), put_off=waiting)


def held(point: RestorePoint, reason: str) -> RestorePoint:
    """Return the point with a hold; its expiring replicas are kept again at once."""
    kept = point
    for location in point.replicas:
        kept = kept_again(kept, location) or kept
    return replace(kept, hold=reason)


def is_past_grace(point: RestorePoint, location: str, now: datetime) -> bool:
    """Whether an expiring replica has been so for long enough."""
    until = point.expires.get(location)
    is_expiring = point.replicas.get(location) is ReplicaState.EXPIRING
    return is_expiring and until is not None and now >= until


def _with(
    point: RestorePoint, location: str, state: ReplicaState, expires: Mapping[str, datetime]
) -> RestorePoint:
    return replace(point, replicas={**point.replicas, location: state}, expires=expires)


def _verdicts(shelf: Shelf) -> list[Verdict]:
    reasons: dict[str, list[str]] = {point.id: [] for point in shelf.points}
    for rule in RULES:
        for point, reason in rule(shelf):
            reasons[point.id].append(reason)
    return [Verdict(point.id, shelf.location, tuple(reasons[point.id])) for point in shelf.points]


def _moment(point: RestorePoint) -> datetime:
    return point.taken or point.slot


def newest_offered(points: Sequence[RestorePoint]) -> RestorePoint | None:
    """Return the newest point that can be restored from anywhere; the points come newest first."""
    return next((point for point in points if ReplicaState.AVAILABLE in point.replicas.values()), None)
