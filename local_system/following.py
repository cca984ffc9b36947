"""Following what Tidemark does, through its HTTP API alone, as any caller could."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from local_system.api import Api
from local_system.failures import LocalSystemFailed
from local_system.screen import Row, Screen

PATIENCE_SECONDS = 90.0  # of the computer's time, for one backup or one restore
_PAUSE_SECONDS = 0.1

Document = dict[str, Any]
Found = TypeVar("Found")


class Follower:
    """Asks how far things are, draws it, and returns when they are over."""

    def __init__(self, api: Api, screen: Screen, recovery: str) -> None:
        """`recovery` is the location whose replicas are waited for."""
        self._api = api
        self._screen = screen
        self._recovery = recovery

    def backup(self, operation: str) -> Document:
        """Follow a backup that was asked for, at home and on its way; return its point."""

        def look() -> Document | None:
            document = self._operation(operation)
            if document["restorePoint"]:
                self._screen.progress(_point_rows(document["restorePoint"], self._recovery))
            return document if document["state"] == "succeeded" else None

        with self._drawing():
            ended = _wait("Taking the restore point", look)
            return self.point(ended["outcome"]["restorePoint"])

    def scheduled_point(self, vm: str, newer_than: str) -> Document:
        """Wait for the next point of a VM that the timer takes, and follow it; return the point."""

        def look() -> str | None:
            newest: str = self._api.get(f"vms/{vm}/restore-points")["items"][0]["id"]
            return newest if newest != newer_than else None

        return self.point(_wait("Waiting for the timer", look))

    def point(self, point: str) -> Document:
        """Follow a point until it is available in the recovery location, too; return it."""

        def look() -> Document | None:
            document = self._api.get(f"restore-points/{point}")
            self._screen.progress(_point_rows(document, self._recovery))
            replica = _replica(document, self._recovery)
            for state, failure in (
                (document["state"], document["failure"]),
                (replica.get("state"), _failures(replica)),
            ):
                if state == "failed":
                    raise LocalSystemFailed(f"Restore point {point}", failure or "no reason is given")
            return document if replica.get("state") == "available" else None

        with self._drawing():
            return _wait(f"Sending restore point {point} to {self._recovery}", look)

    def restore(self, operation: str) -> Document:
        """Follow a restore until it is over; return its operation."""

        def look() -> Document | None:
            document = self._operation(operation)
            made = [*document["disks"], *([document["vm"]] if document["vm"] else [])]
            self._screen.progress([_restored_row(thing) for thing in made])
            return document if document["state"] == "succeeded" else None

        with self._drawing():
            return _wait("Restoring", look)

    def _operation(self, operation: str) -> Document:
        document: Document = self._api.get(f"operations/{operation}")
        if document["state"] == "failed":
            raise LocalSystemFailed(f"Operation {operation} ({document['kind']})", document["failure"])
        return document

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


def _point_rows(point: Document, recovery: str) -> list[Row]:
    copies = {disk["name"]: disk for disk in _replica(point, recovery).get("disks", [])}
    return [_disk_row(disk, copies.get(disk["name"])) for disk in point["disks"]]


def _disk_row(disk: Document, copy: Document | None) -> Row:
    if copy is None:
        notes = {"planned": "snapshot begins", "taken": "snapshot taken", "usable": "snapshot usable"}
        return Row(disk["name"], 0, str(notes.get(disk["state"], disk["failure"])))
    notes = {"waiting": "waits for its turn", "copying": "copying", "available": "copied"}
    note = notes.get(copy["state"], copy["failure"])
    return Row(disk["name"], copy["percent"] or 0, f"snapshot usable, {note}")


def _replica(point: Document, location: str) -> Document:
    return next((each for each in point["replicas"] if each["location"] == location), {})


def _failures(replica: Document) -> str:
    return "; ".join(
        f"{disk['name']}: {disk['failure']}" for disk in replica.get("disks", []) if disk["failure"]
    )


def _restored_row(thing: Document) -> Row:
    notes = {"planned": "being made", "ready": "ready", "failed": "failed"}
    return Row(thing["name"], 100 if thing["state"] == "ready" else 0, notes[thing["state"]])
