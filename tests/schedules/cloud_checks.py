"""What must be in the cloud and in the manifests after days of calm, and what must not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import ContainerClient

from domain.manifests import manifest_name
from domain.operations import Operation, OperationState
from domain.restore_points import ProtectedDisk, ReplicaState, RestorePoint
from gateways.connection import cloud
from simulator.arm.disk_model import Disk
from simulator.arm.machine_model import VirtualMachine
from simulator.arm.network_models import NetworkInterface
from tests.schedules.game import Game
from tests.schedules.records import WHOLE, Records, resources


def snapshots(game: Game, records: Records) -> Iterator[str]:
    """The cloud has the snapshots that the books say are there, and no other; each has the right bytes."""
    needed = records.needed_snapshots()
    there = {each.id.key: each for each in records.snapshots}
    left = there.keys() - needed - records.bases()
    yield from (f"{name} is there, and need not be" for name in sorted(left))
    yield from (f"{name} is not there" for name in sorted(needed - there.keys()))
    for point in records.points:
        for part in point.disks if point.is_available else ():
            for name in needed & there.keys() & _snapshots_of(records, point, part):
                image = game.world.cloud.snapshot_image(there[name].id.text)
                yield from (f"{name} {each}" for each in differences(game, part, image.read))


def _snapshots_of(records: Records, point: RestorePoint, part: ProtectedDisk) -> set[str]:
    """The snapshots of one disk of a point, at home and elsewhere."""
    names = {part.snapshot_id.lower()}
    for location in point.recovery:
        place = cloud().policies.locations[location]
        names |= {
            copy.target_id(place).lower()
            for copy in records.copies_of(point, location)
            if copy.disk == part.disk.key
        }
    return names


def differences(game: Game, part: ProtectedDisk, read: Callable[[int, int], bytes]) -> list[str]:
    """Say in what a copy of a point's disk, as it is read, is not what was on the disk."""
    snapshot = part.snapshot
    if snapshot is None or snapshot.created is None:
        return [f"has no moment for disk {part.disk.name}"]
    return game.ledger.differences(part.disk.unique_id, snapshot.created, read)


def manifests(game: Game, records: Records) -> Iterator[str]:
    """Each location has a manifest of every replica that is whole, and no other."""
    for location, account in game.world.manifests.items():
        replicas = [point for point in records.points if point.replicas.get(location) in WHOLE]
        expected = {
            manifest_name(point.vm.key, point.id) for point in replicas if location not in point.deletions
        }
        with ContainerClient(
            account.blob_endpoint, "manifests", api_version="2021-12-02",
            credential=AzureNamedKeyCredential(account.name, account.key),
        ) as container:  # fmt: skip
            found = set(container.list_blob_names())
        damaged = [point for point in records.points if point.replicas.get(location) is ReplicaState.DAMAGED]
        wanted = {
            manifest_name(point.vm.key, point.id)
            for point in damaged
            if point.hold or not _has_newer(point, replicas)
        }
        yield from (f"{name} is in {location}, and need not be" for name in sorted(found - expected - wanted))
        yield from (f"{name} is not in {location}" for name in sorted(expected - found))


def _has_newer(point: RestorePoint, others: Iterable[RestorePoint]) -> bool:
    """Whether a VM has a newer one among others; else a damaged replica is kept: nobody may have another."""
    place = (point.slot, point.attempt)
    return any(other.vm.key == point.vm.key and (other.slot, other.attempt) > place for other in others)


def restored(game: Game, records: Records) -> Iterator[str]:
    """Every operation says what it came to; what was restored has the right bytes, and is told of."""
    told_ids = ""
    for operation in records.operations:
        told_ids += f"{operation.outcome} {operation.failure}".lower()
        if operation.state is OperationState.FAILED and not operation.failure:
            yield f"{operation.kind} {operation.id} failed without saying why"
        if operation.kind == "restore" and operation.state is OperationState.SUCCEEDED:
            yield from _wrong_bytes(game, operation)
        if operation.kind == "backup":
            yield from _wrong_outcome(game, operation)
    for kind in (Disk, VirtualMachine, NetworkInterface):
        for made in resources(game, kind):
            if "/restored-" in made.id.key and made.id.key not in told_ids:
                yield f"{made.id.key} was made, and no operation tells of it"


def _wrong_bytes(game: Game, operation: Operation) -> Iterator[str]:
    point = game.asked.get(operation.id)
    if point is None:
        return  # its caller was never told that it was accepted
    if point.id in game.tampered:
        return  # nobody can know before it is verified
    disks = operation.outcome["disks"]
    if len(disks) != len(point.disks):
        yield f"restore {operation.id} brought back {len(disks)} of {len(point.disks)} disks"
    for disk in disks:
        part = next(part for part in point.disks if part.disk.name == disk["sourceDisk"])
        read = game.world.cloud.disk(disk["id"]).image.read
        yield from (f"restore {operation.id} {told}" for told in differences(game, part, read))


def _wrong_outcome(game: Game, operation: Operation) -> Iterator[str]:
    taken = game.seen.get(operation.outcome.get("restorePoint", ""))
    if operation.state is OperationState.SUCCEEDED and not (taken and taken.is_available):
        yield f"backup {operation.id} succeeded, and its restore point is not available"
    if operation.state is OperationState.FAILED and taken and taken.is_available:
        yield f"backup {operation.id} failed, and its restore point {taken.id} is available"
