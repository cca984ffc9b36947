"""What is planned for a restore after everything was looked at, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import Fault
from domain.networks import RestoredInterface
from domain.not_carried import NotCarried
from domain.restore_points import ReplicaState, RestorePoint
from domain.restored_machines import MachinePlan, RestoredMachine
from domain.restores import DiskPlan, RestoredDisk


@dataclass(frozen=True)
class RestorePlan:
    """All that a restore will make, and what it will leave behind; `machine` is None for disks alone."""

    disks: tuple[DiskPlan, ...]
    machine: MachinePlan | None = None
    not_carried: tuple[NotCarried, ...] = ()


@dataclass(frozen=True)
class Preflight:
    """What was found before anything is made: a plan, or every reason why there is none.

    `unreachable` says why the location could not be looked at just now; `is_over` that the restore has ended.
    """

    plan: RestorePlan | None = None
    faults: tuple[Fault, ...] = ()
    unreachable: str | None = None
    is_over: bool = False


@dataclass(frozen=True)
class RestoreOutcome:
    """What a restore brought back, and why it is not all, if it is not.

    `may_work_elsewhere` says that the location is at fault, not what was asked for.
    """

    disks: tuple[RestoredDisk, ...] = ()
    machine: RestoredMachine | None = None
    interface: RestoredInterface | None = None
    not_carried: tuple[NotCarried, ...] = ()
    faults: tuple[Fault, ...] = ()
    failure: str | None = None
    may_work_elsewhere: bool = False

    def told(self) -> Mapping[str, Any]:
        """Return it as it stands in the operation."""
        told: dict[str, Any] = {
            "disks": [
                {"sourceDisk": disk.source_disk, "lun": disk.lun, "name": disk.name, "id": disk.id}
                for disk in self.disks
            ],
            "notCarried": [{"what": left.what, "why": left.why} for left in self.not_carried],
        }
        if self.interface:
            told["interface"] = {"id": self.interface.id, "address": self.interface.address}
        if self.machine:
            told["vm"] = _vm(self.machine)
        if self.faults:
            told["faults"] = [{"field": fault.field, "message": fault.message} for fault in self.faults]
        return told


def refusal(found: Preflight, location: str) -> RestoreOutcome:
    """Return the outcome of a restore that could not be begun; nothing was made."""
    if found.unreachable:
        reason = f"location '{location}' cannot be reached now ({found.unreachable}); nothing was made"
        return RestoreOutcome(failure=reason, may_work_elsewhere=True)
    listed = "; ".join(str(fault) for fault in found.faults)
    return RestoreOutcome(faults=found.faults, failure=f"nothing was made: {listed}")


def elsewhere(point: RestorePoint | None, location: str) -> str:
    """Say where else a restore point can be restored from, as far as the catalogue knows."""
    replicas = point.replicas if point else {}
    others = [
        name for name, state in replicas.items() if state is ReplicaState.AVAILABLE and name != location
    ]
    if not others:
        return "the restore point is available nowhere else; try again later"
    return f"the restore point is also available in {', '.join(others)}: restore it from there"


def _vm(machine: RestoredMachine) -> Mapping[str, Any]:
    return {
        "name": machine.id.rsplit("/", 1)[-1],
        "id": machine.id,
        "size": machine.size,
        "zones": list(machine.zones),
    }
