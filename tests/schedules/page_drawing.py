"""Draws a schedule with page copies from a seed: the usual one, and what goes wrong with page blobs."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.schedules.deeds import BackUp, Erase, GrowDisk, ReplaceDisk
from tests.schedules.generator import USUAL, Menu, Schedule, drawn
from tests.schedules.lifeline import Moment
from tests.schedules.page_steps import DeleteBlob, DeleteSeal, RefuseSources, Scribble, Tamper, Verify
from tests.schedules.steps import Break, Cut, Delay, Drop, Kill, Pass, Refuse, Step

OPENING = (("POST", "/beginGetAccess"), ("POST", "/endGetAccess"), ("PATCH", "/snapshots/"))
WRITES = (
    ("PUT", "/replicas/.*comp=page"), ("PUT", "/replicas/.*comp=page"), ("PUT", "/replicas/.*comp=snapshot"),
    ("PUT", "/replicas/"), ("PUT", "/replicas/restores/"), ("PUT", "/abcd"), ("DELETE", "/replicas/"),
)  # fmt: skip
READS = (
    ("GET", "comp=pagelist"), ("GET", "/abcd.*comp=pagelist"), ("GET", "/abcd"), ("GET", "/replicas/"),
    ("GET", "comp=list"), ("HEAD", "/replicas/"),
)  # fmt: skip


@dataclass(frozen=True)
class PagedSchedule(Schedule):
    """A schedule with a vault, from which disks are imported, or uploaded."""

    are_imported: bool = True

    def __str__(self) -> str:
        return f"{'imports' if self.are_imported else 'uploads'}, {super().__str__()}"


def paged_schedule(seed: int) -> PagedSchedule:
    """Return the schedule with page copies of a seed: always the same."""
    chance = Random(f"paged schedule {seed}")
    are_imported = chance.random() < 0.6
    return PagedSchedule(seed, *drawn(chance, PAGED), are_imported)


def _busy(chance: Random) -> Step:
    method, path = chance.choice(READS + WRITES + WRITES + OPENING)
    status = chance.choice((503, 503, 503, 500, 409, 403, 429))
    is_late = status in (500, 503) and chance.random() < 0.4
    return Refuse(method, path, status, chance.randint(1, 6), chance.randint(0, 3), after_executing=is_late)


def _dropped(chance: Random) -> Step:
    method, path = chance.choice(READS + WRITES + WRITES + OPENING)
    return Drop(method, path, chance.randint(1, 5), chance.randint(0, 3), chance.random() < 0.6)


def _cut(chance: Random) -> Step:
    return Cut("GET", chance.choice(READS[:4])[1], chance.randint(1, 5), chance.randint(0, 4))


def _slow(chance: Random) -> Step:
    method, path = chance.choice(READS + WRITES + OPENING)
    return Delay(method, path, chance.choice((1, 6, 11, 11, 20, 90)), chance.randint(0, 4))


def _failing(chance: Random) -> Step:
    method, path = chance.choice(OPENING)
    return Break(method, path, "InternalExecutionError", chance.randint(1, 4), chance.randint(0, 3))


def _refusing(chance: Random) -> Step:
    return RefuseSources(chance.random() < 0.7)


def _verified(chance: Random, vm: str, disk: str) -> list[Step]:
    return [Verify()]


def _damaged(chance: Random, vm: str, disk: str) -> list[Step]:
    """What has come to the vault is damaged there, and found to be: whatever goes wrong then."""
    harm = chance.choice((Tamper, Tamper, DeleteSeal, DeleteBlob))
    steps: list[Step] = [Pass(chance.choice((1, 5, 40))), harm(vm, disk)]
    if chance.random() < 0.5:
        steps.append(chance.choice((_busy, _dropped, _slow))(chance))
    if chance.random() < 0.6:
        steps.append(Kill(chance.choice(tuple(Moment)), chance.randint(1, 40)))
    if chance.random() < 0.2:
        steps.append(BackUp(vm))
    return [*steps, Verify()]


def _scribbled(chance: Random, vm: str, disk: str) -> list[Step]:
    """What the next copy is written into holds something else than it has sealed."""
    return [Pass(2), Scribble(vm, disk), BackUp(vm), Pass(2)]


PAGED = Menu(
    policies=("paged", "paged", "both"),
    restored_from=("west", "north", "vault", "vault", "vault"),
    orchestrators=(
        *USUAL.orchestrators, "verify_replica", "verify_fleet", "restore_from_blob", "replicate_disk",
    ),
    troubles=(
        *USUAL.troubles, _busy, _busy, _busy, _busy, _dropped, _dropped, _dropped, _dropped, _cut, _cut,
        _slow, _slow, _failing, _refusing,
    ),
    passes=(_verified, _damaged, _damaged, _scribbled),
    deeds=(GrowDisk, Erase, Erase, ReplaceDisk, Tamper),
    backups=0.8,
    restores=0.5,
)  # fmt: skip
