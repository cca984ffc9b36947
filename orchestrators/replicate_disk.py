"""Works the copies of one disk to one location, oldest first, one at a time, until none is left.

1. Take the oldest copy that is not over, and begin it; wait where something is in its way.
2. Look at it until it is over: complete, or lost and to be tried again.
3. Begin anew with the next one: the queue is in the catalogue.
"""

from __future__ import annotations

from datetime import timedelta

import azure.durable_functions as df

from activities.copies import Claim, begin_next_copy, look_at_copy
from activities.page_copies import carry_pages
from domain.copies import Copy, CopyState
from domain.copy_queues import CopyLook, CopyWork
from durable import Context, Steps, call, orchestration, restart, wait

blueprint = df.Blueprint()

FIRST_LOOK = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=5)
SHORTEST_PAUSE = timedelta(seconds=5)
MOST_LOOKS = 50  # then history begins anew


@orchestration(blueprint)
def replicate_disk(context: Context, work: CopyWork) -> Steps[None]:
    """Work the copies of one disk to one location until none is left."""
    now = context.current_utc_datetime
    worker = work.worker or f"{context.instance_id}@{now.isoformat()}"
    head = yield from call(context, begin_next_copy, Claim(work.queue, worker))
    if head.copy:
        yield from watch(context, head.copy, work)
    elif head.wait_until:
        yield from wait(context, max(head.wait_until - now, SHORTEST_PAUSE))
    else:
        return
    restart(context, CopyWork(work.queue, worker))


def watch(context: Context, copy: Copy, work: CopyWork) -> Steps[None]:
    """Look at a copy until it is over, or another worker has it."""
    worker, pause = copy.owner, FIRST_LOOK
    for _ in range(MOST_LOOKS):
        if copy.state is not CopyState.COPYING or copy.owner != worker:
            return
        look = CopyLook(copy, work.queue.location)
        if copy.is_paged:
            copy = yield from carry(context, look)
            continue
        yield from wait(context, pause)
        copy = yield from call(context, look_at_copy, look)
        pause = min(pause * 2, LONGEST_PAUSE)


def carry(context: Context, look: CopyLook) -> Steps[Copy]:
    """Write another batch of pages; where there was no room for one, let some time pass."""
    copy = yield from call(context, carry_pages, look)
    if copy.state is CopyState.COPYING and copy.pages == look.copy.pages:
        yield from wait(context, FIRST_LOOK)
    return copy
