"""Plants faults: changes a file of a copy, or writes a project of a few lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from infra.checks.project import Project
from infra.checks.results import Finding, Result

Check = Callable[[Project], Result]


@dataclass
class Planted:
    """A copy of what is deployed."""

    project: Project

    def change(self, name: str, old: str, new: str) -> int:
        """Put `new` for the first `old` in a file; return its line. Fails if there is none."""
        path = self.project.root / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r} any more: plant this fault elsewhere"
        path.write_text(text.replace(old, new, 1))
        return text[: text.index(old)].count("\n") + 1

    def change_json(self, name: str, change: Callable[[Any], None]) -> None:
        """Change what a JSON file holds."""
        path = self.project.root / name
        data = json.loads(path.read_text())
        change(data)
        path.write_text(json.dumps(data, indent=2))

    def findings(self, check: Check) -> tuple[Finding, ...]:
        """Return what a check finds now, as if nothing had been read before."""
        self.project = replace(self.project)
        return check(self.project).findings


@dataclass
class Small:
    """A project that a test writes itself."""

    root: Path

    def write(self, name: str, text: str) -> None:
        """Write a file of `infra/`."""
        (self.root / "infra" / name).write_text(text)

    def found(self, check: Check, main: str) -> list[str]:
        """Return what a check finds in `main.bicep` and what else was written, as it is told."""
        self.write("main.bicep", main)
        return [str(finding) for finding in check(Project(self.root)).findings]
