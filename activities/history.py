"""The step that forgets what orchestrations have done, long after they are over.

History is for the machinery alone: what happened stands in the catalogue. Without an end it would fill the
host's storage and slow every query down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import azure.durable_functions as df
from azure.durable_functions import OrchestrationRuntimeStatus as Status

from durable import Client, client_activity

blueprint = df.Blueprint()

# Never those at work: the Durable extension would take their history from under them.
FINISHED = [Status.Completed, Status.Failed, Status.Terminated, Status.Canceled]


@dataclass(frozen=True)
class Created:
    """A span of time; instances that were created in it are meant, the end excluded."""

    start: datetime
    end: datetime


@client_activity(blueprint)
async def purge_histories(created: Created, client: Client) -> int:
    """Delete the histories of finished instances; return how many. Safe to repeat: what is gone is gone."""
    purged = await client.purge_instance_history_by(created.start, created.end, FINISHED)
    return purged.instances_deleted
