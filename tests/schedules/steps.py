"""What goes wrong in a schedule, and the time that passes: each prints as it is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from simulator.faults import Faults
from tests.schedules.deeds import Deed
from tests.schedules.game import Game
from tests.schedules.lifeline import Moment


class Step(Protocol):
    """One thing that happens."""

    def play(self, game: Game) -> None:
        """Let it happen."""
        ...


@dataclass(frozen=True)
class Pass:
    """Time passes, and everything that is due in it happens in its turn."""

    minutes: int

    def play(self, game: Game) -> None:
        game.world.pass_time(timedelta(minutes=self.minutes))


@dataclass(frozen=True)
class Leap:
    """The clock jumps: what was due on the way is late."""

    hours: float

    def play(self, game: Game) -> None:
        game.world.jump(game.world.clock.now() + timedelta(hours=self.hours))


@dataclass(frozen=True)
class Refuse:
    """Azure refuses calls for the moment, before or after it has done what they ask for."""

    method: str
    path: str
    status: int
    times: int = 1
    skip: int = 0
    retry_after: int | None = None
    after_executing: bool = False

    def play(self, game: Game) -> None:
        game.world.cloud.faults.fail(
            self.method, self.path, status=self.status, times=self.times, skip=self.skip,
            retry_after=self.retry_after, after_executing=self.after_executing,
        )  # fmt: skip


@dataclass(frozen=True)
class Drop:
    """Connections break, before or after a call has had its effect; to storage if it is not to Azure."""

    method: str
    path: str
    times: int = 1
    skip: int = 0
    after_executing: bool = False
    storage: bool = False

    def play(self, game: Game) -> None:
        faults: Faults = game.world.reach.faults if self.storage else game.world.cloud.faults
        faults.drop(
            self.method, self.path, times=self.times, skip=self.skip, after_executing=self.after_executing
        )


@dataclass(frozen=True)
class Delay:
    """A call takes its time, and the clock moves on meanwhile."""

    method: str
    path: str
    minutes: int
    skip: int = 0

    def play(self, game: Game) -> None:
        game.world.cloud.faults.delay(
            self.method, self.path, by=timedelta(minutes=self.minutes), skip=self.skip
        )


@dataclass(frozen=True)
class Break:
    """Azure accepts calls, and their operations fail."""

    method: str
    path: str
    code: str
    times: int = 1
    skip: int = 0

    def play(self, game: Game) -> None:
        game.world.cloud.faults.fail_operation(
            self.method, self.path, code=self.code, times=self.times, skip=self.skip
        )


@dataclass(frozen=True)
class Cut:
    """Connections break in the middle of what is answered."""

    method: str
    path: str
    times: int = 1
    skip: int = 0

    def play(self, game: Game) -> None:
        game.world.cloud.faults.cut(self.method, self.path, times=self.times, skip=self.skip)


@dataclass(frozen=True)
class LoseRegion:
    """A region is lost."""

    region: str

    def play(self, game: Game) -> None:
        game.world.lose_region(self.region)


@dataclass(frozen=True)
class BringBackRegion:
    """A lost region comes back, and so do all storage accounts."""

    region: str

    def play(self, game: Game) -> None:
        game.world.bring_back_region(self.region)


@dataclass(frozen=True)
class LoseCatalogue:
    """The tables of the catalogue cannot be reached."""

    def play(self, game: Game) -> None:
        game.world.reach.lost.add(game.world.catalogue.table_endpoint)


@dataclass(frozen=True)
class BringBackCatalogue:
    """The tables can be reached again."""

    def play(self, game: Game) -> None:
        game.world.reach.lost.discard(game.world.catalogue.table_endpoint)


@dataclass(frozen=True)
class Stall:
    """The copies that are under way do not go on."""

    def play(self, game: Game) -> None:
        game.world.stall_copies()


@dataclass(frozen=True)
class Resume:
    """The copies go on."""

    def play(self, game: Game) -> None:
        game.world.resume_copies()


@dataclass(frozen=True)
class Kill:
    """The host is killed at its count-th activity or request from now on."""

    moment: Moment
    count: int

    def play(self, game: Game) -> None:
        game.world.lifeline.cut_after(self.moment, self.count)


@dataclass(frozen=True)
class Meanwhile:
    """At the count-th activity or request from now on, in the middle of it, a deed is done."""

    moment: Moment
    count: int
    deed: Deed

    def play(self, game: Game) -> None:
        game.world.lifeline.meanwhile(self.moment, self.count, lambda: self.deed.do(game))
