"""Uploads into disks that are made empty for it: opened for writing, written like a page blob, and ended.

A disk is no disk before its upload is ended, and Azure ends none without the footer of a VHD: so the footer
is to be written last, and a disk that is half uploaded never passes for a whole one.
Source: azure-semantics.md §4.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from clock import Clock
from gateways.access_grants import AccessGrants
from gateways.blob_access import Opened
from gateways.compute import Compute
from gateways.page_blobs import PageBlob
from gateways.wire import Wire


@dataclass(frozen=True)
class DiskUploads:
    """Opens disks for uploads and ends those. `clock` says how long a moment's waiting lasts."""

    compute: Compute
    wire: Wire
    clock: Clock

    def open(self, disk_id: str, lasts: timedelta) -> PageBlob:
        """Return what is to be written, until `lasts` has passed; again, if it is open already."""
        opened = Opened.by_url(f"disk {disk_id}", self._grants.open(disk_id, "Write", lasts))
        container, _, name = opened.address.rpartition("/")
        return PageBlob(self.wire, container, name, opened.access, self.compute.identity)

    def end(self, disk_id: str) -> None:
        """Make a disk of what was uploaded, which nobody reads or writes from outside any more.

        Doing it twice is harmless. Raises Refused if what was uploaded is not whole.
        """
        self._grants.close(disk_id)

    @property
    def _grants(self) -> AccessGrants:
        return AccessGrants(self.compute, self.clock, "disk", lambda client: client.disks)
