"""Indexes a function app as the Python worker does, and tells what it found as JSON.

Run as a script, by an isolated interpreter: it must import nothing of the project but through the app.
usage: indexing.py LIBRARIES APP

The worker's order of search is the libraries of the package first, the app last
(azure-functions-python-worker 7e6acf36, utils/dependency.py: prioritize_customer_dependencies), and its index
is the `get_functions` of the one app object of the module (loader.py: index_function_app).
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
import sys
from pathlib import Path

TOOLS = ("simulator", "local_host", "local_system", "demo", "bench", "infra", "tests")


def main(libraries: str, app: str) -> None:
    sys.path.insert(0, libraries)
    sys.path.append(app)
    logging.getLogger().setLevel(logging.INFO)  # as the worker does (dispatcher.py)
    module = importlib.import_module("function_app")
    from azure.functions import FunctionRegister

    apps = [value for value in vars(module).values() if isinstance(value, FunctionRegister)]
    assert len({id(each) for each in apps}) == 1, f"the worker wants exactly one app, there are {len(apps)}"
    functions = {
        function.get_function_name(): [json.loads(binding) for binding in function.get_raw_bindings()]
        for function in apps[0].get_functions()
    }
    found = {
        "functions": functions,
        "loaded_from": sorted({str(Path(place).parent) for place in _places()}),
        "tools": {name: _origin(name) for name in TOOLS},
        "tells_every_request": logging.getLogger("azure.core.pipeline").isEnabledFor(logging.INFO),
    }
    sys.stdout.write(json.dumps(found))


def _places() -> list[str]:
    return [path for module in list(sys.modules.values()) if (path := getattr(module, "__file__", None))]


def _origin(name: str) -> str | None:
    """Where a module would come from; None if there is none."""
    spec = importlib.util.find_spec(name)
    return None if spec is None else str(spec.origin or list(spec.submodule_search_locations or []))


if __name__ == "__main__":
    main(*sys.argv[1:])
