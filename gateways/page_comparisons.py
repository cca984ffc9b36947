"""Comparing two page blobs, or what is shown as one: many reads side by side, in bounded memory.

Nothing is written. Ranges that lie close together are read in one go, with what is between them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from dataclasses import dataclass

from domain.errors import Transient
from domain.page_ranges import PageRange
from gateways.blob_access import Opened
from gateways.disk_data import READ_BYTES, read_into
from gateways.wire import Wire

_NEAR_BYTES = 64 * 1024  # a request costs about as much as reading this
_DAMAGED = frozenset({"ConnectionFailed", "AnswerUnreadable"})  # on its way: worth a second try


@dataclass(frozen=True)
class Compared:
    """How far a comparison came: what was to be compared before `reached` is equal.

    `difference` is the address of the first byte that is not, None if there is none so far.
    """

    reached: int
    is_complete: bool
    difference: int | None
    read_bytes: int  # of each side


@dataclass(frozen=True)
class PageComparison:
    """Of a source and a replica. Each of the `connections` reads both, into 8 MiB of memory at most."""

    wire: Wire
    source: Opened
    replica: Opened
    connections: int = 4

    def run(self, ranges: Iterable[PageRange], is_over: Callable[[], bool]) -> Compared:
        """Compare ascending ranges until they are done, one differs, or `is_over`.

        A failure is raised if nothing was compared before it; else whoever goes on from there meets it again.
        """
        work = _Work(ranges, is_over)
        lanes = [
            threading.Thread(
                target=copy_context().run, args=(work.go, _Lane(self).difference), name="page-comparison",
                daemon=True,
            )
            for _ in range(self.connections)
        ]  # fmt: skip
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        return work.outcome()


class _Work:
    """The pieces of one comparison, handed out in order."""

    def __init__(self, ranges: Iterable[PageRange], is_over: Callable[[], bool]) -> None:
        self._pieces = _pieces(ranges)
        self._is_over = is_over
        self._open: set[PageRange] = set()  # handed out, and not compared to the end
        self._first: PageRange | None = None
        self._following: PageRange | None = None  # the first one that was not handed out
        self._end = self._read_bytes = 0
        self._difference: int | None = None
        self._failure: BaseException | None = None
        self._is_closed = False
        self._lock = threading.Lock()

    def go(self, difference: Callable[[PageRange], int | None]) -> None:
        """Compare pieces, one after the other, as long as there are any."""
        try:
            while (piece := self._next()) is not None:
                self._finish(piece, difference(piece))
        except BaseException as failure:  # whatever it is, whoever waits for the threads must hear of it
            with self._lock:
                self._is_closed = True
                self._failure = self._failure or failure

    def outcome(self) -> Compared:
        """Return how far it came; raises what went wrong where that was nowhere."""
        reached = min((piece.start for piece in self._open), default=self._end)
        if self._difference is not None:  # nothing that failed beside it makes it equal
            return Compared(self._difference, False, self._difference, self._read_bytes)
        if self._failure is not None and (self._first is None or reached <= self._first.start):
            raise self._failure
        if self._failure is None and self._following is not None:
            return Compared(self._following.start, False, None, self._read_bytes)
        return Compared(reached, self._failure is None, None, self._read_bytes)

    def _next(self) -> PageRange | None:
        with self._lock:
            if self._is_closed:
                return None
            piece = next(self._pieces, None)
            if piece is None or (self._first is not None and self._is_over()):  # some of it is always done
                self._is_closed, self._following = True, piece
                return None
            self._first = self._first or piece
            self._open.add(piece)
            self._end = piece.end
            return piece

    def _finish(self, piece: PageRange, difference: int | None) -> None:
        with self._lock:
            self._open.discard(piece)
            self._read_bytes += piece.length
            if difference is not None:
                self._is_closed = True
                known = self._difference
                self._difference = difference if known is None else min(known, difference)


class _Lane:
    """Compares one piece at a time, with buffers of its own."""

    def __init__(self, comparison: PageComparison) -> None:
        self._comparison = comparison
        self._ours = self._theirs = bytearray()  # made when the first byte is read

    def difference(self, piece: PageRange) -> int | None:
        """Return the address of the first byte of a piece that differs; it is told of a second look alone."""
        if not self._ours:
            self._ours, self._theirs = bytearray(READ_BYTES), bytearray(READ_BYTES)
        if self._is_equal(piece) or self._is_equal(piece):
            return None
        pairs = zip(self._ours, self._theirs, strict=True)
        return piece.start + next(place for place, (ours, theirs) in enumerate(pairs) if ours != theirs)

    def _is_equal(self, piece: PageRange) -> bool:
        self._read(self._comparison.source, piece, self._ours)
        theirs = self._read(self._comparison.replica, piece, self._theirs)
        return self._ours.startswith(theirs)

    def _read(self, opened: Opened, piece: PageRange, buffer: bytearray) -> memoryview:
        data = memoryview(buffer)[: piece.length]
        try:
            read_into(self._comparison.wire, opened, piece.start, data)
        except Transient as transient:
            if transient.code not in _DAMAGED:
                raise
            read_into(self._comparison.wire, opened, piece.start, data)
        return data


def _pieces(ranges: Iterable[PageRange]) -> Iterator[PageRange]:
    """Cut what is longer than one read, and put together what lies close by."""
    waiting: PageRange | None = None
    for each in ranges:
        for start in range(each.start, each.end, READ_BYTES):
            piece = PageRange(start, min(start + READ_BYTES, each.end))
            if (
                waiting
                and piece.start - waiting.end <= _NEAR_BYTES
                and piece.end - waiting.start <= READ_BYTES
            ):
                waiting = PageRange(waiting.start, piece.end)
                continue
            if waiting:
                yield waiting
            waiting = piece
    if waiting:
        yield waiting
