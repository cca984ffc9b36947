"""What the books say at one moment, read once for all checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from domain.copies import Copy, CopyState
from domain.copy_queues import CopyQueue
from domain.leftovers import attempt_names, disk_keys
from domain.operations import Operation
from domain.protection import ProtectedVm
from domain.restore_points import ReplicaState, RestorePoint
from gateways.connection import cloud
from simulator.arm.resources import Resource
from simulator.arm.snapshot_model import Snapshot
from tests.schedules.game import Game
from tests.world import START

Kind = TypeVar("Kind", bound=Resource)

WHOLE = (ReplicaState.AVAILABLE, ReplicaState.EXPIRING)


@dataclass(frozen=True)
class Records:
    """All points, copies, queues, operations and VMs of the catalogue, and the snapshots that are there."""

    points: tuple[RestorePoint, ...]
    copies: tuple[Copy, ...]
    queues: tuple[CopyQueue, ...]
    operations: tuple[Operation, ...]
    vms: tuple[ProtectedVm, ...]
    snapshots: tuple[Snapshot, ...]

    @classmethod
    def read(cls, game: Game) -> Records:
        """Read everything; raises AssertionError where a point has become what it must not become."""
        catalogue, points = cloud().catalogue, game.look()
        sent_to = sorted({location for point in game.seen.values() for location in point.recovery})
        copies = [
            copy
            for disk in disk_keys(list(game.seen.values()))
            for location in sent_to
            for copy in catalogue.copies.of_disk(disk, location)
        ]
        return cls(
            tuple(points), tuple(copies), tuple(catalogue.copy_queues.all_open()),
            tuple(operations(game)), tuple(catalogue.vms.all()), tuple(resources(game, Snapshot)),
        )  # fmt: skip

    def point(self, name: str) -> RestorePoint | None:
        """Return a point by its id."""
        return next((point for point in self.points if point.id == name), None)

    def copies_of(self, point: RestorePoint, location: str) -> list[Copy]:
        """Return the copies of a point to a location."""
        return [copy for copy in self.copies if (copy.point, copy.location) == (point.id, location)]

    def needed_snapshots(self) -> set[str]:
        """The keys of the snapshots that must be there: those of every replica that is whole."""
        needed = set()
        for point in self.points:
            for location, state in point.replicas.items():
                if state in WHOLE and location not in point.deletions:
                    needed |= set(self._targets(point, location))
        return needed

    def bases(self) -> set[str]:
        """The keys of the newest copy that has arrived of each disk in each location.

        The next one builds on it: so it may be there for some days although another disk's has not arrived.
        """
        arrived = [copy for copy in self.copies if copy.state is CopyState.AVAILABLE and not copy.is_paged]
        newest = {
            (copy.disk, copy.location): copy for copy in sorted(arrived, key=lambda copy: copy.source_created)
        }
        places = cloud().policies.locations
        return {
            copy.target_id(places[copy.location]).lower() for copy in newest.values() if not copy.is_cleaned
        }

    def justified_snapshots(self) -> set[str]:
        """The keys of the snapshots that may be there while nothing is at work: those of points that are
        available at home, and of copies that have arrived, though another disk's has not.

        What is still open may have any of its snapshots.
        """
        justified = set()
        for point in self.points:
            if not point.is_decided or (point.is_available and point.replicas[point.home] in WHOLE):
                justified |= {part.snapshot_id.lower() for part in point.disks}
        for copy in self.copies:
            point_of_it = self.point(copy.point)
            state = point_of_it.replicas[copy.location] if point_of_it else ReplicaState.DELETED
            place = cloud().policies.locations[copy.location]
            if copy.state.is_open:
                names: tuple[str, ...] = attempt_names(copy, copy.attempt)
            else:
                is_there = copy.state == "available" and state is not ReplicaState.DELETED
                names = (copy.target_name,) if is_there else ()
            justified |= {copy.snapshot_id(name, place).lower() for name in names}
        return justified

    def _targets(self, point: RestorePoint, location: str) -> Iterator[str]:
        if location == point.home:
            yield from (part.snapshot_id.lower() for part in point.disks)
            return
        place = cloud().policies.locations[location]
        for copy in self.copies_of(point, location):
            if not copy.is_paged:
                yield copy.target_id(place).lower()


def operations(game: Game) -> list[Operation]:
    """Return all operations of the schedule."""
    days = (game.world.clock.now() - START).days + 2
    texts = [f"{START + timedelta(days=day):%Y%m%d}" for day in range(days)]
    return [operation for day in texts for operation in cloud().catalogue.operations.of_day(day)]


def resources(game: Game, kind: type[Kind]) -> list[Kind]:
    """Return what is in the cloud of one kind."""
    estate = game.world.cloud.estate
    with estate.lock:
        estate.timeline.settle()
        there = list(estate.shelf.under(f"/subscriptions/{game.world.subscription}/".lower()))
    return [resource for resource in there if isinstance(resource, kind)]
