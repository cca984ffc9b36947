"""Following what Tidemark does, through its HTTP API alone, as any caller could."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from clock import Clock
from local_system.api import Api
from local_system.failures import LocalSystemFailed
from local_system.points import (
    Document,
    failure_of,
    have_copies_begun,
    is_everywhere,
    progress_rows,
    replica_of,
    waiting_disks,
)
from local_system.screen import Row, Screen

PATIENCE_SECONDS = 90.0  # of the computer's time, for one backup or one restore
_PAUSE_SECONDS = 0.1

Found = TypeVar("Found")


class Follower:
    """Asks how far things are, draws it, and returns when they are over."""

    def __init__(self, api: Api, screen: Screen, clock: Clock, recovery: str) -> None:
        """`clock` tells when something was seen, `recovery` is the location whose copies are drawn."""
        self._api = api
        self._screen = screen
        self._clock = clock
        self._recovery = recovery
        self.seen_waiting: set[str] = set()  # disks whose copy waited behind that of an older point

    def backup(self, operation: str) -> Document:
        """Follow a backup that was asked for, until its copies are under way; return its point."""

        def look() -> Document | None:
            document = self._operation(operation)
            point: Document | None = document["restorePoint"]
            if point is None:
                return None
            if document["state"] != "succeeded":
                self._draw(progress_rows([point], self._recovery))
                return None
            return point if have_copies_begun(self._told([point])[0], self._recovery) else None

        with self._drawing():
            return _wait("Taking the restore point", look)

    def next_point(self, vm: str, first: str) -> str:
        """Follow the copies of a VM's only point until the copies of the next one, which nobody asks for, are
        in the queue, too; return the id of that one. The bars stay, for `arrival` to go on with.
        """

        def look() -> str | None:
            newest: str = self._api.get(f"vms/{vm}/restore-points")["items"][0]["id"]
            points = self._points([first] if newest == first else [first, newest])
            is_queued = len(points) == 2 and replica_of(points[1], self._recovery).get("disks")
            return newest if is_queued else None

        return _wait("Waiting for the timer", look)

    def arrival(self, ids: Sequence[str]) -> list[Document]:
        """Follow points until all are available in each of their locations; return them."""

        def look() -> list[Document] | None:
            points = self._points(ids)
            return points if all(map(is_everywhere, points)) else None

        with self._drawing():
            return _wait("Sending restore points to their locations", look)

    def restore(self, operation: str) -> Document:
        """Follow a restore until it is over; return its operation."""

        def look() -> Document | None:
            document = self._operation(operation)
            made = [*document["disks"], *([document["vm"]] if document["vm"] else [])]
            self._draw([_restored_row(thing) for thing in made])
            return document if document["state"] == "succeeded" else None

        with self._drawing():
            return _wait("Restoring", look)

    def _operation(self, operation: str) -> Document:
        document: Document = self._api.get(f"operations/{operation}")
        if document["state"] == "failed":
            raise LocalSystemFailed(f"Operation {operation} ({document['kind']})", document["failure"])
        return document

    def _points(self, ids: Sequence[str]) -> list[Document]:
        # The newest first, so that no copy is seen to leave the queue before that ahead of it has arrived.
        newest_first = [self._api.get(f"restore-points/{point}") for point in reversed(ids)]
        return self._told(newest_first[::-1])

    def _told(self, points: list[Document]) -> list[Document]:
        self._draw(progress_rows(points, self._recovery))
        for point in points:
            failure = failure_of(point)
            if failure:
                raise LocalSystemFailed(f"Restore point {point['id']}", failure)
            self.seen_waiting |= waiting_disks(point, self._recovery)
        return points

    def _draw(self, rows: Sequence[Row]) -> None:
        self._screen.progress(rows, f"{self._clock.now():%H:%M:%S}")

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        yield
        self._screen.end_progress()


def place_text(disk: Document) -> str:
    """Say which disk a restore has made, and where its machine has it."""
    place = "OS disk" if disk["lun"] is None else f"LUN {disk['lun']}"
    return f"{disk['name']} ({place})"


def _wait(what: str, look: Callable[[], Found | None]) -> Found:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise LocalSystemFailed(what, f"it was not over after {PATIENCE_SECONDS:.0f} s")
        time.sleep(_PAUSE_SECONDS)
    return found


def _restored_row(thing: Document) -> Row:
    notes = {"planned": "being made", "ready": "ready", "failed": "failed"}
    return Row(thing["name"], 100 if thing["state"] == "ready" else 0, notes[thing["state"]])
