"""The files that are checked, and where the app lies that they deploy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.checks.bicep import BicepFile

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Project:
    """A checkout: `infra/` and what belongs to it under `root`, the code of the app under `app`."""

    root: Path = ROOT
    app: Path = ROOT
    resource_types: Path | None = None  # the folder of Azure's published resource types, if there is one

    @cached_property
    def bicep(self) -> Mapping[Path, BicepFile]:
        """Every Bicep file, by its path."""
        found = sorted((self.root / "infra").rglob("*.bicep"))
        return {path: BicepFile(self.name(path), path) for path in found}

    @cached_property
    def parsed(self) -> Mapping[Path, BicepFile]:
        """The Bicep files that have the form of one; the others are a finding of their own."""
        return {path: file for path, file in self.bicep.items() if not file.root.has_error}

    def name(self, path: Path) -> str:
        """Return the path of a file from the root, as findings tell it."""
        return path.relative_to(self.root).as_posix()

    def json(self, name: str) -> Any:
        """Return what a JSON file holds; raises FileNotFoundError, or ValueError if it is no JSON."""
        return json.loads((self.root / name).read_text())

    def line_of(self, name: str, word: str) -> int:
        """Return the first line of a file that has a word; 1 if none has it."""
        lines = (self.root / name).read_text().splitlines()
        return next((number for number, line in enumerate(lines, 1) if word in line), 1)
