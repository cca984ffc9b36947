"""What the orchestrations are started with. Settings travel in it, so that a replay reads none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
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
    is_retake: bool = False

    @property
    def retake(self) -> BackupRequest:
        """Take it all once more, under the next attempt."""
        return replace(self, attempt=self.attempt + 1, is_retake=True)

    @property
    def point(self) -> str:
        """The id of the point to take."""
        return point_id(vm_key(self.vm_id), self.slot, self.attempt)

    @property
    def instance(self) -> str:
        """The id of the orchestration that takes it."""
        return f"backup:{self.point}"


class Wanted(StrEnum):
    """What a restore brings back."""

    DISKS = "disks"
    VM = "vm"


@dataclass(frozen=True)
class RestoreRequest:
    """Bring a restore point back from one location: its disks, or the whole VM.

    `disks` names those that are wanted, all where it is empty. `vm_name` is what the VM will be called.
    """

    operation: str
    point: str
    location: Location
    what: Wanted = Wanted.DISKS
    disks: tuple[str, ...] = ()
    vm_name: str = ""

    @property
    def is_for_vm(self) -> bool:
        """Whether a VM is wanted, and not its disks alone."""
        return self.what is Wanted.VM

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
