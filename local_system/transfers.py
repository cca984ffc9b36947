"""Copies that have arrived: when each began and arrived by Tidemark's books, and how much of it was moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from local_system.failures import LocalSystemFailed
from local_system.points import Document, replica_of, time_of
from local_system.sizes import size_text
from simulator.meter import Meter


@dataclass(frozen=True)
class Transfer:
    """The copy of one disk of a restore point. `bytes_moved` is by the simulator's meter: Azure has none."""

    disk: str
    of: str  # the time of day of its restore point
    began: datetime
    arrived: datetime
    bytes_moved: int


def transfers(point: Document, location: str, meter: Meter) -> list[Transfer]:
    """Return the copies of a restore point that is available in a location."""
    return [
        Transfer(
            copy["name"],
            time_of(point),
            datetime.fromisoformat(copy["started"]),
            datetime.fromisoformat(copy["progressed"]),
            meter.bytes_copied(copy["snapshot"]),
        )
        for copy in replica_of(point, location)["disks"]
    ]


@dataclass(frozen=True)
class Written:
    """What was written into page blobs for one restore point, by Tidemark's books.

    `streamed_bytes` of it passed through Tidemark; the storage service read the others by itself.
    """

    arrived: datetime
    bytes_written: int
    streamed_bytes: int
    requests: int
    is_whole: bool


def written(point: Document, location: str) -> Written:
    """Return what was written for a restore point that is available in a location with page blobs."""
    copies = replica_of(point, location)["disks"]
    pages = [copy["pages"] for copy in copies]
    return Written(
        arrived=max(datetime.fromisoformat(copy["progressed"]) for copy in copies),
        bytes_written=sum(each["writtenBytes"] for each in pages),
        streamed_bytes=sum(each["streamedBytes"] for each in pages),
        requests=sum(each["requests"] for each in pages),
        is_whole=all(each["isWhole"] for each in pages),
    )


def require_differences(older: Written, newer: Written) -> None:
    """Raise LocalSystemFailed unless the older point was written whole, and of the newer what has changed."""
    if not older.is_whole or newer.is_whole:
        raise LocalSystemFailed("Writing page blobs", "it was not once whole, and then what had changed")


def require_order(older: Sequence[Transfer], newer: Sequence[Transfer]) -> None:
    """Raise LocalSystemFailed if the newer copy of a disk began before the older one had arrived."""
    arrived = {copy.disk: copy.arrived for copy in older}
    overtaken = [copy.disk for copy in newer if copy.began < arrived[copy.disk]]
    if overtaken:
        reason = f"the newer copy of {', '.join(overtaken)} began before the older one had arrived"
        raise LocalSystemFailed("Working the queues in order", reason)


def transfer_table(older: Sequence[Transfer], newer: Sequence[Transfer]) -> Iterator[tuple[str, ...]]:
    """Write copies of two restore points as rows of a table, disk by disk, the older point first."""
    yield ("disk", "point of", "began", "arrived", "moved")
    for first in older:
        for copy in (first, *(other for other in newer if other.disk == first.disk)):
            moments = (f"{moment:%H:%M:%S}" for moment in (copy.began, copy.arrived))
            yield (copy.disk, copy.of, *moments, size_text(copy.bytes_moved))
