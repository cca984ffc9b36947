"""Durable entities: state in the database, requests in order, one batch at a time per entity.

Not emulated: locks (SDK 1.x has none), signals for later, and entities among the instances of a query (Azure
keeps an orchestration per entity; here they have a table of their own).
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import azure.functions as func

from clock import Clock
from local_host import messages
from local_host.app import Function
from local_host.gate import Gate
from local_host.history import EventType, event, timestamp
from local_host.invocation import Invoker
from local_host.replay import quiet_sdk_advice
from local_host.store import Store

log = logging.getLogger("local_host")

BATCH = 50


@dataclass(frozen=True)
class EntityId:
    """Name and key; names ignore case, keys do not. Written @name@key."""

    name: str
    key: str

    def __str__(self) -> str:
        return f"@{self.name.lower()}@{self.key}"

    @classmethod
    def parse(cls, text: str) -> EntityId:
        """Read @name@key."""
        _, name, key = text.split("@", 2)
        return cls(name, key)


class Entities:
    """All entities of a host."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        functions: dict[str, Function],
        invoker: Invoker,
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._functions = functions
        self._invoker = invoker
        self._wake = wake
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._gate = Gate()

    def knows(self, name: str) -> bool:
        """True if the app has an entity function of that name."""
        return name.lower() in self._functions

    def signal(self, entity: EntityId, operation: str, input_text: str | None) -> None:
        """Ask for an operation; nobody waits for the result. `input_text` is JSON text."""
        request = {"op": operation, "signal": True, "input": input_text, "id": str(uuid.uuid4())}
        with self._store.transaction() as database:
            database.execute(
                "INSERT INTO entity_requests (entity_id, request) VALUES (?, ?)",
                (str(entity), json.dumps(request)),
            )

    def state(self, entity: EntityId) -> str | None:
        """The state as JSON text; None if the entity does not exist."""
        with self._store.reading() as database:
            row = database.execute(
                "SELECT state FROM entities WHERE entity_id = ?", (str(entity),)
            ).fetchone()
        return row[0] if row else None

    def list(self, name: str | None) -> list[tuple[EntityId, str, str]]:
        """(id, state, moment of the last operation) of all entities, or of those of one name."""
        prefix = f"@{name.lower()}@" if name else "@"
        with self._store.reading() as database:
            rows = database.execute(
                "SELECT entity_id, state, updated_at FROM entities WHERE substr(entity_id, 1, ?) = ?",
                (len(prefix), prefix),
            ).fetchall()
        return [(EntityId.parse(row[0]), row[1], row[2]) for row in rows]

    def advance(self) -> bool:
        """Start a batch for every entity that has requests and no batch under way."""
        with self._lock, self._store.reading() as database:
            waiting = {row[0] for row in database.execute("SELECT DISTINCT entity_id FROM entity_requests")}
            free = waiting - self._busy
            self._busy |= free
        for entity_id in free:
            self._start(entity_id)
        return bool(free)

    def is_idle(self) -> bool:
        """True if no entity has anything to do."""
        with self._lock, self._store.reading() as database:
            waiting = database.execute("SELECT 1 FROM entity_requests LIMIT 1").fetchone()
            return not self._busy and waiting is None

    def stop(self) -> None:
        """Forget the batches under way; they run again on the next start."""
        self._gate.close()

    def _start(self, entity_id: str) -> None:
        with self._store.reading() as database:
            rows = database.execute(
                "SELECT id, request FROM entity_requests WHERE entity_id = ? ORDER BY id LIMIT ?",
                (entity_id, BATCH),
            ).fetchall()
            state = database.execute(
                "SELECT state FROM entities WHERE entity_id = ?", (entity_id,)
            ).fetchone()
        requests = {row[0]: json.loads(row[1]) for row in rows}
        function = self._functions.get(EntityId.parse(entity_id).name.lower())
        payload = _payload(entity_id, state[0] if state else None, state is not None, list(requests.values()))
        future: Future[Any] = Future()
        if function is None:
            future.set_exception(
                LookupError(f"there is no entity function for {entity_id} in the app any more")
            )
        else:
            quiet_sdk_advice()
            future = self._invoker.submit(function, func.EntityContext(payload))
        future.add_done_callback(lambda done: self._finish(entity_id, requests, done))

    def _finish(self, entity_id: str, requests: dict[int, dict[str, Any]], done: Future[Any]) -> None:
        with self._gate.passing() as is_open:
            if is_open and not done.cancelled():
                with self._store.transaction() as database:
                    self._write(database, entity_id, requests, done)
        with self._lock:
            self._busy.discard(entity_id)
        self._wake()

    def _write(
        self,
        database: sqlite3.Connection,
        entity_id: str,
        requests: dict[int, dict[str, Any]],
        done: Future[Any],
    ) -> None:
        """State, answers and the end of the requests, in one transaction."""
        now = self._clock.now()
        try:
            outcome = json.loads(done.result())
        except Exception as error:
            log.warning("entity %s failed: %s: %s", entity_id, type(error).__name__, error)
            failed = {"isError": True, "result": json.dumps(f"{type(error).__name__}: {error}")}
            results = [failed for _ in requests]
        else:
            results = outcome["results"]
            database.execute("DELETE FROM entities WHERE entity_id = ?", (entity_id,))
            if outcome["entityExists"]:
                database.execute(
                    "INSERT INTO entities (entity_id, state, updated_at) VALUES (?, ?, ?)",
                    (entity_id, outcome["entityState"], timestamp(now)),
                )
        database.executemany("DELETE FROM entity_requests WHERE id = ?", [(number,) for number in requests])
        for request, result in zip(requests.values(), results, strict=True):
            if result["isError"]:
                log.warning("entity %s: %s failed: %s", entity_id, request["op"], result["result"])
            if not request["signal"]:
                self._answer(database, request, result)

    def _answer(self, database: sqlite3.Connection, request: dict[str, Any], result: dict[str, Any]) -> None:
        response = {"result": result["result"]}
        if result["isError"]:
            response["exceptionType"] = "System.Exception"
        now = self._clock.now()
        answer = event(EventType.EVENT_RAISED, now, Name=request["id"], Input=json.dumps(response))
        messages.send(database, request["parent"], request["parentExecution"], answer, now)


def _payload(entity_id: str, state: str | None, exists: bool, requests: list[dict[str, Any]]) -> str:
    """What the entity trigger hands to the SDK (contract §2.5)."""
    entity = EntityId.parse(entity_id)
    batch = [{"name": item["op"], "input": item["input"], "isSignal": item["signal"]} for item in requests]
    return json.dumps(
        {"self": {"name": entity.name, "key": entity.key}, "exists": exists, "state": state, "batch": batch}
    )
