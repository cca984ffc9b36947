"""GET health: whether the app can do its work.

It asks for the role Reader as every route does; a probe signs in with an identity of its own.
"""

from __future__ import annotations

import asyncio
import logging
import platform
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Any

import azure.durable_functions as df
from pydantic import Field

from domain.errors import CloudError, Transient
from durable import Client
from gateways.connection import cloud
from triggers.documents import document
from triggers.identity import Role
from triggers.release import VERSION
from triggers.routing import endpoint
from triggers.timers import FLEET

blueprint = df.Blueprint()

_log = logging.getLogger("tidemark.triggers")

_LIBRARIES = ("azure-functions", "azure-functions-durable", "azure-mgmt-compute", "azure-data-tables")


@document
class WatchDocument:
    """The watch over the fleet, which runs every five minutes and starts what is due.

    The host is asked, not the catalogue: this is about the machinery itself.
    """

    state: Annotated[
        str | None, Field(description="As Durable Functions names it; null if it never ran, or if unknown.")
    ]
    last_run: Annotated[datetime | None, Field(description="When it last did something.")]
    failure: Annotated[
        str | None, Field(description="Why the last look failed, or why the host does not tell.")
    ]


@document
class HealthDocument:
    """What the app works with. That it answers says that the catalogue can be read."""

    policies: Annotated[tuple[str, ...], Field(description="Those of the policy file, which is valid.")]
    locations: tuple[str, ...]
    watch: WatchDocument
    versions: dict[str, str]


@endpoint(blueprint, "GET", "health", role=Role.READER, summary="Tell whether the app can do its work")
async def show_health(client: Client) -> HealthDocument:
    await asyncio.to_thread(_read_catalogue)
    policies = cloud().policies
    return HealthDocument(
        policies=tuple(policies.policies),
        locations=tuple(policies.locations),
        watch=await _watch(client),
        versions={
            "tidemark": VERSION,
            "python": platform.python_version(),
            **{name: version(name) for name in _LIBRARIES},
        },
    )


def _read_catalogue() -> None:
    try:
        cloud().catalogue.vms.page(most=1)
    except CloudError as failure:
        raise Transient("CatalogueUnreadable", f"the catalogue cannot be read: {failure}") from failure


async def _watch(client: Client) -> WatchDocument:
    try:
        status = await client.get_status(FLEET.instance)
    except Exception as failure:  # the SDK raises nothing more telling
        _log.warning("the host does not tell of the watch over the fleet", exc_info=failure)
        return WatchDocument(None, None, f"the host does not answer ({type(failure).__name__}); see its log")
    if status is None or status.runtime_status is None:
        return WatchDocument(None, None, None)
    return WatchDocument(status.runtime_status.name, status.last_updated_time, _failure_in(status.output))


def _failure_in(output: Any) -> str | None:
    """An orchestration that failed has completed all the same, and says so in what it returns."""
    return output["failed"]["message"] if isinstance(output, dict) and "failed" in output else None
