"""Counts what orchestrations cost, as it happens: steps and history events of every execution.

The host, as Azure does, drops the history of an execution that continues as new, and what its last episode
added is never stored. So the episodes are counted where they are played.

How many episodes there are is partly chance: answers that arrive together are played in one. Here every
answer counts as if it had come alone, which is the most events that there can be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_host import orchestrations
from local_host.durable_task import Kind
from local_host.episode import Episode, Orchestrators, Past, play
from local_host.extension import Identity
from local_host.history import Event

_TURN_FRAME = 2  # OrchestratorStarted and OrchestratorCompleted
_CONTINUED = 1  # ContinueAsNew, which ends an execution as ExecutionCompleted ends the last one


@dataclass
class Executed:
    """What one instance has come to: its steps by name, and the events of each of its executions."""

    orchestrator: str
    steps: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)  # by execution


class Ledger:
    """What all instances have come to since the ledger was opened, by their ids."""

    def __init__(self) -> None:
        self.instances: dict[str, Executed] = {}

    def all_but(self, *orchestrators: str) -> list[Executed]:
        """Return the instances of all orchestrators but these."""
        return [done for done in self.instances.values() if done.orchestrator not in orchestrators]

    def add(self, identity: Identity, messages: list[Event], episode: Episode) -> None:
        """Count an episode; raises RuntimeError if it continued as new twice: the host tells less."""
        if episode.generations > 1:
            raise RuntimeError(f"{identity.instance_id} continued as new twice without a wait in between")
        done = self.instances.setdefault(identity.instance_id, Executed(episode.started["Name"]))
        for _, action in episode.actions:
            if action.kind is Kind.ACTIVITY:
                done.steps[str(action.name)] += 1
        together = max(0, len(messages) - 1)
        done.events[identity.execution_id] += _TURN_FRAME * together
        if episode.generations:
            asked = sum(1 for execution, _ in episode.actions if execution == identity.execution_id)
            done.events[identity.execution_id] += _TURN_FRAME + len(messages) + asked + _CONTINUED
        done.events[episode.execution_id] += len(episode.events)


@contextmanager
def ledger() -> Iterator[Ledger]:
    """Open a ledger of all that the hosts of this process play until the block ends."""
    opened = Ledger()

    def counted(
        known: Orchestrators, identity: Identity, past: Past, messages: list[Event], now: datetime
    ) -> Episode:
        episode = play(known, identity, past, messages, now)
        opened.add(identity, messages, episode)
        return episode

    host: Any = orchestrations
    host.play = counted
    try:
        yield opened
    finally:
        host.play = play
