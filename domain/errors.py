"""Everything that Tidemark raises on purpose.

    TidemarkError
    ├── InvalidInput        what a person asked for, or wrote into a file, has faults; all of them are listed
    ├── NotSignedIn         nobody knows who asks
    ├── NotAllowed          who asks has not the role that is needed
    ├── NotFound            there is nothing of that name
    ├── Busy                another operation is at work on the same thing
    ├── KeyReused           an idempotency key stands for another request already
    ├── CloudError          Azure did not do what was asked
    │   ├── Transient       asking again later may help
    │   └── Refused         asking again will not help
    │       ├── Absent      the thing that was asked for does not exist
    │       └── Conflicting something else is in its way
    └── StepFailed          a step of an orchestration failed for good

Every message names the thing, what was found, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta


class TidemarkError(Exception):
    """The base of all errors raised on purpose."""

    code = "TidemarkError"


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input: where, and what to do about it."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class InvalidInput(TidemarkError):
    """An input has faults; nothing was started."""

    code = "InvalidInput"

    def __init__(self, what: str, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"{what}: " + "; ".join(str(fault) for fault in self.faults))


class NotSignedIn(TidemarkError):
    """Nobody knows who asks."""

    code = "NotSignedIn"


class NotAllowed(TidemarkError):
    """Who asks has not the role that is needed."""

    code = "NotAllowed"


class NotFound(TidemarkError):
    """There is nothing of that name."""

    code = "NotFound"


class Busy(TidemarkError):
    """Another operation is at work on the same thing.

    `operation` is that operation, None where the schedule began the work; `point` is what is being taken.
    """

    code = "Busy"

    def __init__(self, message: str, operation: str | None, point: str | None = None) -> None:
        super().__init__(message)
        self.operation = operation
        self.point = point


class KeyReused(TidemarkError):
    """An idempotency key stands for another request already."""

    code = "KeyReused"


class CloudError(TidemarkError):
    """Azure did not do what was asked; `code` is Azure's own word for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Transient(CloudError):
    """Asking again may help, after `retry_after` if Azure named a time."""

    THROTTLED = "TooManyRequests"  # the code where a limit on requests is reached

    def __init__(self, code: str, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class Refused(CloudError):
    """Asking again will not help."""


class Absent(Refused):
    """The thing that was asked for does not exist."""


class Conflicting(Refused):
    """Something else is in its way: another call at work on it, or something that is there already."""


class StepFailed(TidemarkError):
    """A step of an orchestration failed for good."""

    def __init__(self, step: str, code: str, message: str, is_transient: bool = False) -> None:
        super().__init__(message)
        self.step = step
        self.code = code
        self.is_transient = is_transient  # still failing after all repetitions; later it may not be
