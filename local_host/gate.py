"""Lets answers of functions into the database until the host stops."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Open until it is closed; whoever is inside when it closes is waited for."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._is_open = True

    @contextmanager
    def passing(self) -> Iterator[bool]:
        """Tell whether the gate is open, and keep it so meanwhile."""
        with self._lock:
            yield self._is_open

    def close(self) -> None:
        """Let nobody in any more."""
        with self._lock:
            self._is_open = False
