"""What happens in a schedule to replicas that are kept in page blobs: each prints as it is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

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
