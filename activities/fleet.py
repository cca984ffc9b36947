"""Steps that look at the fleet and start what is due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import azure.durable_functions as df

from activities.announcing import announce
from activities.starting import start_orchestration
from domain.errors import Absent, TidemarkError
from domain.events import Event, EventName
from domain.fleet import DueBackup, Survey, survey
from domain.policy import Scope
from domain.requests import Start
from domain.vms import VirtualMachine
from durable import Client, activity, client_activity, to_wire
from gateways.connection import cloud

blueprint = df.Blueprint()

GROUP_GONE = "ResourceGroupNotFound"


@dataclass(frozen=True)
class Watch:
    """One look at the fleet: the scopes to look for VMs in."""

    scopes: tuple[Scope, ...]


@dataclass(frozen=True)
class Look:
    """Which scope to look at."""

    scope: Scope


@activity(blueprint)
def find_due_backups(look: Look) -> list[DueBackup]:
    """List the VMs of a scope, note in the overview what is new, and say which are due.

    Safe to repeat: a VM that is due at first sight keeps the slot of that moment. Raises Absent if the
    resource group is gone; before that its VMs are noted as gone.
    """
    try:
        return list(_surveyed(look.scope, cloud().virtual_machines.listed(look.scope)).due)
    except Absent as absent:
        if absent.code == GROUP_GONE:
            _surveyed(look.scope, ())
        raise


def _surveyed(scope: Scope, listed: Iterable[VirtualMachine]) -> Survey:
    """Survey a scope, and note in the overview what is new."""
    connected = cloud()
    vms = connected.catalogue.vms
    known = {vm.key: vm for vm in vms.all()}
    found = survey(scope, listed, known, connected.policies, connected.now())
    for sighting in found.sightings:
        vms.update(sighting.vm, sighting.recorded_in)
    return found


@dataclass(frozen=True)
class DuePage:
    """Backups to start: at most a page of 100."""

    due: tuple[DueBackup, ...]


@client_activity(blueprint)
async def start_backups(page: DuePage, client: Client) -> int:
    """Start the backups that are due; return how many were started.

    Safe to repeat: a backup that is being taken is not started again.
    """
    policies, started = cloud().policies.policies, 0
    for due in page.due:
        if due.policy not in policies:
            continue  # taken out of the file since the look; the next look tells it
        request = due.request(policies[due.policy])
        start = Start("backup_vm", request.instance, to_wire(request), may_follow=True)
        if await start_orchestration(start, client):
            started += 1
            if due.missed:
                message = f"{due.missed} slots before it were missed; their data is in none of the points"
                announce(Event(EventName.SLOT_MISSED, request.point, message, {"missed": due.missed}))
    return started


@dataclass(frozen=True)
class LookReport:
    """What one look at the fleet came to; `failures` says per scope why it could not be looked at."""

    due: int
    failures: tuple[str, ...]


class FleetUnseen(TidemarkError):
    """A part of the fleet could not be looked at."""

    code = "FleetUnseen"


@activity(blueprint)
def end_look(report: LookReport) -> int:
    """Write the heartbeat; raises FleetUnseen if a part of the fleet could not be looked at."""
    message = f"{report.due} backups were due"
    announce(Event(EventName.HEARTBEAT, "backup_fleet", message, {"due": report.due}))
    for failure in report.failures:
        announce(Event(EventName.FLEET_UNSEEN, "backup_fleet", failure))
    if report.failures:
        raise FleetUnseen("; ".join(report.failures))
    return report.due
