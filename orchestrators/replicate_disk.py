"""Carries the snapshots of one disk to one location, oldest first, one at a time, as Azure wants them.

1. Take the oldest open copy and begin it; none left: end.
2. Look at it until it is over: success of the call that began it says nothing about the data.
3. Begin anew with the next.
"""

from __future__ import annotations

from datetime import timedelta

import azure.durable_functions as df

from activities.copies import Claim, CopyLook, begin_next_copy, look_at_copy
from domain.copies import CopyQueue, CopyState
from durable import Context, Steps, call, orchestration, restart, wait

blueprint = df.Blueprint()

FIRST_LOOK = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=5)
MOST_LOOKS = 50  # then history begins anew


@orchestration(blueprint)
def replicate_disk(context: Context, queue: CopyQueue) -> Steps[None]:
    """Work the copies of one disk to one location until none is left."""
    copy = yield from call(context, begin_next_copy, Claim(queue, context.instance_id))
    if copy is None:
        return

    pause = FIRST_LOOK
    for _ in range(MOST_LOOKS):
        if copy.state is not CopyState.COPYING:
            break
        yield from wait(context, pause)
        copy = yield from call(context, look_at_copy, CopyLook(copy, queue.location))
        pause = min(pause * 2, LONGEST_PAUSE)
    restart(context, queue)
