"""What happens in a schedule to replicas that are kept in page blobs: each prints as it is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from domain.names import vm_key
from domain.restore_points import ReplicaState
from gateways.connection import cloud
from tests.paged_world import VAULT
from tests.schedules.deeds import Deed
from tests.schedules.game import Game
from tests.schedules.mortal_paged_world import MortalPagedWorld


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
class Tamper(Deed):
    """Somebody changes the newest replica of a disk in the vault, where the disk was written to last."""

    vm: str
    disk: str

    def do(self, game: Game) -> None:
        assert isinstance(game.world, MortalPagedWorld)
        machine = game.world.machines[self.vm]
        points = cloud().catalogue.restore_points.query(vm_key(machine.id))
        offered = [point for point in points if point.replicas.get(VAULT) is ReplicaState.AVAILABLE]
        if not offered or self.disk not in machine.disks:
            return
        copy = game.world.copies_of(offered[0]).get(f"{self.vm}-{self.disk}")
        if copy and copy.pages:
            content = f"changed by somebody when it was {game.world.clock.now()}".encode()
            offset = game.ledger.written_last(machine.disk(self.disk).unique_id)
            game.world.tamper(offered[0], copy.disk_name, offset, content)
            game.tampered.add(copy.point)
