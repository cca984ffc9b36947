"""What people do in a schedule: each prints as it is written.

A deed needs no host and takes no time, so it can also be done in the middle of what the app is doing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tests.schedules.game import Game


@dataclass(frozen=True)
class Write:
    """A disk is written to."""

    vm: str
    disk: str

    def play(self, game: Game) -> None:
        game.ledger.write(self.vm, self.disk)


@dataclass(frozen=True)
class BackUp:
    """Somebody asks for a backup."""

    vm: str

    def play(self, game: Game) -> None:
        game.ask("backups", {"vm": game.world.machines[self.vm].id})


@dataclass(frozen=True)
class Restore:
    """Somebody asks for one of the points that are offered in a location."""

    location: str
    what: str
    number: int

    def play(self, game: Game) -> None:
        offered = game.offered(self.location)
        if offered:
            game.restore(offered[self.number % len(offered)], self.location, self.what)


@dataclass(frozen=True)
class Terminate:
    """Somebody ends an orchestration that is at work, from outside."""

    orchestrator: str

    def play(self, game: Game) -> None:
        game.terminate(self.orchestrator)


class Deed:
    """What is done at once, now or in the middle of something."""

    def do(self, game: Game) -> None:
        """Do it, on whatever thread."""
        raise NotImplementedError

    def play(self, game: Game) -> None:
        """Do it now, and let the host see it."""
        self.do(game)
        game.world.settle()


@dataclass(frozen=True)
class MoveClock(Deed):
    """The clock jumps."""

    minutes: int

    def do(self, game: Game) -> None:
        game.world.clock.advance(timedelta(minutes=self.minutes))


@dataclass(frozen=True)
class Hold(Deed):
    """A hold is written into the row of a point."""

    vm: str
    number: int

    def do(self, game: Game) -> None:
        game.hands.hold(self.vm, self.number, f"case {self.number}")


@dataclass(frozen=True)
class Release(Deed):
    """A hold is taken out of its row."""

    number: int

    def do(self, game: Game) -> None:
        game.hands.release(self.number)


@dataclass(frozen=True)
class AddDisk(Deed):
    """A VM gets another data disk."""

    vm: str
    disk: str

    def do(self, game: Game) -> None:
        game.hands.add_disk(self.vm, self.disk)


@dataclass(frozen=True)
class RemoveDisk(Deed):
    """A data disk is taken off a VM and deleted."""

    vm: str
    disk: str

    def do(self, game: Game) -> None:
        game.hands.remove_disk(self.vm, self.disk)


@dataclass(frozen=True)
class ReplaceDisk(Deed):
    """A data disk is deleted, and another one made under its name."""

    vm: str
    disk: str

    def do(self, game: Game) -> None:
        game.hands.replace_disk(self.vm, self.disk)


@dataclass(frozen=True)
class DeleteVm(Deed):
    """A VM is deleted with its disks."""

    vm: str

    def do(self, game: Game) -> None:
        game.hands.delete_vm(self.vm)


@dataclass(frozen=True)
class GrowDisk(Deed):
    """A disk grows."""

    vm: str
    disk: str

    def do(self, game: Game) -> None:
        game.hands.grow_disk(self.vm, self.disk)


@dataclass(frozen=True)
class Erase(Deed):
    """What was written last on a disk is given back."""

    vm: str
    disk: str

    def do(self, game: Game) -> None:
        game.ledger.erase(self.vm, self.disk)
