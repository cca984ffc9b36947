"""What the orchestrations are started with. Settings travel in it, so that a replay reads none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.names import point_id, vm_key
from domain.policy import Location, Policy


@dataclass(frozen=True)
class BackupRequest:
    """Take one restore point of one VM."""

    vm_id: str
    slot: datetime
    attempt: int
    policy: Policy
    operation: str | None = None

    @property
    def point(self) -> str:
        """The id of the point to take."""
        return point_id(vm_key(self.vm_id), self.slot, self.attempt)

    @property
    def instance(self) -> str:
        """The id of the orchestration that takes it."""
        return f"backup:{self.point}"


@dataclass(frozen=True)
class RestoreRequest:
    """Bring the disks of one restore point back from one location."""

    operation: str
    point: str
    location: Location

    @property
    def instance(self) -> str:
        """The id of the orchestration that does it."""
        return f"restore:{self.operation}"


@dataclass(frozen=True)
class Start:
    """An orchestration to be started: which one, under which id, with what.

    `may_follow` says whether it is started also where an earlier instance of this id is over.
    """

    orchestrator: str
    instance: str
    request: Mapping[str, Any]
    may_follow: bool = False
