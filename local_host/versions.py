"""Which instances a host executes: the version they began under against that of the host.

What Azure does was read in DurableTask.Core (TaskOrchestrationDispatcher, VersioningSettings, at 52170329)
and, of the extension, in pull requests 3095 and 3213 and its VersioningTests. The settings are in host.json:

- An instance gets its version when it is created and keeps it: what its starter names, else `defaultVersion`.
  So does a sub-orchestration; it does not inherit. Continue-as-new keeps the version.
- It is compared whenever something arrives for the instance: its start, an answer, a timer, an event. Until
  then a mismatch shows nowhere. Where there is one, the orchestrator is not called.
- None: everything fits. Strict: the texts are the same, so no version fits no version and nothing else.
  CurrentOrOlder: the instance's is not the newer one; no version is older than any; two to four numbers are
  compared as numbers, everything else as text, case ignored ("10" is older than "9").
- Fail: the instance is Failed, with the output below, and nothing is started. Its parent, if it has one, gets
  a failure without reason and details: they stand in FailureDetails alone, which SDK 1.x does not read.
  Nobody is told: activities that wait or run go on, by the code that is there now, and sub-orchestrations
  until something arrives for them, when they are compared for themselves.
- Reject: the messages go back, and each comes again after 2, 4, 8 … seconds, at most ten minutes. Nothing
  else happens, whatever arrives: not even a termination is carried out.

Not known: whether an instance that an extension older than 3.1 made has no version or an empty one, which
Strict tells apart; what entities do under these strategies (here they have no version and always run);
whether an unknown strategy ends the start, as `durable_settings` has it. No running host was asked. A local
host that starts anew counts the tries of a rejected message from one again; Azure's queue remembers them.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

LONGEST_BACK_OFF = timedelta(minutes=10)
MISMATCH: dict[str, Any] = {
    "ErrorType": "VersionMismatch",
    "ErrorMessage": "Orchestration version did not comply with Worker Versioning",
    "StackTrace": None,
    "InnerFailure": None,
    "IsNonRetriable": True,
}
OUTPUT = f"{MISMATCH['ErrorType']}: {MISMATCH['ErrorMessage']}"
_NUMBERS = re.compile(r"\d+(\.\d+){1,3}")


class MatchStrategy(StrEnum):
    """versionMatchStrategy: which instances fit."""

    NONE = "None"
    STRICT = "Strict"
    CURRENT_OR_OLDER = "CurrentOrOlder"


class FailureStrategy(StrEnum):
    """versionFailureStrategy: what becomes of an instance that does not."""

    REJECT = "Reject"
    FAIL = "Fail"


@dataclass(frozen=True)
class Versions:
    """What host.json says of versions. `current` is its defaultVersion."""

    current: str | None = None
    match: MatchStrategy = MatchStrategy.CURRENT_OR_OLDER
    failure: FailureStrategy = FailureStrategy.REJECT

    def fits(self, version: str | None) -> bool:
        """Whether an instance of this version is executed."""
        if self.match is MatchStrategy.NONE:
            return True
        if self.match is MatchStrategy.STRICT:
            return version == self.current
        return not _is_newer(version, self.current)


@dataclass
class BackOff:
    """How long a message that is rejected waits until it comes again."""

    _tries: Counter[int] = field(default_factory=Counter)

    def after(self, message_id: int) -> timedelta:
        """Count one more try of a message, and return how long it waits now."""
        self._tries[message_id] += 1
        seconds = 2 ** min(self._tries[message_id], 30)
        return min(timedelta(seconds=seconds), LONGEST_BACK_OFF)


def _is_newer(one: str | None, other: str | None) -> bool:
    one, other = (one or "").strip(), (other or "").strip()
    if not one or not other:
        return bool(one)
    if _NUMBERS.fullmatch(one) and _NUMBERS.fullmatch(other):
        return _numbers(one) > _numbers(other)
    return one.upper() > other.upper()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
