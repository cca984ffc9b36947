"""The bytes of managed snapshots: opened for a while, listed, read, and closed again.

Snapshots are made closed to everybody. Who reads one opens it, for no longer than is needed, and closes it:
Azure lets five snapshots of a disk be open at once, and whoever has the address of an open one can read it.
So addresses stay in this process: never in history, tables, logs or messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from clock import Clock
from domain.page_ranges import PageRange
from domain.policy import SnapshotAccess
from gateways.access_grants import AccessGrants
from gateways.blob_access import Opened
from gateways.compute import Compute
from gateways.page_lists import API_VERSION, list_pages
from gateways.storage_answers import expect
from gateways.wire import Wire

READ_BYTES = 4 * 1024 * 1024  # of one read: as much as one write takes


@dataclass(frozen=True)
class DiskData:
    """Opens snapshots of disks and reads them. `clock` says how long a moment's waiting lasts."""

    compute: Compute
    wire: Wire
    clock: Clock

    def open(self, snapshot_id: str, lasts: timedelta) -> Opened:
        """Let a snapshot be read until it is closed, or `lasts` has passed; by nobody else, if it is open.

        Raises what `AccessGrants.open` does.
        """
        return Opened.by_url(f"snapshot {snapshot_id}", self._grants.open(snapshot_id, "Read", lasts))

    def close(self, snapshot_id: str, access: SnapshotAccess = SnapshotAccess.DENIED) -> None:
        """Let nobody read a snapshot any more, whoever opened it; one that is gone is closed.

        `access` is that of the snapshot's location: as it was made, so it is left.
        """
        self._grants.close(snapshot_id, access)

    def page_ranges(
        self, opened: Opened, previous: Opened | None, start: int, end: int
    ) -> Iterator[PageRange]:
        """Yield what holds bytes between `start` and `end`, or differs there from a previous snapshot.

        Raises Refused with a code of page_lists.NO_DIFFERENCE where Azure cannot compare the two.
        """
        return list_pages(self.wire, opened, previous, start, end)

    def read_into(self, opened: Opened, start: int, buffer: memoryview) -> None:
        """Fill a buffer with the bytes from `start` on."""
        read_into(self.wire, opened, start, buffer)

    def length(self, opened: Opened) -> int:
        """Return how many bytes the blob has; that of a disk has its footer, too."""
        return length_of(self.wire, opened)

    @property
    def _grants(self) -> AccessGrants:
        return AccessGrants(self.compute, self.clock, "snapshot", lambda client: client.snapshots)


def read_into(wire: Wire, opened: Opened, start: int, buffer: memoryview) -> None:
    """Fill a buffer with a blob's bytes from `start` on; raises Transient if fewer or more come."""
    end = start + len(buffer)
    headers = opened.headers(API_VERSION)
    headers["x-ms-range"] = f"bytes={start}-{end - 1}"
    answer = wire.send("GET", opened.url(), headers, into=buffer)
    expect(answer, f"{opened.name}, bytes {start} to {end}", (206,))


def length_of(wire: Wire, opened: Opened) -> int:
    """Return how many bytes a blob has."""
    answer = expect(
        wire.send("HEAD", opened.url(), opened.headers(API_VERSION)), f"length of {opened.name}", (200,)
    )
    return int(answer.headers["content-length"])
