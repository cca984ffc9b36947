"""The package, built once, and what an interpreter finds that has nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from bench.imports import ENVIRONMENT
from infra.package import archive
from infra.package.contents import ROOT

LIBRARIES = ROOT / ".package" / "libraries"
"""requirements.txt alone, installed by the Makefile before it runs the tests."""
_SCRIPT = Path(__file__).parent / "indexing.py"


class NotIndexedError(Exception):
    """The app cannot be indexed; the text is what Python said."""


def index(libraries: Path, app: Path) -> dict[str, Any]:
    """Index an app in a process that sees the standard library, these libraries and the app, nothing else."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(_SCRIPT), str(libraries), str(app)],
        cwd=app,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotIndexedError(done.stderr)
    return json.loads(done.stdout)


def unpacked(file: Path) -> Path:
    """Unpack a zip beside itself; return the folder."""
    directory = file.with_suffix("")
    with ZipFile(file) as opened:
        opened.extractall(directory)
    return directory


@pytest.fixture(scope="session")
def libraries() -> Path:
    assert LIBRARIES.is_dir(), "the package's libraries are not installed here; run: make package"
    return LIBRARIES


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked package of the app, without its libraries."""
    file = tmp_path_factory.mktemp("package") / "app.zip"
    archive.build(file)
    return unpacked(file)


@pytest.fixture(scope="session")
def of_package(libraries: Path, package: Path) -> dict[str, Any]:
    """What is found in the package with its own libraries."""
    return index(libraries, package)


@pytest.fixture(scope="session")
def of_checkout() -> dict[str, Any]:
    """What is found in the project as it lies here, with the libraries of its own environment."""
    return index(Path(sysconfig.get_path("purelib")), ROOT)
