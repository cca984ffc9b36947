"""Which chunks an image consists of, in tables that images share until one of them changes.

As in the page tables of an operating system there are two levels, so that copying an image of any size copies
one small table: 4,096 entries for a full disk of 1 TiB.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from simulator.images.chunks import Chunk

_GROUP_CHUNKS = 1024


class _Group:
    """Neighbouring chunks by number: changed in place by the owner of the table, copied by everybody else."""

    __slots__ = ("chunks", "owner")

    def __init__(self, owner: object, chunks: dict[int, Chunk]) -> None:
        self.owner = owner
        self.chunks = chunks


class ChunkTable:
    """The chunks of one image by number; a number without a chunk is all zeros.

    `owner` marks what this table made since it was last copied, and may therefore still change in place.
    """

    def __init__(self, groups: dict[int, _Group] | None = None) -> None:
        self._groups = groups or {}
        self.owner = object()

    def copy(self) -> ChunkTable:
        """Return an equal table; from now on both copy what they change."""
        self.owner = object()
        return ChunkTable(dict(self._groups))

    def get(self, number: int) -> Chunk | None:
        """Return the chunk, or None where all is zeros."""
        group = self._groups.get(number // _GROUP_CHUNKS)
        return group.chunks.get(number) if group else None

    def put(self, number: int, chunk: Chunk) -> None:
        """Set or replace a chunk."""
        self._own_group(number).chunks[number] = chunk

    def remove(self, number: int) -> None:
        """Make a chunk all zeros."""
        del self._own_group(number).chunks[number]

    def numbers(self, first: int, end: int) -> Iterator[int]:
        """Yield the numbers of the chunks from `first` up to, and not including, `end`, ascending."""
        for group in _between(self._groups, first // _GROUP_CHUNKS, -(-end // _GROUP_CHUNKS)):
            yield from _between(self._groups[group].chunks, first, end)

    def differing(self, other: ChunkTable, first: int, end: int) -> Iterator[int]:
        """Yield the numbers, ascending, whose chunks are not one and the same in both tables."""
        groups = self._groups.keys() | other._groups.keys()
        for group in _between(groups, first // _GROUP_CHUNKS, -(-end // _GROUP_CHUNKS)):
            ours, theirs = self._groups.get(group), other._groups.get(group)
            if ours is theirs:
                continue
            here, there = ours.chunks if ours else {}, theirs.chunks if theirs else {}
            for number in _between(here.keys() | there.keys(), first, end):
                if here.get(number) is not there.get(number):
                    yield number

    def _own_group(self, number: int) -> _Group:
        group = self._groups.get(number // _GROUP_CHUNKS)
        if group is None or group.owner is not self.owner:
            group = _Group(self.owner, dict(group.chunks) if group else {})
            self._groups[number // _GROUP_CHUNKS] = group
        return group


def _between(numbers: Collection[int], first: int, end: int) -> list[int]:
    """Return those numbers that lie in a window, ascending."""
    if end - first < len(numbers):
        return [number for number in range(first, end) if number in numbers]
    return sorted(number for number in list(numbers) if first <= number < end)
