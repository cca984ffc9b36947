"""How much one page blob takes: 500 requests and 60 MiB a second, then 503 ServerBusy.

Source: "Scalability and performance targets for Blob storage" (Microsoft); the numbers stand in
`Tempo.blob_requests_per_second` and `Tempo.blob_bytes_per_second`, each None for "without a limit". They are
counted on the simulator's clock: where it stands still, a blob takes one second's worth until it is moved,
and where it runs fast, so does the blob. A demo or benchmark at another pace than Azure's sets them for
itself.

Own choices: what is read and written, directly or from a URL, counts alike; one second's worth can come at
once; a request is let in while anything is left, so that no single one is too large. Limits of whole accounts
are not simulated, nor those of the disks' own hosts.
"""

from __future__ import annotations

import threading
from datetime import datetime

from simulator.data_plane.errors import StorageError
from simulator.tempo import Tempo


class Pace:
    """What one blob has left, of requests and of bytes."""

    def __init__(self, tempo: Tempo) -> None:
        limits = (tempo.blob_requests_per_second, tempo.blob_bytes_per_second)
        self._limits = limits
        self._left = [float(limit or 0) for limit in limits]
        self._since: datetime | None = None
        self._lock = threading.Lock()

    def admit(self, now: datetime) -> None:
        """Let one request in; raises StorageError ServerBusy if too much came before."""
        with self._lock:
            self._refill(now)
            if any(
                limit is not None and left <= 0 for limit, left in zip(self._limits, self._left, strict=True)
            ):
                raise StorageError("ServerBusy")
            self._left[0] -= 1

    def charge(self, size_bytes: int) -> None:
        """Count bytes that were read or written."""
        with self._lock:
            self._left[1] -= size_bytes

    def _refill(self, now: datetime) -> None:
        since, self._since = self._since or now, now
        seconds = max(0.0, (now - since).total_seconds())
        for at, limit in enumerate(self._limits):
            if limit is not None:
                self._left[at] = min(float(limit), self._left[at] + seconds * limit)
