"""What the checker knows by itself: what was written on which disk, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from simulator.tempo import Tempo
from tests.world import World

CELL = 4096
CELLS = 4
MOMENT = Tempo().snapshot


class Ledger:
    """Writes a running number on disks, and keeps which cell of which disk has held which since when."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._count = 0
        self._written: dict[str, list[tuple[datetime, int, bytes]]] = defaultdict(list)

    def write(self, vm: str, disk: str) -> None:
        """Write the next number on a disk, and let a second pass."""
        self._count += 1
        offset, content = self._count % CELLS * CELL, f"{vm} {disk} {self._count:08d}".encode()
        self._world.write(vm, disk, content, offset)
        self._written[f"{vm}-{disk}".lower()].append((self._world.clock.now(), offset, content))
        self._world.pass_time(MOMENT)

    def held(self, disk: str, before: datetime) -> Mapping[int, bytes]:
        """Return what each cell of a disk, named as in Azure, held before a moment: offset → content."""
        cells = {cell * CELL: b"" for cell in range(CELLS)}
        written = self._written[disk.lower()]
        cells.update({offset: content for moment, offset, content in written if moment < before})
        return cells

    def differences(self, disk: str, created: datetime, content: bytes) -> list[str]:
        """Say in which cells the bytes of a snapshot are not those that its disk held when it was taken.

        A snapshot is taken within the second of its operation, from the moment that Azure tells on.
        """
        told = []
        first, last = self.held(disk, created), self.held(disk, created + MOMENT)
        for offset in first:
            found, expected = content[offset : offset + CELL].rstrip(b"\0"), (first[offset], last[offset])
            if found not in expected:
                told.append(
                    f"at {offset} of disk {disk} is {found!r}; at {created} there was {expected[0]!r}"
                )
        return told
