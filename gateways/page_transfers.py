"""Carrying pages from a source into a page blob: many writes side by side, in bounded memory.

Server-side where the service does that: it reads the source itself, and no byte comes through here. Where it
does not, each connection reads a piece into its own buffer and writes it from there. Doing a transfer again,
or a part of it, writes the same bytes.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import TypeVar

from domain.errors import CloudError, Transient
from domain.page_writes import Write
from gateways import checksums
from gateways.blob_access import Opened
from gateways.disk_data import read_into
from gateways.page_blobs import MOST_WRITTEN, PageBlob

# The service does not read this source by itself, as it may be for one behind a private endpoint; whoever has
# the address may still read it. Azure's codes are in azure-semantics.md §4.4 and its "Put Page from URL"; a
# bare status is what emulators answer (Azurite: 501 to a key, 500 to a SAS).
NOT_SERVED = frozenset(
    {"CopySourceCannotBeIncrementalCopyBlob", "CannotVerifyCopySource", "APINotImplemented", "500", "501"}
)

_DAMAGED = frozenset(
    {"ConnectionFailed", "AnswerUnreadable", "Crc64Mismatch"}
)  # on its way: worth a second try


Answered = TypeVar("Answered")


class How(StrEnum):
    """How pages came into the target."""

    SERVED = "served"  # the service read them from the source
    STREAMED = "streamed"  # read and written from here
    CLEARED = "cleared"
    ZEROS = "zeros"  # read from the source, and left as they are in a blob that is new


@dataclass(frozen=True, slots=True)
class Done:
    """Pages that are in the target now. `crc64` is what the service checked, or told; None if neither.

    `sha256` is None where the bytes did not come through here.
    """

    start: int
    end: int
    how: How
    crc64: int | None = None
    sha256: bytes | None = None


@dataclass(frozen=True)
class Transferred:
    """How far a transfer came: everything that was to be written before `reached` is in the target.

    `not_served` says why the service did not read the source itself; None if it did, or was not asked.
    """

    reached: int
    is_complete: bool
    not_served: str | None = None


@dataclass(frozen=True)
class Checks:
    """Which checksums are made of streamed bytes; the service computes its own of what it reads itself."""

    crc64: bool = True  # sent along, so that the service refuses what was damaged on its way
    sha256: bool = True


@dataclass(frozen=True)
class PageTransfer:
    """From one source into one target.

    `connections` pieces are on their way at a time, each in 4 MiB of memory at most. `is_fresh` says that the
    target holds zeros wherever nothing was written, so that zeros need not be.
    """

    source: Opened
    target: PageBlob
    connections: int = 8
    is_fresh: bool = False
    is_served: bool = True  # whether the service is asked to read the source itself, first
    checks: Checks = field(default_factory=Checks)

    def run(
        self,
        writes: Iterable[Write],
        is_over: Callable[[], bool],
        most_bytes: int | None = None,
        told: Callable[[Done], None] = lambda done: None,
    ) -> Transferred:
        """Do ascending writes until they are done, or `is_over`, or `most_bytes` were copied.

        `told` hears of everything that is done, in the order of the addresses and without a gap: what it has
        heard of need not be done again, also if the transfer fails. The first failure lets nothing new begin,
        waits for what is under way, and is raised.
        """
        shared = _Writes(writes, is_over, most_bytes, told)
        state = _State(self.is_served)
        # In a copied context, so that what a thread logs is told of the step that it works for.
        lanes = [
            threading.Thread(
                target=copy_context().run, args=(shared.work, _Lane(self, state).do), name="page-transfer",
                daemon=True,
            )
            for _ in range(self.connections)
        ]  # fmt: skip
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        return shared.outcome(state.not_served)


class _Writes:
    """The writes of one transfer, handed out in order and taken back in any."""

    def __init__(
        self,
        writes: Iterable[Write],
        is_over: Callable[[], bool],
        most_bytes: int | None,
        told: Callable[[Done], None],
    ) -> None:
        self._writes = _pieces(writes)
        self._is_over = is_over
        self._bytes_left = most_bytes
        self._told = told
        self._taken = self._heard = 0  # numbers of writes
        self._early: dict[int, Done] = {}  # done before one that comes before it
        self._reached = 0
        self._following: Write | None = None  # the first one that was not taken
        self._failure: BaseException | None = None
        self._is_closed = False
        self._lock = threading.Lock()

    def work(self, do: Callable[[Write], Done]) -> None:
        """Do writes, one after the other, as long as there are any to be done."""
        try:
            while taken := self._next():
                number, write = taken
                self._finish(number, do(write))
        except BaseException as failure:  # whatever it is, whoever waits for the threads must hear of it
            with self._lock:
                self._is_closed = True
                self._failure = self._failure or failure

    def outcome(self, not_served: str | None) -> Transferred:
        """Return how far it came; raises what went wrong first."""
        if self._failure is not None:
            raise self._failure
        following = self._following
        reached = following.start if following else self._reached
        return Transferred(reached, following is None, not_served)

    def _next(self) -> tuple[int, Write] | None:
        with self._lock:
            if self._is_closed:
                return None
            write = next(self._writes, None)
            spent = self._bytes_left is not None and self._bytes_left <= 0
            # Some of it is always done, however long the list took: else a slow one would never end.
            if write is None or spent or (self._taken and self._is_over()):
                self._is_closed = True
                self._following = write
                return None
            if self._bytes_left is not None and not write.is_clear:
                self._bytes_left -= write.length
            self._taken += 1
            return self._taken - 1, write

    def _finish(self, number: int, done: Done) -> None:
        with self._lock:
            self._early[number] = done
            while self._heard in self._early:
                heard = self._early.pop(self._heard)
                self._heard += 1
                self._reached = heard.end
                self._told(heard)


class _State:
    """What the lanes of a transfer have found out together."""

    def __init__(self, is_served: bool) -> None:
        self.is_served = is_served
        self.not_served: str | None = None


class _Lane:
    """Does one write at a time, with a buffer of its own."""

    def __init__(self, transfer: PageTransfer, state: _State) -> None:
        self._transfer = transfer
        self._state = state
        self._buffer: bytearray | None = None  # made when the first byte comes through here

    def do(self, write: Write) -> Done:
        """Do a write."""
        target = self._transfer.target
        if write.is_clear:
            _again(lambda: target.clear(write.start, write.end))
            return Done(write.start, write.end, How.CLEARED)
        if self._state.is_served:
            try:
                told = _again(lambda: target.put_from_url(write.start, write.length, self._transfer.source))
                return Done(write.start, write.end, How.SERVED, told)
            except CloudError as failure:
                if failure.code not in NOT_SERVED:
                    raise
                self._state.not_served = str(failure)
                self._state.is_served = False
        return self._streamed(write)

    def _streamed(self, write: Write) -> Done:
        transfer, checks = self._transfer, self._transfer.checks
        if self._buffer is None:
            self._buffer = bytearray(MOST_WRITTEN)
        data = memoryview(self._buffer)[: write.length]
        _again(lambda: read_into(transfer.target.wire, transfer.source, write.start, data))
        crc64 = checksums.crc64(data) if checks.crc64 else None
        sha256 = hashlib.sha256(data).digest() if checks.sha256 else None
        if transfer.is_fresh and self._buffer.startswith(_zeros()[: write.length]):
            return Done(write.start, write.end, How.ZEROS, crc64, sha256)
        _again(lambda: transfer.target.put(write.start, data, crc64))
        return Done(write.start, write.end, How.STREAMED, crc64, sha256)


def _again(ask: Callable[[], Answered]) -> Answered:
    """Ask, and once more at once where something was damaged on its way."""
    try:
        return ask()
    except Transient as transient:
        if transient.code not in _DAMAGED:
            raise
        return ask()


def _pieces(writes: Iterable[Write]) -> Iterator[Write]:
    """Cut what is longer than one write may be."""
    for write in writes:
        if write.is_clear or write.length <= MOST_WRITTEN:
            yield write
            continue
        for start in range(write.start, write.end, MOST_WRITTEN):
            yield Write(start, min(start + MOST_WRITTEN, write.end))


@cache
def _zeros() -> memoryview:
    return memoryview(bytes(MOST_WRITTEN))  # not at import: it is needed by transfers alone
