"""A copy by pages: what changed since the previous snapshot is written into a page blob, window by window.

The blob of a disk in a location holds the newest replica; its blob snapshots are that one and the older ones.
A copy is written from the beginning of the address space to its end, some of it in each batch, and then
sealed: a blob snapshot is taken, and only that makes it a replica. A batch that is repeated writes the same
bytes again. What a copy that was given up has left in the blob is overwritten by the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from domain.window_records import WindowRecord, chained


@dataclass(frozen=True)
class PageBase:
    """The replica that a copy builds on: its point, its snapshot at home, its seal and length in the blob."""

    point: str
    snapshot_id: str
    sealed: str
    length: int


@dataclass(frozen=True)
class PageProgress:
    """Which blob a copy is written into, and how far it is.

    `length` is that of the blob, the VHD's footer included; everything before `reached` is written. `base` is
    None where the copy is whole, `why_whole` says why. `link` is the last of the chain of digests, which
    begins with what is copied and, of a difference, the last link of its base. `sealed` is the time stamp of
    the blob snapshot, empty until it is taken. `sequence` is the blob's sequence number once all of that was
    written: one that has a lower one has not all of it, as after a failover of its account.
    """

    blob: str
    length: int
    link: str
    base: PageBase | None = None
    why_whole: str = ""
    reached: int = 0
    written_bytes: int = 0
    cleared_bytes: int = 0
    streamed_bytes: int = 0
    requests: int = 0
    sealed: str = ""
    sequence: int = 0

    @property
    def percent(self) -> float:
        """How much of the address space is done."""
        return 100.0 * self.reached / self.length

    @property
    def is_written(self) -> bool:
        """Whether every page is where it belongs, so that the blob can be sealed."""
        return self.reached == self.length

    def further(self, window: WindowRecord, streamed_bytes: int) -> PageProgress:
        """Return the progress after one more window; raises ValueError if it is not the next one."""
        if window.start != self.reached:
            raise ValueError(f"blob {self.blob}: window {window.start} does not follow on {self.reached}")
        return replace(
            self,
            reached=window.end,
            link=chained(self.link, window),
            written_bytes=self.written_bytes + window.written_bytes,
            cleared_bytes=self.cleared_bytes + window.cleared_bytes,
            streamed_bytes=self.streamed_bytes + streamed_bytes,
            requests=self.requests + window.requests,
        )
