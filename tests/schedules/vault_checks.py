"""What must be in the vault, and what must not; and that nobody is left with a right to read anything."""

from __future__ import annotations

from collections.abc import Iterator

from domain.copies import Copy, CopyState
from domain.leftovers import attempt_names
from domain.names import vm_key
from domain.restore_points import ProtectedDisk, ReplicaState
from domain.tags import POINT_METADATA
from domain.vhd import FOOTER_BYTES, footer_fault
from gateways.connection import cloud
from simulator.arm.disk_model import Disk
from simulator.arm.snapshot_model import Snapshot
from simulator.page_blobs.blobs import BlobState
from tests.paged_world import VAULT
from tests.schedules.cloud_checks import differences
from tests.schedules.game import Game
from tests.schedules.mortal_paged_world import MortalPagedWorld
from tests.schedules.records import WHOLE, Records, resources
from tests.world import MIB


def seals(game: Game, records: Records) -> Iterator[str]:
    """Every whole replica has its seals, with the right bytes and footers."""
    if not isinstance(game.world, MortalPagedWorld):
        return
    there = game.world.replicas()
    for point in records.points:
        if point.replicas.get(VAULT) not in WHOLE or VAULT in point.deletions:
            continue
        parts = {part.disk.key: part for part in point.disks}
        for copy in records.copies_of(point, VAULT):
            name = f"{copy.disk_name} of {copy.point} in the vault"
            if copy.pages is None or not copy.pages.sealed:
                yield f"{name} is not sealed"
                continue
            blob = there.get(copy.pages.blob)
            state = blob.page_blob.state(copy.pages.sealed) if blob else None
            if state is None and point.id in game.tampered:
                continue
            faults = _faults(game, parts[copy.disk], copy, state) if state else ["is not there"]
            yield from (f"{name} {fault}" for fault in faults)


def _faults(game: Game, part: ProtectedDisk, copy: Copy, state: BlobState) -> list[str]:
    assert copy.pages is not None
    told = []
    if state.metadata.get(POINT_METADATA) != copy.point:
        told.append(f"has the metadata {state.metadata}")
    if state.length != copy.pages.length:
        return [*told, f"has {state.length} bytes instead of {copy.pages.length}"]
    body = state.length - FOOTER_BYTES
    fault = footer_fault(state.image.read(body, FOOTER_BYTES), body)
    told += [fault] if fault else []
    if copy.point in game.tampered:
        return told
    told += differences(game, part, state.image.read)
    snapshots = game.world.cloud.estate.shelf
    if snapshots.find(Snapshot, part.snapshot_id):
        source = game.world.cloud.snapshot_image(part.snapshot_id)
        wrong = [at for at in range(0, body, MIB) if source.read(at, MIB) != state.image.read(at, MIB)]
        told += [f"differs from its snapshot in the MiB {[at // MIB for at in wrong]}"] if wrong else []
    return told


def stray_blobs(game: Game, records: Records) -> Iterator[str]:
    """The vault has no seal and no blob that the books do not know, and none of a restore."""
    if not isinstance(game.world, MortalPagedWorld):
        return
    known = _known(records)
    for name, blob in game.world.replicas().items():
        if name not in known:
            yield f"page blob {name} with {blob.snapshots} is left over"
            continue
        for seal in sorted(set(blob.snapshots) - known[name]):
            told = blob.page_blob.snapshots[seal].metadata
            yield f"seal {seal} of {name} is left over: {told}"


def _known(records: Records) -> dict[str, set[str]]:
    """The seals that may be there while nothing is at work, by the names of the blobs that may.

    Those of copies that have arrived, though another disk's has not.
    """
    known: dict[str, set[str]] = {}
    for copy in records.copies:
        point = records.point(copy.point)
        state = point.replicas[copy.location] if point else ReplicaState.DELETED
        if copy.is_paged and copy.state.is_open:
            known |= {name: known.get(name, set()) for name in attempt_names(copy, copy.attempt)}
        elif copy.pages and copy.state is CopyState.AVAILABLE and state is not ReplicaState.DELETED:
            known.setdefault(copy.pages.blob, set()).add(copy.pages.sealed)
    return known


def accesses(game: Game, _: Records) -> Iterator[str]:
    """No snapshot and no disk can be read or written from outside."""
    if not isinstance(game.world, MortalPagedWorld):
        return
    for thing in (*resources(game, Snapshot), *resources(game, Disk)):
        if game.world.cloud.estate.accesses.active(thing.id.key):
            yield f"{thing.id.text} is open"
    for snapshot in resources(game, Snapshot):
        policy = snapshot.properties["networkAccessPolicy"]
        if policy != "DenyAll":
            yield f"{snapshot.id.text} can be opened by whoever has a right: {policy}"


def turns(game: Game, _: Records) -> Iterator[str]:
    """No turn at a disk is held, and no place for a batch; what has run out is free."""
    now, permits, tables = cloud().now(), cloud().catalogue.permits, cloud().catalogue.service
    if "permits" not in {table.name for table in tables.list_tables()}:
        return  # nothing was ever copied
    for entity in tables.get_table_client("permits").list_entities():
        pool, key = entity["PartitionKey"], entity["RowKey"]
        held = permits.get(pool, key)
        if key != "pause" and held and held.expires > now:
            yield f"{pool} {key} is held by {held.holder} until {held.expires}"


def verified(game: Game, records: Records) -> Iterator[str]:
    """Nothing was found damaged but what somebody has changed, and the newest was looked at."""
    for copy in records.copies:
        if copy.is_damaged and copy.point not in game.tampered:
            yield f"the copy of {copy.disk_name} of {copy.point} to {copy.location} is called damaged"
    for name, machine in game.world.machines.items():
        own = [point for point in records.points if point.vm.key == vm_key(machine.id)]
        offered = [point for point in own if point.replicas.get(VAULT) is ReplicaState.AVAILABLE]
        if name in game.ledger.gone or not offered:
            continue
        newest = max(offered, key=lambda point: (point.slot, point.attempt))
        for copy in records.copies_of(newest, VAULT):
            if copy.verified is None:
                yield f"the copy of {copy.disk_name} of {copy.point} was never verified: {copy.unverified}"
