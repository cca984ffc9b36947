"""Orchestration instances in the database: create, describe, list, purge.

One row per instance with what its latest execution led to. As in Azure's instances table, `created_at` is the
moment of the latest execution, so continue-as-new moves it (AzureTableTrackingStore, read in DurableTask at
52170329).
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from local_host import messages
from local_host.history import Event, execution_started, timestamp

TERMINAL = frozenset({"Completed", "Failed", "Terminated", "Canceled"})
COLUMNS = (
    "instance_id, execution_id, name, version, status, input, output, custom_status, created_at, updated_at"
)


class InstanceInUseError(Exception):
    """An instance of that id exists and has not ended."""


@dataclass(frozen=True)
class Instance:
    """One orchestration instance; input, custom status and output are texts, mostly JSON."""

    instance_id: str
    execution_id: str
    name: str
    version: str | None
    status: str
    input: str | None
    output: str | None
    custom_status: str | None
    created_at: str
    updated_at: str

    @property
    def is_over(self) -> bool:
        """True once it has ended, one way or another."""
        return self.status in TERMINAL


@dataclass(frozen=True)
class Filter:
    """Which instances: all conditions that are set must hold. Times are timestamps, both ends included."""

    statuses: Sequence[str] = field(default_factory=tuple)
    created_from: str | None = None
    created_to: str | None = None
    prefix: str | None = None

    def where(self, after: str | None = None) -> tuple[str, list[str]]:
        """The condition in SQL, and its parameters; `after` leaves out all up to that id."""
        conditions: list[str] = []
        parameters: list[str] = []
        if self.statuses:
            conditions.append(f"status IN ({', '.join('?' * len(self.statuses))})")
            parameters += self.statuses
        for condition, value in (
            ("created_at >= ?", self.created_from),
            ("created_at <= ?", self.created_to),
            ("instance_id >= ?", self.prefix),
            ("instance_id < ?", _behind(self.prefix) if self.prefix else None),
            ("instance_id > ?", after),
        ):
            if value is not None:
                conditions.append(condition)
                parameters.append(value)
        return " AND ".join(conditions) or "1", parameters


def find(database: sqlite3.Connection, instance_id: str) -> Instance | None:
    """Look one up; ids are compared exactly."""
    row = database.execute(
        f"SELECT {COLUMNS} FROM instances WHERE instance_id = ?", (instance_id,)
    ).fetchone()
    return Instance(*row) if row else None


def create(
    database: sqlite3.Connection,
    now: datetime,
    name: str,
    input_text: str | None,
    instance_id: str | None = None,
    version: str | None = None,
    parent: Event | None = None,
) -> str:
    """Create an instance that is Pending, with the message that starts it, and return its id.

    Replaces one of the same id that has ended. Raises InstanceInUseError if it has not.
    """
    instance_id = instance_id or uuid.uuid4().hex
    existing = find(database, instance_id)
    if existing is not None:
        if not existing.is_over:
            raise InstanceInUseError(
                f"An Orchestration instance with the status {existing.status} already exists."
            )
        purge(database, [instance_id])
    execution_id = uuid.uuid4().hex
    database.execute(
        f"INSERT INTO instances ({COLUMNS}) VALUES (?, ?, ?, ?, 'Pending', ?, NULL, NULL, ?, ?)",
        (instance_id, execution_id, name, version, input_text, timestamp(now), timestamp(now)),
    )
    started = execution_started(now, instance_id, execution_id, name, input_text, version, parent)
    messages.send(database, instance_id, execution_id, started, now)
    return instance_id


def select(
    database: sqlite3.Connection, chosen: Filter, limit: int = -1, after: str | None = None
) -> list[Instance]:
    """List instances in the order of their ids, from behind `after` on, as pages of Azure's table come."""
    where, parameters = chosen.where(after)
    query = f"SELECT {COLUMNS} FROM instances WHERE {where} ORDER BY instance_id LIMIT ?"
    return [Instance(*row) for row in database.execute(query, (*parameters, limit))]


def purge(database: sqlite3.Connection, instance_ids: Iterable[str]) -> int:
    """Delete instances with history and messages, whatever their status; return how many there were."""
    count = 0
    for instance_id in instance_ids:
        instance = find(database, instance_id)
        if instance is None:
            continue
        count += 1
        database.execute("DELETE FROM instances WHERE instance_id = ?", (instance_id,))
        database.execute("DELETE FROM history WHERE execution_id = ?", (instance.execution_id,))
        database.execute("DELETE FROM messages WHERE instance_id = ?", (instance_id,))
    return count


def _behind(prefix: str) -> str:
    """The smallest text behind all that start with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
