"""What a check tells: what it found, with file and line, and what it has looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong: where, what was found, and what to do about it. Lines begin at 1."""

    file: str
    line: int
    found: str
    advice: str
    is_warning: bool = False  # told, but no reason to fail

    def __str__(self) -> str:
        word = "warning: " if self.is_warning else ""
        return f"{self.file}:{self.line}: {word}{self.found}; {self.advice}"


@dataclass(frozen=True)
class Result:
    """What one check came to. `looked_at` counts what it has seen, or says why it has not looked."""

    name: str
    looked_at: str
    findings: tuple[Finding, ...] = ()
    has_looked: bool = True

    @property
    def has_failed(self) -> bool:
        """Whether something is wrong that is more than a warning."""
        return any(not finding.is_warning for finding in self.findings)


def result(name: str, looked_at: str, findings: Iterable[Finding]) -> Result:
    """Return a result with its findings in the order of files and lines, each once."""
    return Result(name, looked_at, tuple(sorted(set(findings))))


def not_looked(name: str, why: str) -> Result:
    """Return the result of a check that could not look."""
    return Result(name, why, has_looked=False)
