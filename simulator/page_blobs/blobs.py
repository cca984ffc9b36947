"""Page blobs and their snapshots: the bytes, and what is told of them.

A blob keeps its snapshots when it is written over by Put Blob or Copy Blob (Azure Storage REST), but
what lies between a snapshot from before and the new blob can no longer be told: `generation` says which of
them go together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from simulator.data_plane.conditions import Stamp
from simulator.images import Image
from simulator.images.ranges import PageRange
from simulator.page_blobs.cleared import with_cleared
from simulator.page_blobs.pace import Pace
from simulator.wire import BodyPart

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
TICKS = 10_000_000  # in a second


def ticks_of(moment: datetime) -> int:
    """Return a moment in the unit of ETags and of snapshots: 100 nanoseconds since the year 1."""
    since = moment - _EPOCH
    return (since.days * 86400 + since.seconds) * TICKS + since.microseconds * 10


def snapshot_time(ticks: int) -> str:
    """Return the name of a snapshot: its moment, with seven digits of a second."""
    seconds, rest = divmod(ticks, TICKS)
    days, seconds = divmod(seconds, 86400)
    moment = datetime.fromordinal(days + 1)
    hours, seconds = divmod(seconds, 3600)
    return f"{moment:%Y-%m-%d}T{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}.{rest:07d}Z"


@dataclass(frozen=True)
class CopyRecord:
    """What is told of the copy that a blob was made by; `completed` is None while it is pending, and
    `aborted_at` tells how many bytes there were when it was aborted."""

    id: str
    source: str
    total: int
    began: datetime
    takes_seconds: float
    completed: datetime | None = None
    aborted_at: int | None = None

    def done(self, now: datetime) -> int:
        """Return how many bytes are copied; all of them are only when the copy has ended."""
        if self.completed is not None:
            return self.total if self.aborted_at is None else self.aborted_at
        share = (now - self.began).total_seconds() / self.takes_seconds if self.takes_seconds else 1.0
        return max(0, min(int(self.total * share), self.total - 1))


@dataclass
class BlobState:
    """A blob as it is now, or as it was when a snapshot was taken."""

    image: Image
    created: datetime
    modified: datetime
    etag: str
    generation: int
    metadata: dict[str, str] = field(default_factory=dict)
    content: dict[str, str] = field(default_factory=dict)  # content-type and its like
    sequence_number: int = 0
    copy: CopyRecord | None = None
    cleared: list[PageRange] = field(default_factory=list)  # one list for a blob and its snapshots
    cleared_before: int | None = None  # how much of it a snapshot knows

    @property
    def length(self) -> int:
        """The length of the blob in bytes."""
        return self.image.size_bytes

    @property
    def stamp(self) -> Stamp:
        """What conditions are held against."""
        return Stamp(self.etag, self.modified)

    @property
    def is_pending(self) -> bool:
        """Whether a copy into the blob is under way."""
        return self.copy is not None and self.copy.completed is None

    def parts(self, start: int, end: int) -> list[BodyPart]:
        """Return the bytes from `start` up to, and not including, `end`."""
        return self.image.parts(start, end - start)

    def page_ranges(self, start: int, end: int) -> Iterator[PageRange]:
        """Yield what was written within a window."""
        return self.image.page_ranges(start, end)

    def changes_since(self, older: BlobState, start: int, end: int) -> Iterator[PageRange]:
        """Yield what makes this blob out of an older one, within a window."""
        changes = self.image.changes_since(older.image, start, end)
        meanwhile = self.cleared[older.cleared_before : self.cleared_before]
        return with_cleared(changes, meanwhile, self.image, start, end) if meanwhile else changes

    def clear(self, start: int, end: int, is_noted: bool) -> None:
        """Clear pages, and note which of them had been written if a difference may tell them."""
        if is_noted:
            self.cleared += [each._replace(is_clear=True) for each in self.image.page_ranges(start, end)]
        self.image.clear(start, end - start)


@dataclass
class PageBlob:
    """One page blob as it is now, and its snapshots by their moments; no snapshot outlives its blob."""

    name: str
    base: BlobState
    pace: Pace
    snapshots: dict[str, BlobState] = field(default_factory=dict)

    def state(self, snapshot: str | None) -> BlobState | None:
        """Return the blob, or one of its snapshots if that is there."""
        return self.base if snapshot is None else self.snapshots.get(snapshot)

    def freeze(self, name: str, metadata: dict[str, str] | None) -> BlobState:
        """Take a snapshot; without metadata of its own it gets the blob's."""
        told = dict(self.base.metadata if metadata is None else metadata)
        found = replace(self.base, image=self.base.image.freeze_copy(), metadata=told)
        found.content = dict(self.base.content)
        found.cleared_before = len(self.base.cleared)
        self.snapshots[name] = found
        return found

    def release(self) -> None:
        """Give all bytes back."""
        for state in (self.base, *self.snapshots.values()):
            state.image.release()
