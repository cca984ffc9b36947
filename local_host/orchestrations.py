"""Plays episodes: takes waiting messages, replays, and writes all that follows in one transaction.

Episodes run one after the other on the host's dispatcher thread, instance by instance, so that several
orchestrations go on side by side; a second thread would only fight for the interpreter, since a replay is
pure computation.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections import OrderedDict
from datetime import datetime
from typing import Any

from clock import Clock
from local_host import instances, messages, traps
from local_host.durable_task import Action, Kind
from local_host.episode import Episode, Orchestrators, Past, play, refuse
from local_host.extension import Identity
from local_host.history import Event, EventType, event, started_event, timestamp
from local_host.instances import Instance
from local_host.messages import Message
from local_host.store import Store
from local_host.versions import BackOff, FailureStrategy, Versions

log = logging.getLogger("local_host")

INSTANCES_PER_ROUND = 64
KEPT_HISTORIES = 256
"""Histories kept in memory between episodes; the others are read from the database."""


class Orchestrations:
    """All orchestration instances of a host."""

    def __init__(self, store: Store, clock: Clock, functions: Orchestrators, versions: Versions) -> None:
        self._store = store
        self._clock = clock
        self._functions = functions
        self._versions = versions
        self._back_off = BackOff()
        self._pasts: OrderedDict[str, Past] = OrderedDict()

    def advance(self) -> bool:
        """Play one episode for each instance that has something waiting; tell whether there was any."""
        now = self._clock.now()
        with self._store.reading() as database:
            ready = messages.ready_instances(database, now, INSTANCES_PER_ROUND)
        for instance_id in ready:
            self._play(instance_id, now)
        return bool(ready)

    def next_due(self) -> datetime | None:
        """When the next message may be played, be it now."""
        with self._store.reading() as database:
            return messages.next_due(database)

    def history(self, instance_id: str) -> list[Event]:
        """The whole history of the latest execution; empty for an unknown instance."""
        with self._store.reading() as database:
            instance = instances.find(database, instance_id)
            return _read_past(database, instance.execution_id).events if instance else []

    def _play(self, instance_id: str, now: datetime) -> None:
        with self._store.reading() as database:
            instance = instances.find(database, instance_id)
            waiting = messages.waiting(database, instance_id, now)
            past = self._past(database, instance) if instance else Past()
        playable = _playable(instance, waiting, past)
        if instance is None or not playable:
            with self._store.transaction() as database:
                messages.delete(database, waiting)
            return
        does_fit = self._versions.fits(instance.version)
        if not does_fit and self._versions.failure is FailureStrategy.REJECT:
            self._reject(instance, waiting, now)
            return
        identity = Identity(instance_id, instance.execution_id, _parent_id(past, playable))
        if does_fit:
            episode = play(self._functions, identity, past, playable, now)
        else:
            episode = refuse(identity, past, playable, now)
        with self._store.transaction() as database:
            current = instances.find(database, instance_id)
            if current is None or current.execution_id != instance.execution_id:
                return  # purged, and perhaps started anew, while its episode was played
            episode = _refuse_ids_in_use(database, episode, now)
            messages.delete(database, waiting)
            past = self._write_history(database, instance, episode, past)
            self._start_work(database, instance, episode, now)
            self._update(database, instance, episode, now)
        self._remember(episode, past)
        _report(instance, episode)

    def _reject(self, instance: Instance, waiting: list[Message], now: datetime) -> None:
        """Leave an instance of another version as it is, and its messages for later."""
        log.warning(
            "orchestration %s '%s' is of version %s, which does not fit, and waits (%s)",
            instance.name,
            instance.instance_id,
            instance.version,
            self._versions,
        )
        with self._store.transaction() as database:
            for message in waiting:
                messages.postpone(database, message, now + self._back_off.after(message.id))

    def _past(self, database: sqlite3.Connection, instance: Instance) -> Past:
        past = self._pasts.get(instance.execution_id)
        return past if past is not None else _read_past(database, instance.execution_id)

    def _remember(self, episode: Episode, past: Past) -> None:
        self._pasts.pop(episode.execution_id, None)
        if not episode.is_over:
            self._pasts[episode.execution_id] = past
        while len(self._pasts) > KEPT_HISTORIES:
            self._pasts.popitem(last=False)

    def _write_history(
        self, database: sqlite3.Connection, instance: Instance, episode: Episode, past: Past
    ) -> Past:
        """Append the episode; after continue-as-new the history of the old execution goes."""
        if episode.generations:
            database.execute("DELETE FROM history WHERE execution_id = ?", (instance.execution_id,))
            self._pasts.pop(instance.execution_id, None)
            past = Past()
        first = len(past.events)
        past = past.extended(episode.events)
        database.executemany(
            "INSERT INTO history (execution_id, sequence, event) VALUES (?, ?, ?)",
            [(episode.execution_id, first + n, text) for n, text in enumerate(past.texts[first:])],
        )
        return past

    def _start_work(
        self, database: sqlite3.Connection, instance: Instance, episode: Episode, now: datetime
    ) -> None:
        for execution_id, action in episode.actions:
            if action.kind is Kind.ACTIVITY:
                database.execute(
                    "INSERT INTO activities (instance_id, execution_id, task_id, name, input)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (instance.instance_id, execution_id, action.id, action.name, action.input),
                )
            elif action.kind is Kind.TIMER:
                _set_timer(database, instance.instance_id, execution_id, action, now)
            elif action.kind is Kind.SUB_ORCHESTRATION:
                _start_child(database, instance, execution_id, action, now)
            else:
                database.execute(
                    "INSERT INTO entity_requests (entity_id, request) VALUES (?, ?)",
                    (action.target, action.input),
                )

    def _update(
        self, database: sqlite3.Connection, instance: Instance, episode: Episode, now: datetime
    ) -> None:
        created_at = timestamp(now) if episode.generations else instance.created_at
        database.execute(
            "UPDATE instances SET execution_id = ?, status = ?, input = ?, output = ?, custom_status = ?,"
            " created_at = ?, updated_at = ? WHERE instance_id = ?",
            (
                episode.execution_id,
                episode.status,
                episode.started.get("Input"),
                episode.output,
                episode.custom_status,
                created_at,
                timestamp(now),
                instance.instance_id,
            ),
        )
        if episode.is_over:
            database.execute("DELETE FROM messages WHERE instance_id = ?", (instance.instance_id,))
            _tell_parent(database, episode, now)


def _read_past(database: sqlite3.Connection, execution_id: str) -> Past:
    rows = database.execute(
        "SELECT event FROM history WHERE execution_id = ? ORDER BY sequence", (execution_id,)
    )
    texts = [row[0] for row in rows]
    return Past([json.loads(text) for text in texts], texts)


def _playable(instance: Instance | None, waiting: list[Message], past: Past) -> list[Event]:
    """What the instance's execution may take: late answers to an ended one, or to an earlier execution, go.

    The start comes first, however late it was written.
    """
    if instance is None or instance.is_over:
        return []
    events = [message.event for message in waiting if message.execution_id in (None, instance.execution_id)]
    events.sort(key=lambda item: item["EventType"] != EventType.EXECUTION_STARTED)
    is_started = bool(past.events) or started_event(events) is not None
    return events if is_started else []


def _parent_id(past: Past, new: list[Event]) -> str | None:
    started = started_event(past.events[:2]) or started_event(new)
    parent = (started or {}).get("ParentInstance")
    return parent["OrchestrationInstance"]["InstanceId"] if parent else None


def _refuse_ids_in_use(database: sqlite3.Connection, episode: Episode, now: datetime) -> Episode:
    """Fail the parent of a sub-orchestration whose id is in use: Azure would lose one silently."""
    started = set()
    for _, action in episode.actions:
        if action.kind is not Kind.SUB_ORCHESTRATION or action.target is None:
            continue
        child = instances.find(database, action.target)
        is_running = child is not None and not child.is_over
        if is_running or action.target in started:
            status = child.status if child is not None and is_running else "starting"
            return episode.failed(traps.instance_id_in_use(action.target, status), now)
        started.add(action.target)
    return episode


def _set_timer(
    database: sqlite3.Connection, instance_id: str, execution_id: str, action: Action, now: datetime
) -> None:
    assert action.fire_at is not None
    fired = event(
        EventType.TIMER_FIRED,
        max(now, action.fire_at),
        TimerId=action.id,
        FireAt=timestamp(action.fire_at),
    )
    messages.send(database, instance_id, execution_id, fired, action.fire_at)


def _start_child(
    database: sqlite3.Connection, instance: Instance, execution_id: str, action: Action, now: datetime
) -> None:
    parent = {
        "Name": instance.name,
        "OrchestrationInstance": {"InstanceId": instance.instance_id, "ExecutionId": execution_id},
        "TaskScheduleId": action.id,
    }
    assert action.name is not None
    instances.create(database, now, action.name, action.input, action.target, action.version, parent)


def _tell_parent(database: sqlite3.Connection, episode: Episode, now: datetime) -> None:
    parent = episode.started.get("ParentInstance")
    if not parent:
        return
    outcome: dict[str, Any]
    if episode.status == "Completed":
        kind, outcome = EventType.SUB_ORCHESTRATION_COMPLETED, {"Result": episode.output}
    else:
        details = episode.failure_details
        reason = {"FailureDetails": details, "Reason": None} if details else {"Reason": episode.output}
        kind, outcome = EventType.SUB_ORCHESTRATION_FAILED, {**reason, "Details": None}
    answer = event(kind, now, TaskScheduledId=parent["TaskScheduleId"], **outcome)
    waiting = parent["OrchestrationInstance"]
    messages.send(database, waiting["InstanceId"], waiting["ExecutionId"], answer, now)


def _report(instance: Instance, episode: Episode) -> None:
    for note in episode.notes:
        log.warning("orchestration %s '%s': %s", instance.name, instance.instance_id, note)
    if episode.generations:
        log.info("orchestration %s '%s': continued as new", instance.name, instance.instance_id)
    if episode.status != instance.status:
        level = logging.WARNING if episode.status == "Failed" else logging.INFO
        outcome = f": {episode.output}" if episode.status == "Failed" else ""
        log.log(
            level, "orchestration %s '%s': %s%s", instance.name, instance.instance_id, episode.status, outcome
        )
