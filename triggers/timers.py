"""What begins by itself."""

from __future__ import annotations

from dataclasses import replace

import azure.durable_functions as df
import azure.functions as func

from activities.fleet import Watch
from activities.starting import start_orchestration
from domain.requests import Start
from durable import Client, to_wire
from gateways.connection import cloud

blueprint = df.Blueprint()

# One instance for ever: a look that takes longer than the interval is not overtaken by the next.
FLEET = Start("backup_fleet", "backup_fleet", {}, may_follow=True)
HISTORY = Start("purge_history", "purge_history", {}, may_follow=True)
PRUNING = Start("prune_fleet", "prune_fleet", {}, may_follow=True)
VERIFICATION = Start("verify_fleet", "verify_fleet", {}, may_follow=True)


@blueprint.timer_trigger(schedule="0 */5 * * * *", arg_name="timer")
@blueprint.durable_client_input(client_name="client")
async def watch_fleet(timer: func.TimerRequest, client: Client) -> None:
    """Look at the fleet every five minutes."""
    watch = Watch(cloud().policies.scopes)
    await start_orchestration(replace(FLEET, request=to_wire(watch)), client)


# Not on the hour, when most schedules take their backups.
@blueprint.timer_trigger(schedule="0 37 * * * *", arg_name="timer")
@blueprint.durable_client_input(client_name="client")
async def prune_hourly(timer: func.TimerRequest, client: Client) -> None:
    """Prune every hour."""
    await start_orchestration(PRUNING, client)


@blueprint.timer_trigger(schedule="0 17 3 * * *", arg_name="timer")
@blueprint.durable_client_input(client_name="client")
async def purge_daily(timer: func.TimerRequest, client: Client) -> None:
    """Forget old histories once a day."""
    await start_orchestration(HISTORY, client)


@blueprint.timer_trigger(schedule="0 27 4 * * *", arg_name="timer")
@blueprint.durable_client_input(client_name="client")
async def verify_daily(timer: func.TimerRequest, client: Client) -> None:
    """Verify replicas in page blobs once a day."""
    await start_orchestration(VERIFICATION, client)
