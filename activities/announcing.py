"""Writes events: one structured log line each, which the alerts look for."""

from __future__ import annotations

import json
import logging

from domain.events import Event, EventName

_log = logging.getLogger("tidemark.events")


def announce(event: Event) -> None:
    """Write an event. A step that is repeated writes it again: an alert counts periods, not lines."""
    line = {"event": event.name, "subject": event.subject, "message": event.message, **event.details}
    level = logging.INFO if event.name is EventName.HEARTBEAT else logging.WARNING
    _log.log(level, "%s", json.dumps(line, sort_keys=True, default=str))
