"""The SQLite database of a host: one connection, one transaction at a time.

Whatever an episode leads to is written in one transaction, so a host that is killed at any moment finds on
its next start either all of it or nothing. The database is in WAL mode with synchronous=NORMAL: safe when the
process dies (kill -9), not when the machine loses power, which may undo the last transactions; it never
corrupts the file.
"""

from __future__ import annotations

import fcntl
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

SCHEMA = """
CREATE TABLE IF NOT EXISTS instances (
    instance_id TEXT PRIMARY KEY, execution_id TEXT NOT NULL, name TEXT NOT NULL, version TEXT,
    status TEXT NOT NULL, input TEXT, output TEXT, custom_status TEXT,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS instances_by_status ON instances (status, created_at);
CREATE INDEX IF NOT EXISTS instances_by_time ON instances (created_at);

CREATE TABLE IF NOT EXISTS history (
    execution_id TEXT NOT NULL, sequence INTEGER NOT NULL, event TEXT NOT NULL,
    PRIMARY KEY (execution_id, sequence)
) WITHOUT ROWID;

-- What waits to be played: execution_id is NULL if any execution of the instance may take it.
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, instance_id TEXT NOT NULL, execution_id TEXT,
    visible_at INTEGER NOT NULL, event TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_by_time ON messages (visible_at, instance_id);
CREATE INDEX IF NOT EXISTS messages_by_instance ON messages (instance_id, visible_at);

CREATE TABLE IF NOT EXISTS activities (
    id INTEGER PRIMARY KEY AUTOINCREMENT, instance_id TEXT NOT NULL, execution_id TEXT NOT NULL,
    task_id INTEGER NOT NULL, name TEXT NOT NULL, input TEXT
);

CREATE TABLE IF NOT EXISTS entities (
    entity_id TEXT PRIMARY KEY, state TEXT, updated_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entity_requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT, entity_id TEXT NOT NULL, request TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS entity_requests_by_entity ON entity_requests (entity_id, id);

CREATE TABLE IF NOT EXISTS function_timers (
    name TEXT PRIMARY KEY, schedule TEXT NOT NULL, last TEXT, next TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class DatabaseInUseError(RuntimeError):
    """Another host runs on this database; two would do everything twice."""


class Store:
    """The database file. Every use goes through `transaction` (or `reading`), from any thread."""

    def __init__(self, path: Path | str) -> None:
        """Open or create the database at `path`. Raises DatabaseInUseError if another host has it open."""
        self._lock_file = _locked(Path(f"{path}.lock"))
        self._lock = threading.RLock()
        self._listeners: list[Callable[[], None]] = []
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is written inside is written together, or nothing if an exception leaves the block."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        for listener in self._listeners:
            listener()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read, while nobody writes."""
        with self._lock:
            yield self._connection

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every transaction."""
        self._listeners.append(listener)

    def close(self) -> None:
        """Close the database; another host may have it now."""
        with self._lock:
            self._connection.close()
        self._lock_file.close()


def _locked(path: Path) -> IO[str]:
    """Lock a file beside the database. The lock goes with the process, however it dies."""
    lock_file = path.open("w")
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock_file.close()
        raise DatabaseInUseError(
            f"Another local host is running on the database that {path} locks. Stop it, or use another "
            "--database."
        ) from None
    return lock_file
