"""A copy of what is deployed, to break; and a project of a few lines, to try one thing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from infra.checks.project import ROOT, Project
from tests.infra.planting import Planted, Small

COPIED = ("infra", ".github", "docs/alerts", "azure.yaml", "policies.yaml")


@pytest.fixture
def types() -> Path:
    """The published resource types, where they are."""
    folder = os.environ.get("TIDEMARK_RESOURCE_TYPES")
    if not folder:
        pytest.skip("no resource types: set TIDEMARK_RESOURCE_TYPES to a folder of Azure/bicep-types-az")
    return Path(folder)


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    """A copy of what this project deploys."""
    for name in COPIED:
        source, target = ROOT / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        else:
            shutil.copy(source, target)
    return Planted(Project(tmp_path))


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """A project without any file."""
    (tmp_path / "small" / "infra").mkdir(parents=True)
    return Small(tmp_path / "small")
