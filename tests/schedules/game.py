"""A schedule that is being played: the world, the checker's own records, and what has been asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.restore_points import PointState, ReplicaState, RestorePoint
from tests.schedules.hands import WHOLE, Hands
from tests.schedules.ledger import Ledger
from tests.schedules.mortal_world import KEEP, MortalWorld

AT_WORK = ("Pending", "Running", "ContinuedAsNew", "Suspended")
ACCEPTED = 202
GONE = (ReplicaState.EXPIRING, ReplicaState.DELETED)


@dataclass
class Game:
    """One world with its ledger.

    `seen` has every restore point that ever stood in the catalogue, as it was seen last; `asked` what each
    accepted restore was to bring back; `terminated` the instances that were ended from outside; `tampered`
    the points of which somebody has changed bytes in the vault.
    """

    world: MortalWorld
    ledger: Ledger = field(init=False)
    hands: Hands = field(init=False)
    seen: dict[str, RestorePoint] = field(default_factory=dict)
    asked: dict[str, RestorePoint] = field(default_factory=dict)
    terminated: int = 0
    tampered: set[str] = field(default_factory=set)
    orders: int = 0
    _pruned: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.world, self.world.cells)
        self.hands = Hands(self.world, self.ledger)
        for vm in self.world.machines:
            self.ledger.note_disks(vm)

    def add_vm(self, name: str, policy: str, disks: Iterable[str]) -> None:
        """Add a VM that a policy protects."""
        self.world.add_vm(name, dict.fromkeys(disks, b""), tags={"tidemark-policy": policy})
        self.ledger.note_disks(name)

    def look(self) -> list[RestorePoint]:
        """Read all restore points; raises AssertionError where one has become what it must not become."""
        everything = []
        for machine in self.world.machines.values():
            points = self.world.points_of(machine.id)
            everything += points
            begun = [point.id for point in points if point.state is PointState.BEGUN]
            assert len(begun) <= 1, f"several points are taken at a time: {begun}"
            for point in points:
                before = self.seen.get(point.id)
                assert before is None or not before.is_decided or before.state is point.state, (
                    f"{point.id} was {before.state}, and is {point.state} now"
                )
                assert point.state is not PointState.FAILED or point.failure, f"{point.id} failed without why"
                is_damaged = ReplicaState.DAMAGED in point.replicas.values()
                assert not is_damaged or point.id in self.tampered, f"{point.id} is called damaged"
                self.seen[point.id] = point
        self._check_slots()
        self._check_holds(everything)
        self._check_pruned(everything)
        return everything

    def _check_slots(self) -> None:
        taken: dict[tuple[str, datetime], str] = {}
        for point in self.seen.values():
            if point.is_available:
                other = taken.setdefault((point.vm.key, point.slot), point.id)
                assert other == point.id, f"{other} and {point.id} are both available"

    def _check_holds(self, points: list[RestorePoint]) -> None:
        """What is held by hand stays held and whole, and what is not held by hand is not held."""
        there = {point.id: point for point in points}
        for name, hold in self.ledger.holds.items():
            point = there.get(name)
            assert point is not None, f"{name} is held by hand, and is forgotten"
            for location in sorted(hold.locations):
                is_kept = name in self.tampered and point.replicas[location] is ReplicaState.DAMAGED
                is_whole = is_kept or point.replicas[location] in WHOLE
                is_whole = is_whole and location not in point.deletions
                assert is_whole, f"{name} is held by hand, and goes in {location}: {point.replicas[location]}"
        for point in points:
            hold_here = self.ledger.holds.get(point.id)
            told = hold_here.text if hold_here else None
            assert point.hold == told, f"the hold of {point.id} is {point.hold!r}; by hand it is {told!r}"

    def _check_pruned(self, points: list[RestorePoint]) -> None:
        """Only what is older than so many others that are, or were, whole in a location goes there.

        Those that somebody damaged were whole when it was decided.
        """
        were_whole = (*WHOLE, *GONE, ReplicaState.DAMAGED)
        for point in points:
            going = {
                place for place, state in point.replicas.items() if state in GONE or place in point.deletions
            }
            for location in going - self._pruned.get(point.id, set()):
                newer = [
                    other for other in self.seen.values()
                    if other.vm.key == point.vm.key
                    and (other.slot, other.attempt) > (point.slot, point.attempt)
                    and other.replicas.get(location) in were_whole
                ]  # fmt: skip
                assert len(newer) >= KEEP[location], (
                    f"{point.id} goes in {location}, and only {len(newer)} newer ones are there"
                )
            self._pruned[point.id] = going

    def ask(self, path: str, body: Mapping[str, Any]) -> str | None:
        """Ask for something; return the operation, or None where it was not accepted."""
        self.orders += 1
        key = {"Idempotency-Key": f"order {self.orders}"}
        answer = self.world.ask("POST", path, body, headers=key)
        return answer.body["id"] if answer.status == ACCEPTED else None

    def restore(self, point: RestorePoint, location: str, what: str) -> str | None:
        """Ask for a restore, and keep what it is to bring back."""
        order = {"restorePoint": point.id, "location": location, "what": what}
        if what == "vm":
            order["name"] = f"back-{self.orders}"
        operation = self.ask("restores", order)
        if operation:
            self.asked[operation] = point
        return operation

    def offered(self, location: str) -> list[RestorePoint]:
        """Return the points that can be restored from a location, oldest first."""
        points = [p for p in self.look() if p.replicas.get(location) is ReplicaState.AVAILABLE]
        return sorted(points, key=lambda point: point.id)

    def at_work(self, orchestrator: str | None = None) -> list[str]:
        """Return the instances that are not over, all or of one orchestrator."""
        return [
            status["instanceId"]
            for status in self.world.host.statuses()
            if status["runtimeStatus"] in AT_WORK and orchestrator in (None, status["name"])
        ]

    def terminate(self, orchestrator: str) -> None:
        """End an instance of an orchestrator that is at work, or another one, from outside."""
        for instance in (self.at_work(orchestrator) or self.at_work())[:1]:
            self.world.host.terminate(instance, "by hand")
            self.terminated += 1
        self.world.settle()
