"""When to ask again for what failed and may yet succeed.

Our own waits double, and end after ten repetitions or an hour. A time that Azure names is another matter: it
has said when asking makes sense (`Retry-After`, documented up to twenty minutes), so nobody gives up before
that moment has come once. Six hours are the longest wait: our own choice, for no longer time is documented.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

MOST_REPETITIONS = 10
LONGEST_REPEATING = timedelta(hours=1)
LONGEST_NAMED = timedelta(hours=6)
_FIRST_DELAY = timedelta(seconds=5)
_LONGEST_DELAY = timedelta(minutes=5)


@dataclass(frozen=True)
class Attempt:
    """One request, what the latest try came to, and when the next is due: None once the reply is final."""

    due: datetime | None
    until: datetime
    repetition: int = 0
    has_overrun: bool = False
    reply: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def first(cls, now: datetime) -> Attempt:
        """Begin: due at once."""
        return cls(due=now, until=now + LONGEST_REPEATING)

    def replied(self, reply: dict[str, Any], now: datetime, repeats: bool = True) -> Attempt:
        """Take in a reply; without `repeats` any is final."""
        if "transient" not in reply or not repeats:
            return replace(self, reply=reply, due=None)
        named = min(timedelta(seconds=reply["transient"]["delay_seconds"] or 0), LONGEST_NAMED)
        due = now + max(named, min(_FIRST_DELAY * 2**self.repetition, _LONGEST_DELAY))
        is_over = self.repetition >= MOST_REPETITIONS or due > self.until
        if is_over and (self.has_overrun or not named):
            return replace(self, reply=reply, due=None)
        return replace(
            self,
            reply=reply,
            due=due,
            repetition=self.repetition + 1,
            has_overrun=self.has_overrun or is_over,
        )
