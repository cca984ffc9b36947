"""The local host: a function app, a database, a clock.

with LocalHost("path/to/app", database="host.sqlite", clock=SystemClock()) as host:
    requests.post(f"{host.url}/api/start")

host = LocalHost(app, database=path, clock=ManualClock(start))     # in tests
host.start()
host.run_until(start + timedelta(days=90))                         # jumps from one due thing to the next
"""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from azure.functions.decorators.function_app import FunctionRegister

from clock import Clock, ManualClock, SharedClock, SystemClock
from local_host import loop as shared_loop
from local_host.activities import Activities
from local_host.app import LoadedApp, describe_app, load_app
from local_host.client_api import ClientApi
from local_host.dispatcher import Dispatcher, StuckError
from local_host.entities import Entities
from local_host.entity_api import EntityApi
from local_host.function_timers import FunctionTimers
from local_host.history import Event
from local_host.http_triggers import HttpTriggers
from local_host.instances import Filter
from local_host.invocation import Invoker
from local_host.keys import Keys
from local_host.links import Links
from local_host.management import Management
from local_host.orchestrations import Orchestrations
from local_host.status import status_json
from local_host.store import Store
from local_host.web_server import WebServer

log = logging.getLogger("local_host")

FUNCTION_THREADS = 32
"""Threads for sync HTTP and timer functions and entities, beside those for activities."""
ACTIVITIES = 8
"""How many run at a time where host.json says nothing. (Own choice; Azure: 10, or 10 for each core.)"""


class LocalHost:
    """Runs one function app. `start` and `stop`, or use it as a context manager; it starts only once."""

    def __init__(
        self,
        app: FunctionRegister | LoadedApp | Path | str,
        database: Path | str,
        clock: Clock | None = None,
        workers: int | None = None,
        port: int = 0,
        run_timers: bool = True,
    ) -> None:
        """`app` is a directory with a function_app.py, or an app object that is imported already.

        `workers` is how many activities run at a time, by default what host.json says; `port` 0 takes a free
        one; without `run_timers`, functions with a timer trigger do not run.

        Raises what `load_app` raises, and DatabaseInUseError.
        """
        self.app = _loaded(app)
        self.clock = clock or SystemClock()
        timers = self.app.timers if run_timers else []
        workers = workers or self.app.settings.concurrent_activities or ACTIVITIES
        with ExitStack() as opened:
            self._loop = shared_loop.join()
            opened.callback(shared_loop.leave)
            self._store = Store(database)
            opened.callback(self._store.close)
            self._threads = _threads(FUNCTION_THREADS, "function", opened)
            self._activity_threads = _threads(workers, "activity", opened)
            self._keys = Keys.of(self._store)
            self._web = WebServer(port)
            self._assemble(workers, timers)
            self._open = opened.pop_all()

    def _assemble(self, workers: int, timers: list[Any]) -> None:
        store, clock, directory = self._store, self.clock, str(self.app.directory)
        functions = self.app.durable_functions()
        invoker = Invoker(self._loop, self._threads, self._client_binding, directory)
        activity_invoker = Invoker(self._loop, self._activity_threads, self._client_binding, directory)
        self._orchestrations = Orchestrations(store, clock, functions, self.app.settings.versions)
        self._activities = Activities(
            store, clock, self.app.activities, activity_invoker, workers, self._wake
        )
        self._entities = Entities(store, clock, self.app.entities, invoker, self._wake)
        self._timers = FunctionTimers(store, clock, timers, invoker, self._wake)
        self._dispatcher = Dispatcher(
            clock,
            [self._timers, self._orchestrations, self._entities, self._activities],
            self._next_due,
            self._is_idle,
        )
        self._has_ended = False
        self._management = Management(store, clock, functions.known)
        self._http = HttpTriggers(self.app.http, self.app.settings.route_prefix, invoker, self._keys)

    def __enter__(self) -> LocalHost:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where the host listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._web.port}"

    @property
    def keys(self) -> Keys:
        """The access keys."""
        return self._keys

    @property
    def http_functions(self) -> HttpTriggers:
        """The HTTP functions and their routes."""
        return self._http

    def start(self) -> None:
        """Listen, take up what was left, run what is due. Raises OSError if the port is taken."""
        try:
            shared_loop.run(self._loop, self._web.start())
        except BaseException:
            self._open.close()
            raise
        self._links = Links(self.url, self.app.settings.task_hub, self._keys.durable)
        self._binding = self._links.client_binding()
        api = ClientApi(
            self._management, EntityApi(self._entities), self._links, self._orchestrations.history
        )
        self._web.serve(self._http, api, self._keys)
        self._store.on_change(self._wake)
        if isinstance(self.clock, ManualClock):
            self.clock.on_move(self._wake)
        self._timers.start()
        self._dispatcher.start()

    def stop(self) -> None:
        """End. What is under way is taken up again by the next start on the same database.

        A host that has ended stays so.
        """
        if self._has_ended:
            return
        self._has_ended = True
        for part in (self._timers, self._activities, self._entities):
            part.stop()
        self._dispatcher.stop()
        shared_loop.run(self._loop, self._web.stop())
        self._open.close()

    def start_orchestration(self, name: str, input: Any = None, instance_id: str | None = None) -> str:
        """Start an orchestration as the SDK's `client.start_new` does; return its id. `input` is JSON-like.

        The client sends JSON text as a JSON string, which the SDK undoes on the other side.
        """
        text = None if input is None else json.dumps(json.dumps(input))
        return self._management.start(name, text, instance_id)

    def raise_event(self, instance_id: str, name: str, data: Any = None) -> None:
        """Raise an external event as the SDK's `client.raise_event` does.

        Here nobody undoes it (contract §2.6): the orchestrator gets JSON text. A plain POST would arrive as
        it is.
        """
        self._management.raise_event(instance_id, name, json.dumps(json.dumps(data)))

    def terminate(self, instance_id: str, reason: str) -> None:
        """End an instance from outside, as the SDK's `client.terminate` does."""
        self._management.terminate(instance_id, reason)

    def status(self, instance_id: str) -> dict[str, Any] | None:
        """The status document of an instance, as the Durable API shows it; None if there is none."""
        instance = self._management.find(instance_id)
        return status_json(instance, show_input=True) if instance else None

    def statuses(self, prefix: str | None = None) -> list[dict[str, Any]]:
        """The status documents of all instances whose id begins so."""
        found = self._management.select(Filter(prefix=prefix), limit=-1)
        return [status_json(instance, show_input=True) for instance in found]

    def history(self, instance_id: str) -> list[Event]:
        """The history of the latest execution of an instance."""
        return self._orchestrations.history(instance_id)

    def settle(self, timeout: float = 60) -> None:
        """Wait until all that is ready at the clock's present moment has been done.

        That is: no message may be played, no activity, entity or timer function is due or running. HTTP
        requests are their callers' business.

        Raises StuckError after `timeout` seconds of wall time, with what is still going on.
        """
        self._dispatcher.wait_until_idle(timeout, self._going_on)

    def run_until(self, until: datetime, timeout: float = 60) -> None:
        """Settle, then move the clock to whatever is due next, and so on; in the end the clock is at `until`.

        `timeout` is for each stop. Raises StuckError as `settle` does, and if the clock cannot be moved.
        """
        clock = self.clock
        if not isinstance(clock, ManualClock | SharedClock):
            raise StuckError(f"{type(clock).__name__} cannot be moved; use a ManualClock or a SharedClock.")
        while True:
            self.settle(timeout)
            due = self._next_due()
            if due is None or due > until:
                break
            clock.move_to(due)
            self._wake()
        clock.move_to(until)
        self.settle(timeout)

    def _next_due(self) -> datetime | None:
        moments = (self._orchestrations.next_due(), self._timers.next_due())
        return min((moment for moment in moments if moment is not None), default=None)

    def _is_idle(self) -> bool:
        due = self._orchestrations.next_due()
        return (
            (due is None or due > self.clock.now())
            and self._activities.is_idle()
            and self._entities.is_idle()
            and self._timers.is_idle()
        )

    def _going_on(self) -> str:
        return (
            f"activities running: {self._activities.running or 'none'}; timer functions running: "
            f"{self._timers.running or 'none'}; next message due: {self._orchestrations.next_due()}; "
            f"the clock shows {self.clock.now()}."
        )

    def _client_binding(self) -> str:
        return self._binding

    def _wake(self) -> None:
        self._dispatcher.wake()


def _threads(count: int, name: str, opened: ExitStack) -> ThreadPoolExecutor:
    """Threads that are not waited for at the end: what they do runs again on the next start."""
    threads = ThreadPoolExecutor(count, thread_name_prefix=name)
    opened.callback(threads.shutdown, wait=False, cancel_futures=True)
    return threads


def _loaded(app: FunctionRegister | LoadedApp | Path | str) -> LoadedApp:
    if isinstance(app, LoadedApp):
        return app
    return load_app(app) if isinstance(app, Path | str) else describe_app(app)
