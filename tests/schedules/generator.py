"""Draws a schedule from a seed: a small fleet, and what happens to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from tests.schedules.deeds import (
    AddDisk,
    BackUp,
    Deed,
    DeleteVm,
    Hold,
    MoveClock,
    Release,
    RemoveDisk,
    ReplaceDisk,
    Restore,
    Terminate,
    Write,
)
from tests.schedules.lifeline import Moment
from tests.schedules.steps import (
    Break,
    BringBackCatalogue,
    BringBackRegion,
    Delay,
    Drop,
    Kill,
    Leap,
    LoseCatalogue,
    LoseRegion,
    Meanwhile,
    Pass,
    Refuse,
    Resume,
    Stall,
    Step,
)
from tests.world import HOME, LOCATIONS, RECOVERY

DISKS = ("os", "data", "logs")
MORE_DISKS = ("data", "more")
RETRY_AFTER = (20, 300, 1200, 3600)
READS = (
    ("GET", "/snapshots/"), ("GET", "/snapshots-north/"), ("GET", "/disks/"), ("GET", "/virtualMachines"),
)  # fmt: skip
WRITES = (
    ("PUT", "/snapshots/"), ("PUT", "/snapshots/"), ("PUT", "/snapshots-north/"), ("DELETE", "/snapshots/"),
    ("PUT", "/disks/"), ("PUT", "/networkInterfaces/"), ("PUT", "/virtualMachines/back"),
)  # fmt: skip
STORAGE = (("GET", ""), ("POST", ""), ("PUT", ""), ("PUT", ""), ("DELETE", ""), ("PUT", "/manifests/"))


Fleet: TypeAlias = dict[str, tuple[str, tuple[str, ...]]]
Trouble: TypeAlias = Callable[[Random], Step]


@dataclass(frozen=True)
class Menu:
    """What is drawn from: policies, where restores are made from, and so on; `passes` are ways to pass time
    beside the usual ones, given a VM and a disk of it."""

    policies: tuple[str, ...]
    restored_from: tuple[str, ...]
    orchestrators: tuple[str, ...]
    troubles: tuple[Trouble, ...]
    passes: tuple[Callable[[Random, str, str], list[Step]], ...] = ()
    deeds: tuple[Callable[[str, str], Deed], ...] = ()  # done to a disk of a VM, beside the usual ones
    backups: float = 0.4  # how many times out of one somebody asks for one in a scene
    restores: float = 0.25


@dataclass(frozen=True)
class Schedule:
    """A fleet (VM → its policy and disks) and what happens to it, one thing after the other."""

    seed: int
    fleet: Fleet
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        lines = [f"seed {self.seed}: {self.fleet}", *(f"    {step}" for step in self.steps)]
        return "\n".join(lines)


def schedule(seed: int) -> Schedule:
    """Return the schedule of a seed: always the same."""
    return Schedule(seed, *drawn(Random(f"schedule {seed}"), USUAL))


def drawn(chance: Random, menu: Menu) -> tuple[Fleet, tuple[Step, ...]]:
    """Draw a fleet, and what happens to it."""
    names = ("web", "db")[: chance.choice((1, 1, 1, 2))]
    fleet = {
        name: (
            chance.choice(menu.policies),
            DISKS[: chance.choice((1, 1, 2, 2, 3) if len(names) == 1 else (1, 1, 2))],
        )
        for name in names
    }
    steps: list[Step] = []
    lost: list[Step] = []  # what brings back what is lost now
    for _ in range(chance.randint(2, 5)):
        steps += _scene(chance, fleet, lost, menu)
    steps += _end(chance, fleet)
    return fleet, tuple(steps)


def _scene(chance: Random, fleet: Fleet, lost: list[Step], menu: Menu) -> list[Step]:
    """Something is written, goes wrong, is asked for, is done by hand; and time passes."""
    vm = chance.choice(list(fleet))
    steps: list[Step] = [Write(vm, chance.choice(fleet[vm][1]))]
    steps += _troubles(chance, lost, menu)
    if chance.random() < 0.6:
        steps.append(Kill(chance.choice(tuple(Moment)), _count(chance)))
    if chance.random() < 0.4:
        is_other = bool(menu.deeds) and chance.random() < 0.6
        deed = (
            chance.choice(menu.deeds)(vm, chance.choice(fleet[vm][1])) if is_other else _deed(chance, fleet)
        )
        is_now = chance.random() < 0.3
        steps.append(deed if is_now else Meanwhile(chance.choice(tuple(Moment)), _count(chance), deed))
    if chance.random() < menu.backups:
        steps.append(BackUp(vm))
    if chance.random() < menu.restores:
        what = chance.choice(("disks", "vm"))
        steps.append(Restore(chance.choice(menu.restored_from), what, chance.randrange(9)))
    if menu.passes and chance.random() < 0.4:
        steps += chance.choice(menu.passes)(chance, vm, chance.choice(fleet[vm][1]))
    else:
        steps += _time(chance)
    if chance.random() < 0.15:
        steps += [Terminate(chance.choice(menu.orchestrators)), Pass(chance.randint(1, 10))]
    return steps


def _end(chance: Random, fleet: Fleet) -> list[Step]:
    """What happens last: only the watch over the fleet can set it right before it is looked at."""
    kind, vm = chance.randrange(8), chance.choice(list(fleet))
    if kind < 2:  # copies take half a minute at least: their workers are ended, or whoever is to start them
        return [BackUp(vm), Pass(1), Terminate(chance.choice(("replicate_disk", "backup_vm")))]
    if kind == 2:
        return [Stall(), BackUp(vm), Pass(chance.randint(2, 9)), Terminate("replicate_disk")]
    if kind == 3:
        return [Meanwhile(Moment.BEFORE_REQUEST, _count(chance), DeleteVm(vm)), BackUp(vm), Pass(2)]
    return []


def _count(chance: Random) -> int:
    return chance.choice((chance.randint(1, 12), chance.randint(1, 60)))


def _deed(chance: Random, fleet: Fleet) -> Deed:
    """Something that is done by hand."""
    vm = chance.choice(list(fleet))
    number, disk = chance.randrange(9), chance.choice(MORE_DISKS)
    deeds: tuple[Deed, ...] = (
        MoveClock(chance.choice((3, 20, 90, 600))),
        MoveClock(chance.choice((1, 16, 61, 1500))),
        Hold(vm, number),
        Hold(vm, number % 3),
        Release(number),
        AddDisk(vm, disk),
        RemoveDisk(vm, disk),
        ReplaceDisk(vm, disk),
    )
    return chance.choice(deeds)


def _troubles(chance: Random, lost: list[Step], menu: Menu) -> list[Step]:
    """What goes wrong now; what was lost before comes back, or stays away."""
    steps: list[Step] = []
    while lost and chance.random() < 0.6:
        steps.append(lost.pop())
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        steps.append(chance.choice(menu.troubles)(chance))
    if chance.random() < 0.2:
        loss, return_ = _loss(chance)
        if return_ not in lost:
            steps.append(loss)
            lost.append(return_)
    return steps


def _time(chance: Random) -> list[Step]:
    """Minutes, in which everything has its turn; or a jump of the clock and then minutes."""
    if chance.random() < 0.5:
        return [Pass(chance.choice((1, 2, chance.randint(3, 40))))]
    return [Leap(chance.choice((0.3, 1, 3, 10, chance.randint(2, 30)))), Pass(chance.randint(1, 15))]


def _loss(chance: Random) -> tuple[Step, Step]:
    kind = chance.randrange(4)
    if kind == 0:
        return LoseCatalogue(), BringBackCatalogue()
    if kind == 1:
        return Stall(), Resume()
    region = chance.choice((HOME, RECOVERY, LOCATIONS["south"]))
    return LoseRegion(region), BringBackRegion(region)


def _throttled(chance: Random) -> Step:
    method, path = chance.choice(READS + WRITES)
    times, wait = chance.randint(1, 4), chance.choice(RETRY_AFTER)
    return Refuse(method, path, 429, times, chance.randint(0, 3), wait)


def _broken(chance: Random) -> Step:
    method, path = chance.choice(READS + WRITES)
    status, is_late = chance.choice((500, 502, 503, 504, 409)), chance.random() < 0.5
    return Refuse(method, path, status, chance.randint(1, 6), chance.randint(0, 4), after_executing=is_late)


def _dropped(chance: Random) -> Step:
    method, path = chance.choice(READS + WRITES)
    return Drop(method, path, chance.randint(1, 5), chance.randint(0, 4), chance.random() < 0.6)


def _lost_storage(chance: Random) -> Step:
    method, path = chance.choice(STORAGE)
    is_late = chance.random() < 0.7
    return Drop(method, path, chance.randint(1, 3), chance.randint(0, 20), is_late, storage=True)


def _slow(chance: Random) -> Step:
    method, path = chance.choice(READS + WRITES)
    return Delay(method, path, chance.choice((1, 5, 20, 90)), chance.randint(0, 4))


def _failing(chance: Random) -> Step:
    method, path = chance.choice(WRITES)
    code = chance.choice(("InternalExecutionError", "OperationPreempted"))
    return Break(method, path, code, chance.randint(1, 4), chance.randint(0, 3))


def _failing_copy(chance: Random) -> Step:
    """A copy fails or is refused, and may leave something: the next attempt has another name."""
    path = chance.choice(("/snapshots-north/", "/snapshots-(north|south)/"))
    if chance.random() < 0.3:
        return Refuse("PUT", path, 409, chance.randint(1, 2), after_executing=chance.random() < 0.5)
    code = chance.choice(("InternalExecutionError", "OperationPreempted"))
    return Break("PUT", path, code, chance.choice((1, 1, 2, 3)), chance.randint(0, 1))


USUAL = Menu(
    policies=("daily", "daily", "daily", "twice", "twice", "hourly", "newest"),
    restored_from=("west", "north", "north", "south"),
    orchestrators=(
        "backup_vm", "replicate_disk", "replicate_disk", "backup_fleet", "restore", "prune_vm", "prune_fleet",
    ),
    troubles=(
        _throttled, _broken, _broken, _dropped, _dropped, _lost_storage, _lost_storage, _slow, _failing,
        _failing_copy, _failing_copy,
    ),
)  # fmt: skip
