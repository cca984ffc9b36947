"""Runs activities: at most so many at a time, each at least once.

An activity is a row that goes in the same transaction in which its answer comes. A host that dies in between
runs it again; an answer that finds its row gone is dropped, so nobody gets two.
"""

from __future__ import annotations

import json
import logging
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from azure.functions import durable_functions, meta

from clock import Clock
from local_host import messages
from local_host.app import Function
from local_host.extension import HTTP_ACTIVITY
from local_host.gate import Gate
from local_host.history import Event, EventType, event
from local_host.http_activity import call_http
from local_host.invocation import Invoker
from local_host.replay import quiet_sdk_advice
from local_host.store import Store

log = logging.getLogger("local_host")

_convert: Any = durable_functions.ActivityTriggerConverter


class Task(NamedTuple):
    """One row of the queue."""

    id: int
    instance_id: str
    execution_id: str
    task_id: int
    name: str
    input: str | None


class Activities:
    """The queue of activities and those that run."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        functions: dict[str, Function],
        invoker: Invoker,
        workers: int,
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._functions = functions
        self._invoker = invoker
        self._workers = workers
        self._wake = wake
        self._last_started = 0
        self._running: dict[int, Task] = {}
        self._lock = threading.Lock()
        self._gate = Gate()

    def advance(self) -> bool:
        """Start waiting activities while there is room; tell whether any was started."""
        tasks = self._next()
        for task in tasks:
            self._start(task)
        return bool(tasks)

    @property
    def running(self) -> list[str]:
        """What runs at the moment, for reports."""
        with self._lock:
            return [f"{task.name} for '{task.instance_id}'" for task in self._running.values()]

    def is_idle(self) -> bool:
        """True if nothing runs and nothing waits."""
        with self._lock, self._store.reading() as database:
            waiting = database.execute("SELECT 1 FROM activities LIMIT 1").fetchone()
            return not self._running and waiting is None

    def stop(self) -> None:
        """Forget those that run: their answers are not wanted any more, they run again on the next start."""
        self._gate.close()

    def _next(self) -> list[Task]:
        with self._lock, self._store.reading() as database:
            free = self._workers - len(self._running)
            rows = database.execute(
                "SELECT id, instance_id, execution_id, task_id, name, input FROM activities"
                " WHERE id > ? ORDER BY id LIMIT ?",
                (self._last_started, max(0, free)),
            ).fetchall()
            tasks = [Task(*row) for row in rows]
            for task in tasks:
                self._running[task.id] = task
                self._last_started = task.id
        return tasks

    def _start(self, task: Task) -> None:
        try:
            future = self._submit(task)
        except Exception as error:
            future = Future()
            future.set_exception(error)
        future.add_done_callback(lambda done: self._finish(task, done))

    def _submit(self, task: Task) -> Future[Any]:
        request = json.loads(task.input or "[null]")[0]
        if task.name == HTTP_ACTIVITY:
            return self._invoker.run(call_http(request))
        function = self._functions.get(task.name.lower())
        if function is None:
            raise LookupError(f"there is no activity '{task.name}' in the app any more")
        quiet_sdk_advice()
        text = request if isinstance(request, str) else json.dumps(request)
        value = _convert.decode(meta.Datum(text, "string"), trigger_metadata=None)
        return self._invoker.submit(function, value)

    def _finish(self, task: Task, done: Future[Any]) -> None:
        """Write the answer, and only then count the activity as finished."""
        with self._gate.passing() as is_open:
            if is_open and not done.cancelled():
                self._write(task, self._answer(task, done))
        with self._lock:
            self._running.pop(task.id, None)
        self._wake()

    def _write(self, task: Task, answer: Event) -> None:
        with self._store.transaction() as database:
            deleted = database.execute("DELETE FROM activities WHERE id = ?", (task.id,)).rowcount
            if deleted:
                messages.send(database, task.instance_id, task.execution_id, answer, self._clock.now())

    def _answer(self, task: Task, done: Future[Any]) -> Event:
        try:
            result = _convert.encode(done.result(), expected_type=None).value
        except Exception as error:
            log.warning(
                "activity %s of '%s' failed: %s: %s", task.name, task.instance_id, type(error).__name__, error
            )
            return self._failure(task, error)
        return event(EventType.TASK_COMPLETED, self._clock.now(), TaskScheduledId=task.task_id, Result=result)

    def _failure(self, task: Task, error: BaseException) -> Event:
        """TaskActivityShim's words around the worker's: the type and the text of the exception."""
        text = f" {type(error).__name__}: {error}"
        details = {
            "ClassName": "System.Exception",
            "Message": text,
            "StackTraceString": "".join(traceback.format_exception(error)),
        }
        return event(
            EventType.TASK_FAILED,
            self._clock.now(),
            TaskScheduledId=task.task_id,
            Reason=f"Activity function '{task.name}' failed: {text}",
            Details=json.dumps(details),
        )
