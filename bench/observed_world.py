"""A world whose networks are counted: answers of Resource Manager, requests to storage accounts."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from gateways.connection import connect, use
from simulator.cloud import Cloud
from simulator.transport import transport
from simulator.wire import ConnectionDropped, Request, Response
from tests.conftest import Accounts
from tests.world import Reach, World

THROTTLED = 429


class CountedAnswers:
    """The cloud, counting what it answered: by method and status."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self.statuses: Counter[tuple[str, int]] = Counter()

    def handle(self, request: Request) -> Response:
        """Answer one request, and count it; a connection that was dropped has status 0."""
        try:
            response = self._cloud.handle(request)
        except ConnectionDropped:
            self._count(request, 0)
            raise
        self._count(request, response.status)
        return response

    def _count(self, request: Request, status: int) -> None:
        with self._lock:
            self.statuses[(request.method, status)] += 1


class CountedReach(Reach):
    """The network to the storage accounts, counting requests."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self.requests = 0

    def send(self, request: requests.PreparedRequest) -> requests.Response:
        """Send one request, and count it."""
        with self._lock:
            self.requests += 1
        return super().send(request)


class ObservedWorld(World):
    """A world whose networks are counted."""

    reach: CountedReach
    answers: CountedAnswers

    def calls(self) -> Counter[tuple[str, str]]:
        """Return the ARM calls so far, failed and repeated ones too, but those that list the fleet."""
        with self.cloud.estate.lock:
            counted = Counter(self.cloud.meter.calls)
        return Counter({call: count for call, count in counted.items() if not _lists_the_fleet(*call)})

    @property
    def throttled(self) -> int:
        """How many answers were 429."""
        return sum(n for (_, status), n in self.answers.statuses.items() if status == THROTTLED)

    def _reach(self) -> CountedReach:
        return CountedReach()

    def _connect(self) -> None:
        self.answers = CountedAnswers(self.cloud)
        use(connect(self._settings(), clock=self.clock, transport=transport(self.answers),
                    storage_transport=self.reach.transport()))  # fmt: skip


def _lists_the_fleet(method: str, route: str) -> bool:
    return method == "GET" and route.lower().endswith("/virtualmachines")


@contextmanager
def observed(accounts: Accounts, **options: Any) -> Iterator[ObservedWorld]:
    """A world in a directory of its own."""
    with tempfile.TemporaryDirectory() as directory:
        made = ObservedWorld(Path(directory), accounts, **options)
        try:
            yield made
        finally:
            made.close()
