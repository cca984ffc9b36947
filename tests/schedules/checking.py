"""What must be so when all troubles have ceased and days have passed: each function lists what is not so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import ContainerClient

from domain.copies import Copy, CopyState
from domain.manifests import manifest_name
from domain.names import vm_key
from domain.operations import Operation, OperationState
from domain.restore_points import PointState, ProtectedDisk, ReplicaState, RestorePoint
from gateways.connection import cloud
from local_host.determinism import check_history
from simulator.arm.disk_model import Disk
from simulator.arm.machine_model import VirtualMachine
from simulator.arm.network_models import NetworkInterface
from simulator.arm.resources import Resource
from simulator.arm.snapshot_model import Snapshot
from tests.books import recorded_snapshots
from tests.schedules.game import Game
from tests.schedules.ledger import CELL, CELLS
from tests.world import LOCATIONS, START

WHOLE = (ReplicaState.AVAILABLE, ReplicaState.EXPIRING)
OVER = (*WHOLE, ReplicaState.DELETED, ReplicaState.FAILED, ReplicaState.SKIPPED)


def open_things(game: Game) -> list[str]:
    """Say what is still under way."""
    catalogue = cloud().catalogue
    told = [f"copy queue {queue.partition} is open" for queue in catalogue.copy_queues.all_open()]
    told += [f"{vm.running} is being taken" for vm in catalogue.vms.all() if vm.running]
    told += [f"{each.kind} {each.id} is {each.state}" for each in operations(game) if not each.state.is_over]
    return told + [f"{instance} is at work" for instance in game.at_work()]


def operations(game: Game) -> list[Operation]:
    """Return all operations of the schedule."""
    days = (game.world.clock.now() - START).days + 2
    texts = [f"{START + timedelta(days=day):%Y%m%d}" for day in range(days)]
    return [operation for day in texts for operation in cloud().catalogue.operations.of_day(day)]


def faults(game: Game) -> list[str]:
    """Say everything that is not as it must be; empty if all is well."""
    points = game.look()
    told = [*open_things(game)]
    for check in (_points, _overview, _copies, _snapshots, _manifests, _restored, _histories):
        told += [f"{check.__name__.strip('_')}: {each}" for each in check(game, points)]
    return told


def _points(game: Game, points: list[RestorePoint]) -> Iterator[str]:
    """Every slot was taken or tried as often as is meant, and the newest is available everywhere."""
    for point in points:
        if point.state is PointState.BEGUN:
            yield f"{point.id} is begun"
        if point.uses:
            yield f"{point.id} is read by {sorted(point.uses)}"
        for location, state in point.replicas.items():
            if state not in OVER:
                yield f"{point.id} is {state} in {location}"
    for machine in game.world.machines.values():
        yield from _newest([point for point in points if point.vm.key == vm_key(machine.id)], game)
    yield from _tries(game)


def _newest(points: list[RestorePoint], game: Game) -> Iterator[str]:
    """A VM's newest slot is the last one that was due, and whole in all its locations."""
    newest = max(points, key=lambda point: (point.slot, point.attempt), default=None)
    if newest is None:
        yield "a VM has no restore point"
        return
    due = cloud().policies.policies[newest.policy].schedule.previous(game.world.clock.now())
    if due and newest.slot < due:
        yield f"slot {due} was not taken; the newest is {newest.id}"
    expected = dict.fromkeys((newest.home, *newest.recovery), ReplicaState.AVAILABLE)
    if dict(newest.replicas) != expected:
        yield f"the newest, {newest.id}, is {newest.state} ({newest.failure}) and {dict(newest.replicas)}"


def _tries(game: Game) -> Iterator[str]:
    """A slot is given up only after three attempts, or when a newer one is due."""
    slots: dict[tuple[str, str], list[RestorePoint]] = {}
    for point in game.seen.values():
        slots.setdefault((point.vm.key, f"{point.slot}"), []).append(point)
    newest = {vm: max(slot for other, slot in slots if other == vm) for vm, _ in slots}
    for (vm, slot), tried in slots.items():
        is_taken = any(point.is_available for point in tried)
        if not is_taken and len(tried) < 3 and slot == newest[vm]:
            yield f"slot {slot} of {vm} was given up after {len(tried)} attempts"


def _overview(game: Game, points: list[RestorePoint]) -> Iterator[str]:
    """The overview of each VM says what its points say."""
    for vm in cloud().catalogue.vms.all():
        own = [point for point in points if point.vm.key == vm.key]
        newest = max(own, key=lambda point: (point.slot, point.attempt), default=None)
        if newest and (vm.newest_point, vm.newest_state) != (newest.id, newest.state):
            yield f"{vm.key} names {vm.newest_point} ({vm.newest_state}) the newest, not {newest.id}"
        for location, told in vm.newest_available.items():
            there = [p for p in own if p.replicas.get(location) is ReplicaState.AVAILABLE]
            best = max(there, key=lambda point: (point.slot, point.attempt), default=None)
            if best is None or best.id != told:
                yield f"{vm.key} names {told} the newest in {location}, not {best.id if best else None}"


def _copies(game: Game, points: list[RestorePoint]) -> Iterator[str]:
    """Every copy is over and settled, its replica says the same, and no permit is left."""
    for point in points:
        for location in point.recovery if point.is_available else ():
            for copy in cloud().catalogue.copies.find(point, location):
                yield from _unsettled(copy, point.replicas[location])
    for place in cloud().policies.locations.values():
        for row in cloud().catalogue.permits.table.query(place.pool):
            yield f"permit {row.key} of {place.pool} is held: {row.document}"


def _unsettled(copy: Copy, state: ReplicaState) -> Iterator[str]:
    name = f"the copy of {copy.disk_name} of {copy.point} to {copy.location}"
    if copy.state.is_open or not copy.is_settled:
        yield f"{name} is {copy.state}, settled: {copy.is_settled}"
    if state in WHOLE and copy.state is not CopyState.AVAILABLE:
        yield f"{name} is {copy.state}, and its replica {state}"
    if copy.state is CopyState.FAILED and not copy.failure:
        yield f"{name} failed without saying why"


def _snapshots(game: Game, points: list[RestorePoint]) -> Iterator[str]:
    """The cloud has the snapshots that the books say are there, and no other; each has the right bytes."""
    vm_ids = [machine.id for machine in game.world.machines.values()]
    must_be = {snapshot for snapshot, is_sure in recorded_snapshots(vm_ids) if is_sure}
    there = {each.id.key: each for each in _resources(game, Snapshot)}
    yield from (f"{name} is there, and need not be" for name in sorted(there.keys() - must_be))
    yield from (f"{name} is not there" for name in sorted(must_be - there.keys()))
    for point in points:
        for part in point.disks if point.is_available else ():
            for name in must_be & there.keys() & _snapshots_of(point, part):
                content = game.world.cloud.snapshot_image(there[name].id.text).read(0, CELL * CELLS)
                told = game.ledger.differences(part.disk.name, part.snapshot.created, content)
                yield from (f"{name} {each}" for each in told)


def _snapshots_of(point: RestorePoint, part: ProtectedDisk) -> set[str]:
    """The snapshots of one disk of a point, at home and elsewhere."""
    names = {part.snapshot_id.lower()}
    for location in point.recovery:
        place = cloud().policies.locations[location]
        copies = cloud().catalogue.copies.find(point, location)
        names |= {
            place.snapshot_id(copy.target_name).lower() for copy in copies if copy.disk == part.disk.key
        }
    return names


def _manifests(game: Game, points: list[RestorePoint]) -> Iterator[str]:
    """Each location has a manifest of every replica that is whole, and no other."""
    for location in LOCATIONS:
        replicas = [point for point in points if point.replicas.get(location) in WHOLE]
        expected = {
            manifest_name(point.vm.key, point.id) for point in replicas if location not in point.deletions
        }
        account = game.world.manifests[location]
        with ContainerClient(
            account.blob_endpoint, "manifests", api_version="2021-12-02",
            credential=AzureNamedKeyCredential(account.name, account.key),
        ) as container:  # fmt: skip
            found = set(container.list_blob_names())
        yield from (f"{name} is in {location}, and need not be" for name in sorted(found - expected))
        yield from (f"{name} is not in {location}" for name in sorted(expected - found))


def _restored(game: Game, points: list[RestorePoint]) -> Iterator[str]:
    """Every operation says what it came to; what was restored has the right bytes, and is told of."""
    known, told_ids = operations(game), ""
    for operation in known:
        told_ids += f"{operation.outcome} {operation.failure}".lower()
        if operation.state is OperationState.FAILED and not operation.failure:
            yield f"{operation.kind} {operation.id} failed without saying why"
        if operation.kind == "restore" and operation.state is OperationState.SUCCEEDED:
            yield from _wrong_bytes(game, operation)
        if operation.kind == "backup":
            yield from _wrong_outcome(game, operation)
    for kind in (Disk, VirtualMachine, NetworkInterface):
        for made in _resources(game, kind):
            if "/restored-" in made.id.key and made.id.key not in told_ids:
                yield f"{made.id.key} was made, and no operation tells of it"


def _wrong_bytes(game: Game, operation: Operation) -> Iterator[str]:
    point = game.asked.get(operation.id)
    if point is None:
        return  # its caller was never told that it was accepted
    disks = operation.outcome["disks"]
    if len(disks) != len(point.disks):
        yield f"restore {operation.id} brought back {len(disks)} of {len(point.disks)} disks"
    for disk in disks:
        part = next(part for part in point.disks if part.disk.name == disk["sourceDisk"])
        content = game.world.cloud.disk(disk["id"]).image.read(0, CELL * CELLS)
        for told in game.ledger.differences(part.disk.name, part.snapshot.created, content):
            yield f"restore {operation.id} {told}"


def _wrong_outcome(game: Game, operation: Operation) -> Iterator[str]:
    taken = game.seen.get(operation.outcome.get("restorePoint", ""))
    if operation.state is OperationState.SUCCEEDED and not (taken and taken.is_available):
        yield f"backup {operation.id} succeeded, and its restore point is not available"
    if operation.state is OperationState.FAILED and taken and taken.is_available:
        yield f"backup {operation.id} failed, and its restore point {taken.id} is available"


def _histories(game: Game, points: list[RestorePoint]) -> Iterator[str]:
    """Every history replays, and nothing has ended by a fault of its own."""
    for status in game.world.host.statuses():
        problems = check_history(game.world.host.app, game.world.host.history(status["instanceId"]))
        yield from (f"{status['instanceId']}: {problem}" for problem in problems)
        if status["runtimeStatus"] not in ("Completed", "Terminated"):
            yield f"{status['instanceId']} is {status['runtimeStatus']}: {status['output']}"


def _resources(game: Game, kind: type[Resource]) -> list[Resource]:
    estate = game.world.cloud.estate
    with estate.lock:
        estate.timeline.settle()
        there = list(estate.shelf.under(f"/subscriptions/{game.world.subscription}/".lower()))
    return [resource for resource in there if isinstance(resource, kind)]
