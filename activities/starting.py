"""The step that starts other orchestrations."""

from __future__ import annotations

from dataclasses import dataclass

import azure.durable_functions as df

from domain.copy_queues import CopyQueue, CopyWork
from domain.errors import Transient
from domain.requests import Start
from durable import Client, client_activity, to_wire

blueprint = df.Blueprint()

_AT_WORK = {"Pending", "Running", "ContinuedAsNew", "Suspended"}


@dataclass(frozen=True)
class Starts:
    """The orchestrations to start: at most a page of 100."""

    starts: tuple[Start, ...]


def copy_worker(queue: CopyQueue) -> Start:
    """Return how the worker of a copy queue is started."""
    return Start("replicate_disk", queue.instance, to_wire(CopyWork(queue)), may_follow=True)


@client_activity(blueprint)
async def start_orchestrations(wanted: Starts, client: Client) -> int:
    """Start what is not there yet; return how many were started.

    Safe to repeat: an instance that is at work stays; one that is over is followed by another only where that
    is meant.
    """
    started = 0
    for start in wanted.starts:
        started += await start_orchestration(start, client)
    return started


async def start_orchestration(start: Start, client: Client) -> bool:
    """Start one orchestration; return False if it is there already."""
    if await _is_there(start, client):
        return False
    try:
        await client.start_new(start.orchestrator, start.instance, start.request)
    except Exception as refused:  # the SDK raises nothing more telling
        if await _is_there(start, client):
            return False  # somebody else started it in between
        raise Transient("NotStarted", f"{start.instance} could not be started: {refused}") from refused
    return True


async def is_at_work(instance: str, client: Client) -> bool:
    """Whether an orchestration has begun, or is about to, and is not over."""
    status = await client.get_status(instance)
    if status is None or status.runtime_status is None:
        return False
    return status.runtime_status.name in _AT_WORK


async def _is_there(start: Start, client: Client) -> bool:
    status = await client.get_status(start.instance)
    if status is None or status.runtime_status is None:
        return False
    return status.runtime_status.name in _AT_WORK or not start.may_follow
