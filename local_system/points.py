"""Restore points as Tidemark's HTTP API tells of them: how far their copies are, and what waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from local_system.screen import Row

Document = dict[str, Any]

_AT_HOME = {"planned": "snapshot begins", "taken": "snapshot taken", "usable": "snapshot usable"}
_ON_ITS_WAY = {"waiting": "queued", "copying": "copying", "available": "copied"}


def replica_of(point: Document, location: str) -> Document:
    """Return what is told of a point's replica in a location; empty if nothing is."""
    return next((each for each in point["replicas"] if each["location"] == location), {})


def failure_of(point: Document) -> str | None:
    """Say why a point, or one of its replicas, has failed; None if none has."""
    if point["state"] == "failed":
        return point["failure"] or "no reason is given"
    for replica in point["replicas"]:
        if replica["state"] == "failed":
            reasons = [f"{disk['name']}: {disk['failure']}" for disk in replica["disks"] if disk["failure"]]
            return "; ".join(reasons) or "no reason is given"
    return None


def is_everywhere(point: Document) -> bool:
    """Whether a point is available in each of its locations."""
    return {replica["state"] for replica in point["replicas"]} == {"available"}


def time_of(point: Document) -> str:
    """Return the time of day that a point is for: 02:00."""
    return f"{datetime.fromisoformat(point['slot']):%H:%M}"


def have_copies_begun(point: Document, location: str) -> bool:
    """Whether the copy of every disk to a location is under way, or over."""
    disks = replica_of(point, location).get("disks", [])
    return bool(disks) and all(disk["started"] for disk in disks)


def waiting_disks(point: Document, location: str) -> set[str]:
    """Return the disks whose copy waits behind that of an older point."""
    disks = replica_of(point, location).get("disks", [])
    return {disk["name"] for disk in disks if disk["waitsFor"]}


def progress_rows(points: Sequence[Document], location: str) -> list[Row]:
    """Return how far the disks of points are; of several points, oldest first, each disk as a queue."""
    times = {point["id"]: time_of(point) for point in points}
    copies = {point["id"]: _copies(point, location) for point in points}
    names = dict.fromkeys(disk["name"] for point in points for disk in point["disks"])
    return [
        _row(f"{name} of {times[point['id']]}", disk, copies[point["id"]].get(name), times)
        for name in names
        for point in points
        for disk in point["disks"]
        if disk["name"] == name
    ]


def _copies(point: Document, location: str) -> dict[str, Document]:
    return {disk["name"]: disk for disk in replica_of(point, location).get("disks", [])}


def _row(label: str, disk: Document, copy: Document | None, times: dict[str, str]) -> Row:
    if copy is None:
        return Row(label, 0, str(_AT_HOME.get(disk["state"], disk["failure"])))
    note = str(copy["failure"] or _ON_ITS_WAY.get(copy["state"], copy["state"]))
    if copy["waitsFor"]:
        ahead = copy["waitsFor"].rsplit("/", 1)[-1]
        note = f"waits for that of {times.get(ahead, ahead)}"
    return Row(label, copy["percent"] or 0, note)
