"""The manifest of a replica: everything a restore needs, kept beside the data, without the catalogue.

A manifest is written once and is byte-identical when written again, so nothing in it changes later: states,
holds and expiry are not in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.copies import Copy, CopyState
from domain.policy import Location, Method
from domain.restore_points import RestorePoint
from domain.vms import Disk, VirtualMachine

FORMAT = 1
NO_BYTES_PASSED = "none: Azure copied the snapshots itself, no byte of them passed through Tidemark"
CHAINED = (
    "per disk a chain over all windows: CRC-64/NVME as the storage service tells it of each write, and "
    "SHA-256 of what passed through Tidemark"
)


@dataclass(frozen=True)
class ReplicaBlob:
    """One disk of a replica as a page blob: its name in the container, a URL, and the time stamp of its seal.

    `length` counts the VHD's footer. `link` is the last of the chain of digests that was kept while it was
    written (domain/window_records.py); `base` is the point that its difference was taken against, if any.
    """

    name: str
    sealed: str
    length: int
    link: str
    base: str | None
    container: str


@dataclass(frozen=True)
class ManifestDisk:
    """One disk of a replica: what it was, and the snapshot, or the blob, that holds it here."""

    disk: Disk
    snapshot_id: str  # empty where a blob holds it
    taken: datetime
    blob: ReplicaBlob | None = None


@dataclass(frozen=True)
class Manifest:
    """What one replica of one restore point holds."""

    format: int
    point: str
    location: str
    region: str
    slot: datetime
    policy: str
    consistency: str
    skew: timedelta
    method: str
    hashes: str
    vm: VirtualMachine
    disks: tuple[ManifestDisk, ...]

    @property
    def name(self) -> str:
        """The name of the blob that holds it: the points of a VM lie side by side."""
        return manifest_name(self.vm.key, self.point)


def manifest_name(vm: str, point: str) -> str:
    """Return the name of the blob that holds the manifest of a point."""
    return f"{vm}/{point}.json"


def home_manifest(point: RestorePoint, location: Location) -> Manifest:
    """Describe the home replica of an available point."""
    held = {part.disk.key: Held(part.snapshot_id) for part in point.disks}
    return _manifest(point, location, held, Method.SNAPSHOT)


def recovery_manifest(point: RestorePoint, location: Location, copies: Sequence[Copy]) -> Manifest:
    """Describe a replica whose copies are all complete; raises ValueError if one is not."""
    complete = [copy for copy in copies if copy.state is CopyState.AVAILABLE]
    is_paged = any(copy.pages for copy in complete)
    held = {copy.disk: _held_by(copy, location) for copy in complete}
    return _manifest(point, location, held, Method.PAGES if is_paged else Method.SNAPSHOT)


@dataclass(frozen=True)
class Held:
    """What holds a disk in a location: a snapshot or a blob."""

    snapshot_id: str
    blob: ReplicaBlob | None = None


def _held_by(copy: Copy, location: Location) -> Held:
    pages = copy.pages
    if pages is None:
        return Held(copy.target_id(location))
    base = pages.base.point if pages.base else None
    return Held("", ReplicaBlob(pages.blob, pages.sealed, pages.length, pages.link, base, copy.container))


def _manifest(point: RestorePoint, location: Location, held: Mapping[str, Held], method: Method) -> Manifest:
    missing = [part.disk.name for part in point.disks if part.disk.key not in held]
    if missing or point.skew is None:
        raise ValueError(
            f"restore point {point.id} is not whole in {location.name}: {missing or 'no moments'}"
        )
    disks = tuple(
        ManifestDisk(
            part.disk, held[part.disk.key].snapshot_id, part.snapshot.created, held[part.disk.key].blob
        )
        for part in point.disks
        if part.snapshot and part.snapshot.created
    )
    return Manifest(
        format=FORMAT,
        point=point.id,
        location=location.name,
        region=location.region,
        slot=point.slot,
        policy=point.policy,
        consistency=point.consistency,
        skew=point.skew,
        method=method,
        hashes=CHAINED if method is Method.PAGES else NO_BYTES_PASSED,
        vm=point.vm,
        disks=disks,
    )
