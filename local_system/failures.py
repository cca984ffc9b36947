"""What is told to a person when a local system cannot go on."""

from __future__ import annotations

from pathlib import Path


class LocalSystemFailed(Exception):
    """Something went wrong: `step` says what was being done, `reason` what came in between.

    `log` is where more is said, in the directory of the system; None if the reason says it all.
    """

    def __init__(self, step: str, reason: str, log: Path | None = None) -> None:
        super().__init__(f"{step} failed: {reason}")
        self.step = step
        self.reason = reason
        self.log = log
