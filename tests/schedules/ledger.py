"""What the checker knows by itself: what was written on which disk, which disks a VM had, what is held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from simulator.tempo import Tempo
from tests.world import World

CELL = 4096
TOGETHER = tuple(CELL * number for number in range(4))
MOMENT = Tempo().snapshot


@dataclass(frozen=True)
class Hold:
    """What somebody has written into a point's row, and in which locations the point was whole then."""

    text: str
    locations: frozenset[str]


@dataclass
class Ledger:
    """Writes a running number on disks, and keeps what is true of VMs, whatever the books say.

    A disk is known by its unique id: one made again under its name is another. It is written to at `cells`
    alone. `gone` has the moment at which a VM was deleted, `holds` the points that are held by hand.
    """

    world: World
    cells: tuple[int, ...] = TOGETHER
    gone: dict[str, datetime] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    _count: int = 0
    _written: dict[str, list[tuple[datetime, int, bytes]]] = field(default_factory=lambda: defaultdict(list))
    _disks: dict[str, list[tuple[datetime, frozenset[str]]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def write(self, vm: str, disk: str) -> None:
        """Write the next number on a disk, and let a second pass; a disk that is gone takes nothing."""
        machine = self.world.machines[vm]
        if vm in self.gone or disk not in machine.disks:
            return
        self._count += 1
        offset, content = self.cells[self._count % len(self.cells)], f"{vm} {disk} {self._count:08d}".encode()
        self.world.write(vm, disk, content, offset)
        known = self._written[machine.disk(disk).unique_id]
        known.append((self.world.clock.now(), offset, content))
        self.world.pass_time(MOMENT)

    def erase(self, vm: str, disk: str) -> None:
        """Give back what was written on a disk last, so that zeros are read there; it takes no time."""
        machine = self.world.machines[vm]
        known = self._written[machine.disk(disk).unique_id] if disk in machine.disks else []
        if vm in self.gone or not known:
            return
        _, offset, _ = known[-1]
        machine.disk(disk).image.clear(offset, CELL)
        known.append((self.world.clock.now(), offset, b""))

    def written_last(self, disk: str) -> int:
        """Return where a disk, named by its unique id, was written to last."""
        known = self._written[disk]
        return known[-1][1] if known else self.cells[0]

    def note_disks(self, vm: str) -> None:
        """Note which disks a VM has from now on."""
        ids = frozenset(disk.unique_id for disk in self.world.machines[vm].disks.values())
        self._disks[vm].append((self.world.clock.now(), ids))

    def had_disks(self, vm: str, ids: frozenset[str], first: datetime, last: datetime) -> bool:
        """Whether a VM had these disks and no others at some moment between two."""
        known = self._disks[vm]
        ends = [moment for moment, _ in known[1:]] + [last]
        return any(
            had == ids and began <= last and end >= first
            for (began, had), end in zip(known, ends, strict=True)
        )

    def held(self, disk: str, before: datetime) -> Mapping[int, bytes]:
        """Return what each cell of a disk, named by its unique id, held before a moment: offset → content."""
        cells = dict.fromkeys(self.cells, b"")
        cells.update({offset: content for moment, offset, content in self._written[disk] if moment < before})
        return cells

    def differences(self, disk: str, created: datetime, read: Callable[[int, int], bytes]) -> list[str]:
        """Say in which cells what is read of a snapshot is not what its disk held when it was taken.

        A snapshot is taken within the second of its operation, from the moment that Azure tells on.
        """
        told = []
        first, last = self.held(disk, created), self.held(disk, created + MOMENT)
        for offset in first:
            found, expected = read(offset, CELL).rstrip(b"\0"), (first[offset], last[offset])
            if found not in expected:
                told.append(
                    f"at {offset} of disk {disk} is {found!r}; at {created} there was {expected[0]!r}"
                )
        return told
