"""How large the package is, and what its first import costs: with the byte code that it brings, and without.

The zip is unpacked as it would lie in Azure, and imported by interpreters that see nothing else, each anew.
The package is read-only there, so what it does not bring is compiled at every cold start; the standard
library has its byte code either way. Seconds are those of the processor, which is all that an import waits
for here: the files are in the machine's cache. What Azure takes to fetch them, and to start the host and its
worker, is not in them; nor is what a process takes that imports nothing.

azure-mgmt-compute is told apart, as the largest of the libraries that are our choice.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from bench.imports import APP, ENVIRONMENT
from infra.package.archive import LIBRARIES, build
from infra.package.contents import ROOT

INSTALLED = ROOT / ".package" / "libraries"  # by the Makefile
ROUNDS = 5
COMPUTE = "import azure.mgmt.compute"
AIM = 3.0  # seconds; the platform gives the app 30 to be ready


def measure() -> list[dict[str, Any]]:
    """Build the package, look at its size, import it; raises FileNotFoundError if there are no libraries."""
    if not INSTALLED.is_dir():
        raise FileNotFoundError(
            f"The libraries of the package are not installed in {INSTALLED}: make package"
        )
    with TemporaryDirectory() as directory:
        app, unpacked = Path(directory) / "app.zip", Path(directory) / "unpacked"
        build(app)
        build(package := Path(directory) / "package.zip", INSTALLED)
        with ZipFile(package) as opened:
            opened.extractall(unpacked)
        return [
            _row("package: zip of the app alone", app.stat().st_size / 1e6, "MB"),
            _row("package: zip with the libraries", package.stat().st_size / 1e6, "MB"),
            *_sizes("package: unpacked", unpacked),
            *_sizes("… of which azure-mgmt-compute", unpacked / LIBRARIES / "azure" / "mgmt" / "compute"),
            *_imports("package: import of function_app", unpacked),
        ]


def _sizes(name: str, directory: Path) -> list[dict[str, Any]]:
    files = [path for path in directory.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    byte_code = sum(path.stat().st_size for path in files if path.suffix == ".pyc")
    return [
        _row(name, size / 1e6, "MB"),
        _row(f"{name}, byte code", byte_code / 1e6, "MB"),
        _row(f"{name}, files", len(files), "files"),
    ]


def _imports(name: str, package: Path) -> list[dict[str, Any]]:
    brought = _medians(package)
    for cache in list(package.rglob("__pycache__")):
        shutil.rmtree(cache)
    missing = _medians(package)
    return [
        _row(f"{name}, byte code in the package", brought[0], "CPU s", AIM),
        _row("… of which azure.mgmt.compute alone", brought[1], "CPU s"),
        _row(f"{name}, compiled at the start", missing[0], "CPU s"),
        _row("… of which azure.mgmt.compute alone, compiled at the start", missing[1], "CPU s"),
    ]


def _medians(package: Path) -> tuple[float, float]:
    """Return the seconds that the app and azure-mgmt-compute take; the two take turns."""
    _seconds(package, APP)  # the files are in the cache
    rounds = [
        (_seconds(package, APP) - (empty := _seconds(package, "pass")), _seconds(package, COMPUTE) - empty)
        for _ in range(ROUNDS)
    ]
    app, compute = (statistics.median(column) for column in zip(*rounds, strict=True))
    return app, compute


def _seconds(package: Path, statement: str) -> float:
    """Run a statement as the worker would: libraries first, the app last, nothing else, nothing written.

    Returns the processor's seconds.
    """
    path = (
        f"import sys; sys.path.insert(0, {str(package / LIBRARIES)!r}); sys.path.append({str(package)!r}); "
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # os._exit: what Python takes to end is no part of a cold start.
    subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", f"{path}{statement}; import os; os._exit(0)"],
        cwd=package,
        env={**ENVIRONMENT, "PATH": os.environ["PATH"]},
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _row(name: str, value: float, unit: str, aim: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": round(value, 3), "unit": unit, "aim": aim, "better": "lower"}
