"""The simulator's own meter: what Azure tells nobody, counted for benches, demos and tests.

No API of Azure says how many bytes an incremental copy moved or which rights a client used. The simulator
knows, because it does the moving and the checking. Nothing here is an answer of Azure.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class CopiedBytes:
    """One finished cross-region copy: how many bytes it moved, and whether it had to move everything."""

    source: str
    target: str
    region: str
    bytes_moved: int
    whole: bool


class Meter:
    """Counts calls, copies, rights and the time spent inside the simulator."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls: Counter[tuple[str, str]] = Counter()
        self.copies: list[CopiedBytes] = []
        self.rights: Counter[tuple[str, str]] = Counter()
        self.seconds = 0.0

    def call(self, method: str, route: str, seconds: float) -> None:
        """Count one call and the wall time that it took inside the simulator."""
        with self._lock:
            self.calls[(method, route)] += 1
            self.seconds += seconds

    def right(self, identity: str, action: str) -> None:
        """Count that `identity` needed the right to `action`."""
        with self._lock:
            self.rights[(identity, action)] += 1

    def copied(self, record: CopiedBytes) -> None:
        """Note a copy that reached 100 %."""
        with self._lock:
            self.copies.append(record)

    def bytes_copied(self, target: str | None = None) -> int:
        """Return how many bytes crossed regions: for one target snapshot (its id), or for all."""
        wanted = None if target is None else target.lower()
        return sum(copy.bytes_moved for copy in self.copies if wanted in (None, copy.target.lower()))
