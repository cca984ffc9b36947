"""Verifications: a replica in a page blob is held against the snapshot at home that it was copied from.

Every day the newest replica of each disk and location is read in windows (domain/windows.py): at first all
that changed since the last one that was verified, and every day a sample, so that all of a blob is read in
ROTATION_DAYS. A sample is of what no difference told, which is where a difference that Azure told wrongly, or
a blob that somebody else wrote into, would hide for ever.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from heapq import merge
from itertools import groupby

from domain.copies import Copy, CopyState
from domain.names import copy_partition
from domain.page_copies import PageProgress
from domain.page_ranges import PageRange
from domain.snapshots import Snapshot
from domain.vhd import FOOTER_BYTES
from domain.windows import covered_windows, sampled_windows

ROTATION_DAYS = 30  # in which every window of a blob is read at least once
WINDOW_BYTES = 16 << 20  # two requests or three of each side, so that a window more or less costs little
GIVES_WAY = timedelta(minutes=30)  # to a copy of the same disk, then one batch goes first
UNVERIFIED_FOR = timedelta(hours=60)  # between the first and the last of four daily ones there are 72
PATIENCE = timedelta(hours=20)  # for a turn; then the next day's verification does this one's share, too


class VerificationState(StrEnum):
    """What a verification has come to."""

    UNDER_WAY = "under_way"
    EQUAL = "equal"
    DAMAGED = "damaged"
    UNKNOWN = "unknown"  # it could not be held against its source: never taken for equal


@dataclass(frozen=True)
class Verification:
    """One look at the copy of one disk of a replica, as far as it has come.

    `vm` is the key of its VM. Everything before `reached` was compared, of what is to be. `day` is the last
    of the `days` whose samples are read, in days since the year 1. With `is_whole` all is read; else what has
    changed since the snapshot `previous_id`, if there is one. `suspects` are addresses that are read whatever
    has changed. `waits_since` is when it was first kept from going on. `reason` and `address` say what was
    found.
    """

    vm: str
    copy: Copy
    day: int
    days: int = 1
    is_whole: bool = False
    previous_id: str | None = None
    suspects: tuple[int, ...] = ()
    reached: int = 0
    read_bytes: int = 0
    waits_since: datetime | None = None
    state: VerificationState = VerificationState.UNDER_WAY
    reason: str = ""
    address: int | None = None

    @property
    def pages(self) -> PageProgress:
        """The pages of the copy; raises ValueError where Azure copied the snapshot itself."""
        if self.copy.pages is None:
            raise ValueError(f"the copy of {self.copy.disk_name} of {self.copy.point} is no page blob")
        return self.copy.pages

    @property
    def is_under_way(self) -> bool:
        """Whether there is more to compare."""
        return self.state is VerificationState.UNDER_WAY

    @property
    def body_bytes(self) -> int:
        """How many bytes of the blob are the disk's; the VHD's footer comes after them."""
        return self.pages.length - FOOTER_BYTES

    @property
    def holder(self) -> str:
        """The name under which it holds the turn at its disk."""
        return f"verify~{copy_partition(self.copy.disk, self.copy.location)}"

    def chosen_windows(self) -> list[tuple[int, int]]:
        """Return the windows that are read whatever has changed, ascending: the sample, and the suspects'.

        They follow from the disk and the location, so the rotation goes on from one replica to the next.
        """
        length = self.pages.length
        seed = copy_partition(self.copy.disk, self.copy.location)
        chosen = {
            window
            for day in range(self.day - self.days + 1, self.day + 1)
            for window in sampled_windows(length, WINDOW_BYTES, seed, day, ROTATION_DAYS)
        }
        for address in self.suspects:
            start = address // WINDOW_BYTES * WINDOW_BYTES
            chosen.add((start, min(start + WINDOW_BYTES, length)))
        return sorted(chosen)

    def windows(
        self, changes: Iterable[PageRange], chosen: Sequence[tuple[int, int]], start: int, end: int
    ) -> Iterator[tuple[int, int]]:
        """Yield the windows to read between `start`, where a window begins, and `end`, each once, ascending.

        `changes` are those between the two since `previous_id`, none without one.
        """
        length = self.pages.length
        if self.is_whole:
            return covered_windows([PageRange(start, end)], WINDOW_BYTES, length)
        those = chosen[bisect_left(chosen, (start, 0)) : bisect_left(chosen, (end, 0))]
        together = merge(covered_windows(changes, WINDOW_BYTES, length), those)
        return (window for window, _ in groupby(together))

    def further(self, reached: int, read_bytes: int) -> Verification:
        """Return the verification after everything before `reached` was compared."""
        return replace(self, reached=reached, read_bytes=self.read_bytes + read_bytes, waits_since=None)

    def waiting(self, now: datetime) -> Verification:
        """Return the verification where it could not go on now; given up for the day after PATIENCE."""
        since = self.waits_since or now
        if now - since >= PATIENCE:
            return self.unknown(f"it waited for its turn at the disk since {since}")
        return replace(self, waits_since=since)

    def gives_way(self, now: datetime) -> bool:
        """Whether a copy of the disk that is under way goes first; for ever it does not."""
        return self.waits_since is None or now - self.waits_since < GIVES_WAY

    def without_difference(self) -> Verification:
        """Return the verification where Azure cannot tell what has changed: everything is read then."""
        return replace(self, previous_id=None, is_whole=True)

    def verified(self, now: datetime) -> datetime:
        """Return from when on a replica that it found equal is verified: `now`, or the end of its own day.

        One that took until another day has not read that day's sample, which must not be left out.
        """
        day = datetime.fromordinal(self.day).replace(tzinfo=UTC)
        return min(now, day + timedelta(days=1, seconds=-1))

    def equal(self) -> Verification:
        """Return the verification as one that has found no difference."""
        return replace(self, state=VerificationState.EQUAL)

    def damaged(self, address: int | None, reason: str) -> Verification:
        """Return the verification as one that has found a difference, first at this address."""
        return replace(self, state=VerificationState.DAMAGED, address=address, reason=reason)

    def unknown(self, reason: str) -> Verification:
        """Return the verification as one that could not be brought to its end."""
        return replace(self, state=VerificationState.UNKNOWN, reason=reason)


@dataclass(frozen=True)
class VerificationOrder:
    """Verify the newest available replica of one disk in one location; `begun` is what is under way of it."""

    disk: str
    location: str
    begun: Verification | None = None

    @property
    def instance(self) -> str:
        """The id of the orchestration that does it."""
        return f"verify:{self.disk}:{self.location}"


def plan_verification(
    vm: str, copy: Copy, queue: Sequence[Copy], day: int, find: Callable[[str], Snapshot | None]
) -> Verification:
    """Plan the verification of a copy.

    `queue` has all copies of its disk there, oldest first; `find` looks a snapshot up.
    """
    planned = Verification(vm, copy, day)
    source = find(copy.source_id)
    if source is None or not source.is_usable:
        return planned.unknown(f"snapshot {copy.source_id}, which it was copied from, is gone")
    if not source.is_known_as(copy.source_unique_id):
        return planned.unknown(f"snapshot {copy.source_id} is another one than it was copied from")
    same = [other for other in queue if _is_in(other, planned.pages.blob)]
    days = min(max(day - _last_day(same, day - 1), 1), ROTATION_DAYS)
    planned = replace(planned, days=days, suspects=_suspects(planned.pages, same))
    if days == ROTATION_DAYS:
        return replace(planned, is_whole=True)  # the samples of so many days are everything
    if copy.verified:
        return planned
    previous = _previous(copy, same, source, find)
    return replace(planned, previous_id=previous, is_whole=previous is None)


def _last_day(same: Sequence[Copy], unless: int) -> int:
    """Return the day on which a replica in the blob was last verified."""
    return max((other.verified.toordinal() for other in same if other.verified), default=unless)


def _suspects(pages: PageProgress, same: Sequence[Copy]) -> tuple[int, ...]:
    """Return where others in the blob are damaged, and where the footer lay before the disk grew."""
    found = {other.damaged_at for other in same if other.damaged_at is not None}
    if pages.base and pages.base.length != pages.length:
        found.add(pages.base.length - FOOTER_BYTES)
    return tuple(sorted(address for address in found if address < pages.length))


def _previous(
    copy: Copy, same: Sequence[Copy], source: Snapshot, find: Callable[[str], Snapshot | None]
) -> str | None:
    """Return since which snapshot changes were never verified; None if all of it was not, or none can tell.

    That of the newest replica in the blob that was verified; where it is gone that of the base, and what
    changed between the two is left to the sample. Where none was, nobody has read the whole copy either that
    the blob began with, as there are newer ones when a day's verification begins.
    """
    base = copy.pages.base if copy.pages else None
    verified = [other for other in same if other.verified and other.source_created < copy.source_created]
    if base is None or not verified:
        return None
    known = {other.source_id: other.source_unique_id for other in same}
    for snapshot_id in (verified[-1].source_id, base.snapshot_id):
        found = find(snapshot_id)
        if found is None or not found.is_usable:
            continue
        is_it = snapshot_id not in known or found.is_known_as(known[snapshot_id])
        if is_it and found.family_id and found.family_id == source.family_id:
            return snapshot_id
    return None


def unverified_since(queue: Sequence[Copy], now: datetime) -> datetime:
    """Return since when no verification of a disk in a location has come to its end; one has failed now.

    `queue` has all copies of the disk there: what failed for one of them goes on for the next.
    """
    verified = max((copy.verified for copy in queue if copy.verified), default=None)
    failed = (copy.unverified_since for copy in queue if copy.unverified_since)
    return min((since for since in failed if verified is None or since > verified), default=now)


def _is_in(copy: Copy, blob: str) -> bool:
    """Whether a copy is a seal in a blob."""
    return copy.state is CopyState.AVAILABLE and copy.pages is not None and copy.pages.blob == blob
