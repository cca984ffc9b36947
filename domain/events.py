"""What an operator must hear of. Alerts are built on these names, so they never change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class EventName(StrEnum):
    """Every event that the app writes."""

    HEARTBEAT = "heartbeat"  # the watch over the fleet has looked; its absence is the alarm
    FLEET_UNSEEN = "fleet_unseen"  # a subscription could not be looked at, so nothing of it is backed up
    BACKUP_FAILED = "backup_failed"
    SLOT_MISSED = "slot_missed"
    COPY_FAILED = "copy_failed"
    COPY_STALLED = "copy_stalled"
    REPLICA_DAMAGED = "replica_damaged"
    REPLICA_UNVERIFIED = "replica_unverified"
    OPERATION_STUCK = "operation_stuck"
    PRUNE_FAILED = "prune_failed"
    PRUNE_STOPPED = "prune_stopped"


@dataclass(frozen=True)
class Event:
    """One thing that happened: its name, what it happened to, and what was found, in words."""

    name: EventName
    subject: str
    message: str
    details: Mapping[str, str | int | float] = field(default_factory=dict)
