"""Loads a function app as the Python worker does: through the decorators of its function_app.py.

load_app(Path("."))        # imports function_app.py of a directory
describe_app(app)          # an app object that is imported already
"""

from __future__ import annotations

import inspect
import logging
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from azure.functions.decorators.function_app import FunctionRegister

from local_host.episode import Orchestrators
from local_host.extension import KnownFunctions
from local_host.host_files import HostSettings, apply_local_settings
from local_host.imports import AppImportError, import_function_app
from local_host.worker_checks import needs_context

log = logging.getLogger("local_host")

_registered: weakref.WeakKeyDictionary[FunctionRegister, list[Any]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Function:
    """One function of the app, ready to be called with the arguments of its bindings."""

    name: str
    trigger: Any
    call: Callable[..., Any]
    client_parameters: tuple[str, ...]
    """Parameters that take the durable client's binding."""
    needs_context: bool
    is_async: bool


@dataclass
class LoadedApp:
    """The functions of an app by the kind of their trigger; durable ones by their lower-cased name."""

    directory: Path
    settings: HostSettings = field(default_factory=HostSettings)
    http: list[Function] = field(default_factory=list)
    timers: list[Function] = field(default_factory=list)
    activities: dict[str, Function] = field(default_factory=dict)
    orchestrators: dict[str, Function] = field(default_factory=dict)
    entities: dict[str, Function] = field(default_factory=dict)

    def durable_functions(self) -> Orchestrators:
        """What an episode needs to know."""
        known = KnownFunctions(
            _names(self.activities, "activity"),
            _names(self.orchestrators, "orchestration"),
            _names(self.entities, "entity_name"),
            self.settings.versions.current,
        )
        return Orchestrators({key: function.call for key, function in self.orchestrators.items()}, known)


def load_app(directory: Path | str = ".") -> LoadedApp:
    """Load the function app of a directory: settings, host.json, function_app.py.

    Raises AppImportError, HostFileError, or FunctionLoadError for what the worker would refuse.
    """
    directory = Path(directory).resolve()
    apply_local_settings(directory)
    settings = HostSettings.read(directory)
    return describe_app(_app_object(import_function_app(directory)), directory, settings)


def describe_app(
    app: FunctionRegister, directory: Path | str = ".", settings: HostSettings | None = None
) -> LoadedApp:
    """Sort the functions of an app object by trigger.

    Raises FunctionLoadError for what the worker would refuse.
    """
    loaded = LoadedApp(Path(directory).resolve(), settings or HostSettings())
    for registered in _functions(app):
        function = _describe(registered)
        keyed = _KEYED.get(function.trigger.type)
        if keyed is not None:
            attribute, renaming = keyed
            name = getattr(function.trigger, renaming, None) or function.name
            getattr(loaded, attribute)[name.lower()] = function
        elif function.trigger.type in _LISTED:
            getattr(loaded, _LISTED[function.trigger.type]).append(function)
        else:
            log.warning("%s: a %s is not run by the local host", function.name, function.trigger.type)
    return loaded


_KEYED = {
    "activityTrigger": ("activities", "activity"),
    "orchestrationTrigger": ("orchestrators", "orchestration"),
    "entityTrigger": ("entities", "entity_name"),
}
_LISTED = {"httpTrigger": "http", "timerTrigger": "timers"}


def _names(functions: Mapping[str, Function], renaming: str) -> list[str]:
    return [getattr(function.trigger, renaming, None) or function.name for function in functions.values()]


def _functions(app: FunctionRegister) -> list[Any]:
    """Ask the app for its functions, once: an app with blueprints refuses a second time."""
    if app not in _registered:
        _registered[app] = app.get_functions()
    return _registered[app]


def _app_object(module: ModuleType) -> FunctionRegister:
    """Find the one app at the top level, as the worker does."""
    apps = {id(value): value for value in vars(module).values() if isinstance(value, FunctionRegister)}
    if len(apps) != 1:
        found = "no FunctionApp or DFApp" if not apps else f"{len(apps)} apps; the worker accepts exactly one"
        raise AppImportError(f"{module.__file__} has {found} at its top level.")
    return next(iter(apps.values()))


def _describe(registered: Any) -> Function:
    name, call = registered.get_function_name(), registered.get_user_function()
    bindings = registered.get_bindings()
    return Function(
        name=name,
        trigger=registered.get_trigger(),
        call=call,
        client_parameters=tuple(binding.name for binding in bindings if binding.type == "durableClient"),
        needs_context=needs_context(name, call, bindings),
        is_async=inspect.iscoroutinefunction(call),
    )
