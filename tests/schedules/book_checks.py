"""What the books must say after days of calm."""

from __future__ import annotations

from collections.abc import Iterator

from domain.copies import Copy, CopyState
from domain.names import vm_key
from domain.restore_points import PointState, ReplicaState, RestorePoint
from gateways.connection import cloud
from tests.schedules.game import Game
from tests.schedules.mortal_world import KEEP
from tests.schedules.records import WHOLE, Records

OVER = (*WHOLE, ReplicaState.DELETED, ReplicaState.DAMAGED, ReplicaState.FAILED, ReplicaState.SKIPPED)


def points(game: Game, records: Records) -> Iterator[str]:
    """Every slot was taken or tried as often as is meant, and the newest is available everywhere."""
    for point in records.points:
        if point.state is PointState.BEGUN:
            yield f"{point.id} is begun"
        if point.uses:
            yield f"{point.id} is read by {sorted(point.uses)}"
        for location, state in point.replicas.items():
            if state not in OVER:
                yield f"{point.id} is {state} in {location}"
    for name, machine in game.world.machines.items():
        own = [point for point in records.points if point.vm.key == vm_key(machine.id)]
        yield from _gone(name, own, game, records) if name in game.ledger.gone else _newest(own, game)
    yield from _tries(game)
    yield from _disks(game)


def _newest(own: list[RestorePoint], game: Game) -> Iterator[str]:
    """A VM's newest slot is the last one that was due, and whole in all its locations."""
    newest = max(own, key=_age, default=None)
    if newest is None:
        yield "a VM has no restore point"
        return
    due = cloud().policies.policies[newest.policy].schedule.previous(game.world.clock.now())
    if due and newest.slot < due:
        yield f"slot {due} was not taken; the newest is {newest.id}"
    expected = dict.fromkeys((newest.home, *newest.recovery), ReplicaState.AVAILABLE)
    if dict(newest.replicas) != expected:
        yield f"the newest, {newest.id}, is {newest.state} ({newest.failure}) and {dict(newest.replicas)}"


def _gone(vm: str, own: list[RestorePoint], game: Game, records: Records) -> Iterator[str]:
    """A VM that was deleted keeps its newest point, is told to be gone, and nothing is taken of it since."""
    deleted = game.ledger.gone[vm]
    yield from (f"{each.id} was taken of a VM that is gone" for each in own if each.slot > deleted)
    newest = max((each for each in own if each.is_available), key=_age, default=None)
    if newest and newest.replicas[newest.home] is not ReplicaState.AVAILABLE:
        yield f"{newest.id}, the last point of a VM that is gone, is {newest.replicas[newest.home]} at home"
    key = vm_key(game.world.machines[vm].id)
    for known in records.vms:
        if known.key == key and not known.problem:
            yield f"{key} is gone, and the overview does not say so"


def _tries(game: Game) -> Iterator[str]:
    """A slot is given up only after three attempts, or when a newer one is due, or the VM is gone."""
    gone = {vm_key(game.world.machines[vm].id) for vm in game.ledger.gone}
    slots: dict[tuple[str, str], list[RestorePoint]] = {}
    for point in game.seen.values():
        slots.setdefault((point.vm.key, f"{point.slot}"), []).append(point)
    newest = {vm: max(slot for other, slot in slots if other == vm) for vm, _ in slots}
    for (vm, slot), tried in slots.items():
        is_taken = vm in gone or any(point.is_available for point in tried)
        if not is_taken and len(tried) < 3 and slot == newest[vm]:
            yield f"slot {slot} of {vm} was given up after {len(tried)} attempts"


def _disks(game: Game) -> Iterator[str]:
    """A point has the disks that its VM had at some moment while it was taken: all, and no other."""
    names = {vm_key(machine.id): name for name, machine in game.world.machines.items()}
    for point in game.seen.values():
        ids = frozenset(part.disk.unique_id for part in point.disks)
        if not point.is_available or point.decided is None:
            continue
        if not game.ledger.had_disks(names[point.vm.key], ids, point.slot, point.decided):
            told = sorted(part.disk.name for part in point.disks)
            yield f"{point.id} has disks that its VM did not have at any moment since its slot: {told}"


def overview(game: Game, records: Records) -> Iterator[str]:
    """The overview of each VM says what its points say."""
    for vm in records.vms:
        own = [point for point in records.points if point.vm.key == vm.key]
        newest = max(own, key=_age, default=None)
        if newest and (vm.newest_point, vm.newest_state) != (newest.id, newest.state):
            yield from _unfounded(game, records, newest, vm.newest_point)
        for location, told in vm.newest_available.items():
            there = [p for p in own if p.replicas.get(location) is ReplicaState.AVAILABLE]
            best = max(there, key=_age, default=None)
            if best is None or best.id != told:
                yield f"{vm.key} names {told} the newest in {location}, not {best.id if best else None}"


def _unfounded(game: Game, records: Records, newest: RestorePoint, told: str | None) -> Iterator[str]:
    """A slot of a VM that was gone before it was described has failed without a point."""
    gone = {vm_key(game.world.machines[vm].id) for vm in game.ledger.gone}
    if newest.vm.key not in gone or told is None or told <= newest.id:
        yield f"{newest.vm.key} names {told} the newest, not {newest.id}"


def copies(game: Game, records: Records) -> Iterator[str]:
    """Every copy is over and settled and made once, and its replica says the same."""
    for copy in records.copies:
        point = records.point(copy.point)
        if point is None:
            yield f"the copy of {copy.disk_name} of {copy.point} to {copy.location} is of a forgotten point"
        else:
            yield from _unsettled(copy, point.replicas[copy.location])
    for point in records.points:
        for location in point.recovery if point.is_available else ():
            if len(records.copies_of(point, location)) != len(point.disks):
                yield f"{point.id} has {len(records.copies_of(point, location))} copies to {location}"
    yield from game.world.copy_log.wrong


def permits(_: Game, __: Records) -> Iterator[str]:
    """No permit is left; a pause may be, until the next copy asks for a permit."""
    for place in cloud().policies.locations.values():
        for row in cloud().catalogue.permits.table.query(place.pool):
            if row.key != "pause":
                yield f"permit {row.key} of {place.pool} is held: {row.document}"


def _unsettled(copy: Copy, state: ReplicaState) -> Iterator[str]:
    name = f"the copy of {copy.disk_name} of {copy.point} to {copy.location}"
    if copy.state.is_open or not copy.is_settled:
        yield f"{name} is {copy.state}, settled: {copy.is_settled}"
    if state in WHOLE and copy.state is not CopyState.AVAILABLE:
        yield f"{name} is {copy.state}, and its replica {state}"
    if copy.state is CopyState.FAILED and not copy.failure:
        yield f"{name} failed without saying why"


def retention(game: Game, records: Records) -> Iterator[str]:
    """A location offers as many points of a VM as it is to keep, and what is held; all others expire."""
    for machine in game.world.machines.values():
        own = [point for point in records.points if point.vm.key == vm_key(machine.id)]
        for location, keep in KEEP.items():
            whole = sorted(
                (p for p in own if p.replicas.get(location) in WHOLE and location not in p.deletions),
                key=_age, reverse=True,
            )  # fmt: skip
            latest = max(whole, key=lambda point: point.taken or point.slot, default=None)
            for place, point in enumerate(whole):
                is_kept = (
                    place < keep or point is latest or bool(point.hold) or _is_base(point, location, own)
                )
                is_offered = point.replicas[location] is ReplicaState.AVAILABLE
                if is_kept and not is_offered:
                    yield f"{point.id} is number {place + 1} in {location}, hold {point.hold!r}, and expires"
                if is_offered and not is_kept:
                    yield f"{point.id} is number {place + 1} in {location}, where {keep} are kept"


def _is_base(point: RestorePoint, location: str, own: list[RestorePoint]) -> bool:
    """Whether the next copy to a recovery location builds on it."""
    for other in point.recovery if location == point.home else ():
        arrived = [each for each in own if each.replicas.get(other) in WHOLE and other not in each.deletions]
        if max(arrived, key=_age, default=None) is point:
            return True
    return False


def _age(point: RestorePoint) -> tuple[object, int]:
    return point.slot, point.attempt
