"""How an orchestrator makes one thing in Azure: begin it, and look until nothing more will happen to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from domain.errors import Refused, StepFailed
from domain.provisioning import Made
from durable import Context, Failed, Pace, Steps, gather, poll

PACE = Pace(first=timedelta(seconds=5), longest=timedelta(minutes=1), within=timedelta(minutes=40))

Order = TypeVar("Order")
Thing = TypeVar("Thing", bound=Made)


def make_one(
    context: Context,
    begin: Callable[[Order], Thing],
    look: Callable[[Order], Thing],
    order: Order,
    what: str,
    pace: Pace = PACE,
) -> Steps[Thing]:
    """Make one thing and wait until it is ready; raises StepFailed or Refused if it never is."""
    begun = yield from gather(context, begin, [order])
    [latest] = yield from poll(context, look, [order], known=begun, until=is_settled, pace=pace)
    if isinstance(latest, Failed):
        raise StepFailed(begin.__name__, latest.code, latest.message, latest.is_transient)
    if not latest.value.is_ready:
        raise Refused("NotMade", f"{what}: {latest.value.found}")
    return latest.value


def is_settled(thing: Made) -> bool:
    """Whether nothing more will happen to something that was begun."""
    return thing.is_settled
