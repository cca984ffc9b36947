"""What happens in a schedule to replicas that are kept in page blobs: each prints as it is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from domain.copies import Copy
from domain.names import vm_key
from domain.restore_points import ReplicaState
from gateways.connection import cloud
from simulator.world_accounts import BlobHandle
from tests.paged_world import VAULT
from tests.schedules.deeds import Deed
from tests.schedules.game import Game
from tests.schedules.mortal_paged_world import MortalPagedWorld
from tests.world import MIB


@dataclass(frozen=True)
class Verify:
    """The clock jumps to the next verification, and that takes its time."""

    def play(self, game: Game) -> None:
        now = game.world.clock.now()
        moment = now.replace(hour=4, minute=27, second=0, microsecond=0)
        game.world.jump(moment if moment > now else moment + timedelta(days=1))
        game.world.pass_time(timedelta(minutes=9))


@dataclass(frozen=True)
class RefuseSources:
    """From now on the storage service reads no snapshot by itself, or does again."""

    are_refused: bool

    def play(self, game: Game) -> None:
        assert isinstance(game.world, MortalPagedWorld)
        game.world.account.resource.refuses_incremental_sources = self.are_refused


@dataclass(frozen=True)
class Harm(Deed):
    """Somebody does something to the newest replica of a disk in the vault."""

    vm: str
    disk: str

    def do(self, game: Game) -> None:
        machine = game.world.machines[self.vm]
        points = cloud().catalogue.restore_points.query(vm_key(machine.id))
        offered = [point for point in points if point.replicas.get(VAULT) is ReplicaState.AVAILABLE]
        if offered and self.disk in machine.disks:
            found = cloud().catalogue.copies.find(offered[0], VAULT)
            name = f"{self.vm}-{self.disk}"
            for copy in (copy for copy in found if copy.disk_name == name and copy.pages):
                self.harm(game, copy)

    def harm(self, game: Game, copy: Copy) -> None:
        """Do it to that copy."""
        raise NotImplementedError

    def blob(self, game: Game, copy: Copy) -> BlobHandle | None:
        """Return the blob of a copy, if it is there."""
        assert isinstance(game.world, MortalPagedWorld)
        return game.world.replicas().get(copy.pages.blob) if copy.pages else None


class Tamper(Harm):
    """It is changed where the disk was written to last."""

    def harm(self, game: Game, copy: Copy) -> None:
        blob = self.blob(game, copy)
        state = blob.page_blob.state(copy.pages.sealed) if blob and copy.pages else None
        if state:
            offset = game.ledger.written_last(copy.disk_unique_id)
            image = state.image.thaw_copy()
            image.write(offset, f"changed by somebody when it was {game.world.clock.now()}".encode())
            state.image = image.freeze_copy()
            game.tampered.add(copy.point)


class DeleteSeal(Harm):
    """It is deleted, and the blob that it was in stays."""

    def harm(self, game: Game, copy: Copy) -> None:
        blob = self.blob(game, copy)
        if blob and copy.pages and blob.page_blob.snapshots.pop(copy.pages.sealed, None):
            game.tampered.add(copy.point)


class DeleteBlob(Harm):
    """The blob that it is in is deleted, with all older replicas that are in it."""

    def harm(self, game: Game, copy: Copy) -> None:
        assert isinstance(game.world, MortalPagedWorld)
        if copy.pages and self.blob(game, copy):
            del game.world.account.resource.containers["replicas"].blobs[copy.pages.blob]
            same = [
                other
                for other in cloud().catalogue.copies.of_disk(copy.disk, VAULT)
                if other.pages and other.pages.blob == copy.pages.blob and other.pages.sealed
            ]
            game.tampered.update(other.point for other in same)


class Scribble(Harm):
    """Somebody writes into its blob after it was sealed, while nobody else does."""

    def harm(self, game: Game, copy: Copy) -> None:
        blob = self.blob(game, copy)
        others = cloud().catalogue.copies.of_disk(copy.disk, VAULT)
        if blob and not any(other.pages and other.state.is_open for other in others):
            offset = game.ledger.written_last(copy.disk_unique_id)
            for place in (offset, offset + 3 * MIB):
                blob.write(place % (blob.length - MIB), b"written by somebody")
