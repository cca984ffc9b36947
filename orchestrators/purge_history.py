"""Forgets the histories of finished orchestrations, by the day on which they were created.

1. What is older than a month goes, a day at a time, so that no request has much to do.
2. Once a day, from the oldest: what an outage has left goes the next time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import azure.durable_functions as df

from activities.history import Created, purge_histories
from durable import Context, Steps, call, orchestration

blueprint = df.Blueprint()

DAYS_APART = 7
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PurgeOrder:
    """How long histories are kept: long enough to look into what an operator was told of weeks ago."""

    days_kept: int = 30


@orchestration(blueprint)
def purge_history(context: Context, order: PurgeOrder) -> Steps[int]:
    """Delete the histories of finished instances that are old enough; return how many."""
    end = context.current_utc_datetime - timedelta(days=order.days_kept)
    days = [end - timedelta(days=age) for age in range(DAYS_APART, -1, -1)]
    deleted = 0
    for start, until in zip([BEGINNING, *days], days, strict=False):
        deleted += yield from call(context, purge_histories, Created(start, until))
    return deleted
