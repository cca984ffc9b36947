"""Operations: what people ask for, who asked, how far it is, and what came of it.

Backups by the timer have none: their restore points tell all of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class OperationState(StrEnum):
    """How far an operation has come."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self in (OperationState.SUCCEEDED, OperationState.FAILED)


@dataclass(frozen=True)
class Operation:
    """Something that was asked for. `request` is what the orchestration `orchestrator` gets as its input.

    `fingerprint` is a hash of what the caller sent: it tells a repeated request from another one. `made` has
    the ARM ids of what a restore has made so far, where that is not the last thing it does.
    """

    id: str
    kind: str
    who: str
    asked: datetime
    subject: str
    orchestrator: str
    instance: str
    request: Mapping[str, Any]
    state: OperationState = OperationState.ACCEPTED
    ended: datetime | None = None
    outcome: Mapping[str, Any] = field(default_factory=dict)
    failure: str | None = None
    fingerprint: str = ""
    made: tuple[str, ...] = ()

    def running(self) -> Operation:
        """Return the operation as under way."""
        return self if self.state.is_over else replace(self, state=OperationState.RUNNING)

    def having_made(self, ids: tuple[str, ...]) -> Operation | None:
        """Return the operation with what it has made so far; None where that is not news, or it is over."""
        if self.state.is_over or self.made == ids:
            return None
        return replace(self, made=ids)

    def succeeded(self, outcome: Mapping[str, Any], now: datetime) -> Operation:
        """Return the operation as done, with what came of it; what is over stays as it was."""
        if self.state.is_over:
            return self
        return replace(self, state=OperationState.SUCCEEDED, outcome=outcome, ended=now)

    def failed(self, reason: str, now: datetime, outcome: Mapping[str, Any] | None = None) -> Operation:
        """Return the operation as failed, with the reason; what is over stays as it was."""
        if self.state.is_over:
            return self
        return replace(
            self, state=OperationState.FAILED, failure=reason, ended=now, outcome=outcome or self.outcome
        )
