"""One disk that can be exported by SAS, for tests: in memory or over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient

from clock import ManualClock
from simulator.data_plane import DataPlane
from simulator.data_plane.access import Access, AccessTable
from simulator.images import Image, ImageStore
from simulator.server import Server
from simulator.transport import transport
from simulator.wire import Request, Response

MIB = 1024 * 1024
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class ExportedDisk:
    """One disk of 8 MiB, its snapshots, and a way to reach them."""

    clock: ManualClock
    accesses: AccessTable
    plane: DataPlane
    disk: Image
    base_url: str | None
    lost: set[str] = field(default_factory=set)

    def snapshot(self, name: str, family: str | None = "family", lasting: timedelta = HOUR) -> Access:
        """Take a snapshot of the disk and let it be read for a while; the clock moves on by a minute."""
        access = self.accesses.grant(
            name,
            image=self.disk.freeze_copy(),
            family_id=family,
            created=self.clock.now(),
            region="westeurope",
            readable_until=self.clock.now() + lasting,
        )
        self.clock.advance(timedelta(minutes=1))
        return access

    def blob(self, access: Access, api_version: str = "2020-10-02", **options: Any) -> BlobClient:
        # For plain HTTP the SDK's own transport reaches the server.
        if not self.base_url:
            options["transport"] = transport(self.plane)
        return BlobClient.from_blob_url(
            access.url(self.base_url), api_version=api_version, retry_total=0, **options
        )

    def get(self, access: Access, headers: dict[str, str] | None = None, extra: str = "") -> Response:
        return self.plane.handle(Request.of("GET", access.url() + extra, headers))


@contextmanager
def exported_disk(over_http: bool) -> Iterator[ExportedDisk]:
    """Open a disk of 8 MiB of zeros."""
    store, clock = ImageStore(), ManualClock(START)
    accesses = AccessTable(clock, Random(1))
    lost: set[str] = set()
    plane = DataPlane(accesses, clock, lost.__contains__)
    disk = store.create(8 * MIB)
    try:
        if over_http:
            with Server(plane) as server:
                yield ExportedDisk(clock, accesses, plane, disk, server.url, lost)
        else:
            yield ExportedDisk(clock, accesses, plane, disk, None, lost)
    finally:
        store.close()


Change = tuple[str, int, int]  # "page" or "clear", start, end


def changes_of(blob: BlobClient, previous: str, **options: Any) -> list[Change]:
    """Read a difference with all its pages, in the order of the service, through the SDK's own method, which
    drops the marker (azure-semantics.md §4.3); so the marker is caught on its way."""
    found: list[Change] = []
    caught: list[str | None] = [None]

    def catch(_: Any, page: Any, headers: Any) -> Any:
        caught[0] = page.next_marker
        return page

    while True:
        written, cleared = blob.get_page_range_diff_for_managed_disk(
            previous, marker=caught[0], cls=catch, **options
        )
        page = [("page", each["start"], each["end"] + 1) for each in written]
        page += [("clear", each["start"], each["end"] + 1) for each in cleared]
        found += sorted(page, key=lambda each: each[1])
        if not caught[0]:
            return found


def with_changes(changes: list[Change], older: bytes, newer: bytes) -> bytes:
    """Return the older bytes with the changed ranges taken from the newer ones."""
    content = bytearray(older.ljust(len(newer), b"\0"))
    for kind, start, end in changes:
        content[start:end] = newer[start:end] if kind == "page" else bytes(end - start)
    return bytes(content)


def refusal(error: HttpResponseError) -> str:
    """Return how the storage service refused: "403 AuthenticationFailed"."""
    answer: Any = error.response
    code = answer.headers["x-ms-error-code"]
    return f"{error.status_code} {code}"
