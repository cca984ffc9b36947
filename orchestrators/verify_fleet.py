"""Has the replicas of all VMs verified, page by page. One instance at a time; it ends in seconds.

1. Find the disks of a page of VMs that have a replica in a page blob.
2. Start the verification of each, in pages; one that is still under way from yesterday goes on.
3. Begin anew with the next page.
"""

from __future__ import annotations

import azure.durable_functions as df

from activities.starting import Starts, start_orchestrations
from activities.verifications import VerificationLook, find_replicas_to_verify
from domain.requests import Start
from domain.verifications import VerificationOrder
from durable import MOST_CHILDREN, Context, Steps, call, orchestration, restart, to_wire

blueprint = df.Blueprint()


@orchestration(blueprint)
def verify_fleet(context: Context, look: VerificationLook) -> Steps[None]:
    """Start the verification of every disk that has a replica in a page blob."""
    page = yield from call(context, find_replicas_to_verify, look)
    starts = [start_of(order) for order in page.orders]
    for first in range(0, len(starts), MOST_CHILDREN):
        some = tuple(starts[first : first + MOST_CHILDREN])
        yield from call(context, start_orchestrations, Starts(some))
    if page.following:
        restart(context, VerificationLook(page.following))


def start_of(order: VerificationOrder) -> Start:
    """Return how the verification of one disk in one location is started."""
    return Start("verify_replica", order.instance, to_wire(order), may_follow=True)
