"""Disks that came back, held against copies that were put aside when they were backed up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from local_system.failures import LocalSystemFailed
from local_system.points import Document
from local_system.sizes import size_text
from local_system.web_server import DISKS, WebServer, examine
from simulator.cloud import Cloud


@dataclass(frozen=True)
class Taken:
    """A restore point, and copies of the disks, by their short names, put aside when it was taken."""

    point: Document
    disks: Mapping[str, Path]

    @property
    def slot(self) -> datetime:
        """The moment that it is for."""
        return datetime.fromisoformat(self.point["slot"])


@dataclass(frozen=True)
class Proof:
    """A disk that is what it was: how large, and what to say about it."""

    size_bytes: int
    text: str


def prove(disk: Mapping[str, Any], taken: Taken, machine: WebServer, cloud: Cloud) -> Proof:
    """Hold a restored disk against the copy put aside; raises LocalSystemFailed if they differ."""
    name = disk["sourceDisk"]
    short = machine.disk_names[name]
    restored = taken.disks[short].with_suffix(".restored")
    cloud.disk(disk["id"]).image.copy_to(restored)
    found = examine(short, restored, taken.disks[short])
    restored.unlink()
    if not found.is_good:
        raise LocalSystemFailed(f"Comparing restored disk {disk['name']} with {name}", found.fault)
    equal, story = size_text(found.size_bytes), quoted(found.story)
    return Proof(
        found.size_bytes, f"{name:<10}  {equal} equal, e2fsck -n clean, {DISKS[short].story}: {story}"
    )


def quoted(text: str) -> str:
    """Write the last line of a file's content."""
    return f'"{text.splitlines()[-1]}"'
