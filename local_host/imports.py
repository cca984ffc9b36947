"""Imports function_app.py of one directory without mixing its modules up with those of another.

Function apps have top-level modules with common names (`settings`, `shared`). Several apps may be loaded in
one process, in tests, and the process may have modules of the same names itself.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

_NEVER_REPLACED = {"azure", "local_host"}
"""The SDKs must be the ones that the host has imported, whatever folders an app has."""
_OWN_ROOT = Path(__file__).resolve().parent.parent
"""Where the host's own modules are: an app that lies there, too, shares them."""
_loaded_roots: set[Path] = set()


class AppImportError(Exception):
    """function_app.py cannot be imported; the text has the reason and where."""


def import_function_app(directory: Path) -> ModuleType:
    """Import function_app.py of `directory`, with its own modules whatever else is imported.

    Raises AppImportError with the text of what went wrong.
    """
    script = directory / "function_app.py"
    if not script.is_file():
        raise AppImportError(
            f"There is no function_app.py in {directory}. Name the app's directory with --app."
        )
    with _own_modules(directory):
        try:
            return importlib.import_module("function_app")
        except Exception as error:
            raise AppImportError(f"{script} cannot be imported: {type(error).__name__}: {error}") from error


@contextmanager
def _own_modules(directory: Path) -> Iterator[None]:
    """Let the directory come first, and put strangers of the same names aside meanwhile.

    Strangers come back afterwards, except those of apps that were loaded before: of two apps the last one has
    the names, which only matters to imports inside functions and to custom classes found by name.
    """
    own = _names_of(directory)
    strangers = {
        name: module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in own and not _is_from(name, module, directory)
    }
    for name in strangers:
        del sys.modules[name]
    sys.path.insert(0, str(directory))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(directory))
        sys.path.append(str(directory))
        returning = {
            name: module
            for name, module in strangers.items()
            if not any(_is_from(name, module, root) for root in _loaded_roots)
        }
        sys.modules.update(returning)
        if directory != _OWN_ROOT:
            _loaded_roots.add(directory)


def _names_of(directory: Path) -> set[str]:
    """Return the top-level names that an import would find in the directory first."""
    modules = {file.stem for file in directory.glob("*.py")}
    packages = {file.parent.name for file in directory.glob("*/*.py")}
    return (modules | packages) - sys.stdlib_module_names - _NEVER_REPLACED


def _is_from(name: str, module: ModuleType, directory: Path) -> bool:
    """True if the module is the one that lies at the top of the directory, not in an app somewhere below."""
    top = name.partition(".")[0]
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", [])]
    module_file, package = str(directory / f"{top}.py"), f"{directory / top}/"
    return any(str(place) == module_file or f"{place}/".startswith(package) for place in places if place)
