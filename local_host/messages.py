"""What waits to be played in orchestrations: start, answers, timers, raised events.

A message is an event and the moment from which it may be played; a durable timer is a message for later.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from local_host.history import Event, from_microseconds, microseconds

BATCH = 1000
"""How many messages one episode takes at most."""


@dataclass(frozen=True)
class Message:
    """One waiting message; without an execution id it is for whichever execution there is."""

    id: int
    execution_id: str | None
    event: Event


def send(
    database: sqlite3.Connection,
    instance_id: str,
    execution_id: str | None,
    event: Event,
    visible_at: datetime,
) -> None:
    """Leave a message that may be played from `visible_at` on."""
    database.execute(
        "INSERT INTO messages (instance_id, execution_id, visible_at, event) VALUES (?, ?, ?, ?)",
        (instance_id, execution_id, microseconds(visible_at), json.dumps(event)),
    )


def waiting(database: sqlite3.Connection, instance_id: str, now: datetime) -> list[Message]:
    """The messages of one instance that may be played, in the order in which they became due."""
    rows = database.execute(
        "SELECT id, execution_id, event FROM messages WHERE instance_id = ? AND visible_at <= ?"
        " ORDER BY visible_at, id LIMIT ?",
        (instance_id, microseconds(now), BATCH),
    )
    return [Message(row[0], row[1], json.loads(row[2])) for row in rows]


def ready_instances(database: sqlite3.Connection, now: datetime, limit: int) -> list[str]:
    """Ids of instances that have something to play, the longest waiting first."""
    rows = database.execute(
        "SELECT instance_id FROM messages WHERE visible_at <= ? GROUP BY instance_id"
        " ORDER BY min(visible_at) LIMIT ?",
        (microseconds(now), limit),
    )
    return [row[0] for row in rows]


def next_due(database: sqlite3.Connection) -> datetime | None:
    """When the next message may be played, be it in the past; None if there is none."""
    earliest = database.execute("SELECT min(visible_at) FROM messages").fetchone()[0]
    return None if earliest is None else from_microseconds(earliest)


def postpone(database: sqlite3.Connection, message: Message, until: datetime) -> None:
    """Let a message be played from a later moment on."""
    database.execute("UPDATE messages SET visible_at = ? WHERE id = ?", (microseconds(until), message.id))


def delete(database: sqlite3.Connection, played: list[Message]) -> None:
    """Remove messages that have been played or dropped."""
    database.executemany("DELETE FROM messages WHERE id = ?", [(message.id,) for message in played])
