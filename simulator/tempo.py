"""How long things take in the simulated cloud, in virtual time, and how much a page holds.

Azure promises no durations. The defaults are near what recorded traffic shows (a snapshot's operation under a
second, a copy's up to ten, a virtual machine's about a minute) and can be changed for a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MIB = 1 << 20


@dataclass(frozen=True)
class Tempo:
    """Durations and speeds; bytes per second where a speed is meant.

    The requests and bytes that one page blob takes in a second are a limit, not a speed: beyond it comes 503
    ServerBusy, and None means none (page_blobs/pace.py).
    """

    snapshot: timedelta = timedelta(seconds=1)
    disk: timedelta = timedelta(seconds=1)
    copy_accepted: timedelta = timedelta(seconds=5)
    access: timedelta = timedelta(seconds=1)
    delete: timedelta = timedelta(seconds=1)
    network: timedelta = timedelta(seconds=1)
    create_machine: timedelta = timedelta(seconds=40)
    update_machine: timedelta = timedelta(seconds=15)
    start: timedelta = timedelta(seconds=20)
    stop: timedelta = timedelta(seconds=30)
    delete_machine: timedelta = timedelta(seconds=30)
    copy_at_least: timedelta = timedelta(seconds=30)
    copy_bytes_per_second: int = 100 * MIB
    background_at_least: timedelta = timedelta(seconds=10)
    background_bytes_per_second: int = 200 * MIB
    blob_copy_at_least: timedelta = timedelta(seconds=2)
    blob_copy_bytes_per_second: int = 60 * MIB
    blob_requests_per_second: int | None = 500
    blob_bytes_per_second: int | None = 60 * MIB
    page_size: int = 50

    def copying(self, size_bytes: int) -> timedelta:
        """Return how long a cross-region copy of that many bytes takes."""
        return self.copy_at_least + timedelta(seconds=size_bytes / self.copy_bytes_per_second)

    def completing(self, size_bytes: int) -> timedelta:
        """Return how long Ultra and Premium SSD v2 take to complete a snapshot, or a disk made from one."""
        return self.background_at_least + timedelta(seconds=size_bytes / self.background_bytes_per_second)

    def copying_blob(self, size_bytes: int) -> timedelta:
        """Return how long Copy Blob takes for that many bytes."""
        return self.blob_copy_at_least + timedelta(seconds=size_bytes / self.blob_copy_bytes_per_second)
