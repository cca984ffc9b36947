"""How long the app takes to import, beside the bare import of the libraries that it uses.

A function app starts cold: every second here is a second before the first backup or restore begins.

The app holds the garbage collector off while it imports (function_app.py); a bare import does not. That hides
a part of what the app's own modules cost, so the libraries are imported that way, too, and told apart.
Each time is that of a whole process: what Python takes to end is in it, of both.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
ROUNDS = 9
LIBRARIES = (
    "import azure.functions, azure.durable_functions, azure.identity, azure.mgmt.compute, azure.data.tables, "
    "azure.storage.blob, cronsim, yaml; from pydantic import TypeAdapter"
)
LIKEWISE = f"import gc; gc.disable(); {LIBRARIES}; gc.enable()"
APP = "import function_app"
ENVIRONMENT = {
    "TIDEMARK_CATALOGUE": "https://bench.table.core.windows.net",
    **{
        f"TIDEMARK_IDENTITY_{name}": f"11111111-2222-3333-4444-00000000000{number}"
        for number, name in enumerate(("RUNTIME", "BACKUP", "RETENTION", "RESTORE"))
    },
}


def measure() -> list[dict[str, Any]]:
    """Import the app and its libraries in turn, each in a process of its own; compare the medians."""
    statements = (APP, LIBRARIES, LIKEWISE)
    for statement in statements:
        seconds(statement)  # byte code is written, files are in the cache
    rounds = [tuple(map(seconds, statements)) for _ in range(ROUNDS)]
    app, libraries, likewise = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(one / bare for one, bare, _ in rounds)
    like_ratio = statistics.median(one / held for one, _, held in rounds)
    return [
        _row("import of function_app", app, "s"),
        _row("import of its libraries alone", libraries, "s"),
        _row("import of function_app, times that of its libraries", ratio, "times", aim=1.3),
        _row("import of its libraries alone, garbage collector held off as the app does", likewise, "s"),
        _row("import of function_app, times that of its libraries held off likewise", like_ratio, "times"),
    ]


def seconds(statement: str) -> float:
    """Return the wall time of a fresh interpreter that runs one statement, less that of an empty one."""
    return _run(statement) - _run("pass")


def _run(statement: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT, env=ENVIRONMENT, check=True)
    return time.perf_counter() - began


def _row(name: str, value: float, unit: str, aim: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "aim": aim, "better": "lower"}
