"""A host per test, on a clock that stands still until the test moves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from clock import Clock, ManualClock
from local_host.host import LocalHost
from tests.local_host.flaky import Flaky

APPS = Path(__file__).parent / "apps"
START = datetime(2026, 3, 1, tzinfo=UTC)

HostMaker = Callable[..., LocalHost]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def run(tmp_path: Path, clock: ManualClock) -> Iterator[HostMaker]:
    """Start a host for an app object or a directory; it is stopped after the test."""
    with ExitStack() as hosts:

        def start(
            app: Any, database: str = "host.sqlite", at: Clock | None = None, workers: int | None = 8
        ) -> LocalHost:
            return hosts.enter_context(LocalHost(app, tmp_path / database, at or clock, workers))

        yield start


@pytest.fixture
def story(run: HostMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalHost:
    """The app of apps/story, whose activities leave marks in the test's folder."""
    monkeypatch.setenv("STORY_NOTES", str(tmp_path))
    return run(APPS / "story")


@pytest.fixture
def flaky() -> Flaky:
    """An app whose activity fails as often as told."""
    return Flaky()


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(202)
        self.send_header("Location", self.path)
        self.send_header("Retry-After", "5")
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body + b" " + self.headers["X-Name"].encode())

    def log_message(self, *message: object) -> None:
        """Keep quiet."""


@pytest.fixture
def web_site() -> Iterator[str]:
    """A web site that accepts a GET and has not finished, and echoes a POST with its header X-Name."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
