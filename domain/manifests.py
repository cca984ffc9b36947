"""The manifest of a replica: everything a restore needs, kept beside the data, without the catalogue.

A manifest is written once and is byte-identical when written again, so nothing in it changes later: states,
holds and expiry are not in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.copies import Copy, CopyState
from domain.policy import Location
from domain.restore_points import RestorePoint
from domain.vms import Disk, VirtualMachine

FORMAT = 1
NO_BYTES_PASSED = "none: Azure copied the snapshots itself, no byte of them passed through Tidemark"


@dataclass(frozen=True)
class ManifestDisk:
    """One disk of a replica: what it was, and the snapshot that holds it here."""

    disk: Disk
    snapshot_id: str
    taken: datetime


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
    held = {part.disk.key: part.snapshot_id for part in point.disks}
    return _manifest(point, location, held)


def recovery_manifest(point: RestorePoint, location: Location, copies: Sequence[Copy]) -> Manifest:
    """Describe a replica whose copies are all complete; raises ValueError if one is not."""
    complete = [copy for copy in copies if copy.state is CopyState.AVAILABLE]
    return _manifest(point, location, {copy.disk: copy.target_id(location) for copy in complete})


def _manifest(point: RestorePoint, location: Location, held: Mapping[str, str]) -> Manifest:
    missing = [part.disk.name for part in point.disks if part.disk.key not in held]
    if missing or point.skew is None:
        raise ValueError(
            f"restore point {point.id} is not whole in {location.name}: {missing or 'no moments'}"
        )
    disks = tuple(
        ManifestDisk(part.disk, held[part.disk.key], part.snapshot.created)
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
        method="snapshot",
        hashes=NO_BYTES_PASSED,
        vm=point.vm,
        disks=disks,
    )
