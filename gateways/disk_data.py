"""The bytes of managed snapshots: opened for a while, listed, read, and closed again.

Snapshots are made closed to everybody. Who reads one opens it, for no longer than is needed, and closes it:
Azure lets five snapshots of a disk be open at once, and whoever has the address of an open one can read it.
So addresses stay in this process: never in history, tables, logs or messages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from azure.mgmt.compute.models import GrantAccessData
from azure.mgmt.core.polling.arm_polling import ARMPolling

from clock import Clock
from domain.errors import Absent, Transient
from domain.page_ranges import PageRange
from domain.policy import SnapshotAccess
from gateways.blob_access import Opened
from gateways.compute import Compute, ResourceId
from gateways.failures import translated
from gateways.page_lists import API_VERSION, list_pages
from gateways.snapshots import NETWORK_ACCESS
from gateways.storage_answers import expect
from gateways.wire import Wire

LONGEST = timedelta(days=60)  # of one grant, since 2025-02-15; learn.microsoft.com, disks-sas-change
READ_BYTES = 4 * 1024 * 1024  # of one read: as much as one write takes

_LOOKS = 20  # at an operation that recorded traffic shows to take about a second
_BETWEEN_LOOKS = timedelta(seconds=2)


@dataclass(frozen=True)
class DiskData:
    """Opens snapshots of disks and reads them. `clock` says how long a moment's waiting lasts."""

    compute: Compute
    wire: Wire
    clock: Clock

    def open(self, snapshot_id: str, lasts: timedelta) -> Opened:
        """Let a snapshot be read until it is closed, or `lasts` has passed; again, if it is open already.

        Raises Refused if Azure does, as for a sixth snapshot of one disk, and Transient("StillOpening") if
        Azure takes longer than a minute to do it. What was begun must be closed then, too.
        """
        address = ResourceId.parse(snapshot_id)
        snapshots = self.compute.client(address.subscription).snapshots
        self._let_in(snapshots, address, snapshot_id, SnapshotAccess.ALLOWED)
        seconds = int(min(lasts, LONGEST).total_seconds())
        grant = GrantAccessData(access="Read", duration_in_seconds=seconds)
        with translated(f"opening snapshot {snapshot_id}"):
            granted = snapshots.begin_grant_access(
                address.group, address.name, grant, polling=self._looking(f"opening snapshot {snapshot_id}")
            ).result()
        if not granted or not granted.access_sas:
            raise Transient("StillOpening", f"opening snapshot {snapshot_id}: Azure told no address")
        return Opened.by_url(f"snapshot {snapshot_id}", granted.access_sas)

    def close(self, snapshot_id: str, access: SnapshotAccess = SnapshotAccess.DENIED) -> None:
        """Let nobody read a snapshot any more, whoever opened it; one that is gone is closed.

        `access` is that of the snapshot's location: as it was made, so it is left.
        """
        address = ResourceId.parse(snapshot_id)
        snapshots = self.compute.client(address.subscription).snapshots
        what = f"closing snapshot {snapshot_id}"
        try:
            with translated(what):
                snapshots.begin_revoke_access(
                    address.group, address.name, polling=self._looking(what)
                ).result()
            self._let_in(snapshots, address, snapshot_id, access)
        except Absent:
            return

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

    def _let_in(self, snapshots: Any, address: ResourceId, snapshot_id: str, access: SnapshotAccess) -> None:
        wanted = NETWORK_ACCESS[access]
        what = f"network access of snapshot {snapshot_id}"
        with translated(what):
            found = snapshots.get(address.group, address.name).as_dict().get("properties", {})
            if all(found.get(name) == value for name, value in wanted.items()):
                return
            snapshots.begin_update(
                address.group, address.name, {"properties": dict(wanted)}, polling=self._looking(what)
            ).result()

    def _looking(self, what: str) -> ARMPolling:
        return _FewLooks(what, self._let_pass)

    def _let_pass(self) -> None:
        seconds = self.clock.seconds_until(self.clock.now() + _BETWEEN_LOOKS)
        if seconds:  # None where the clock stands still: then waiting helps nobody
            time.sleep(seconds)


class _FewLooks(ARMPolling):
    """The SDK's way to follow an operation, but with short pauses only, and not for ever."""

    def __init__(self, what: str, pause: Callable[[], None]) -> None:
        super().__init__(timeout=1)
        self._what = what
        self._pause = pause
        self._looks = 0

    def _sleep(self, delay: float) -> None:
        self._looks += 1
        if self._looks > _LOOKS:
            raise Transient(
                "StillOpening", f"{self._what}: Azure is still at it after {_LOOKS} looks; ask again"
            )
        self._pause()


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
