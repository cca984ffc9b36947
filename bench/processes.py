"""The other end of what is measured, in a process of its own: its CPU time and its locks are not ours."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

SPAWN = multiprocessing.get_context("spawn")


@contextmanager
def serving(serve: Callable[[Connection], None]) -> Iterator[Any]:
    """Run a server; yields what it tells of where it listens. It is to end when its pipe is closed."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        ours.close()
        process.join(10)
