"""The Bicep sets what the app reads, and the app reads what the Bicep sets.

Nothing here lists the settings. `Settings.from_environ` is given the very settings that the Bicep sets, as in
Azure, and tells by itself what it misses, what it refuses there, and, by a mapping that notes each name it is
asked for, what it reads at all. Settings of the platform, which have other names, are not the app's to read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from domain.errors import InvalidInput
from infra.checks.bicep import BicepFile, Declaration, below, entries, line, literal, parts, text
from infra.checks.project import Project
from infra.checks.results import Finding, Result, result
from settings import Identity, Settings

OURS = "TIDEMARK_"
# What the platform sets by itself inside Azure; a deployment that set it would pretend.
_OF_THE_PLATFORM = {"WEBSITE_SITE_NAME": "tidemark", "WEBSITE_AUTH_ENABLED": "True"}


@dataclass(frozen=True)
class Set:
    """One setting that the Bicep sets."""

    name: str
    file: str
    line: int
    value: Node


class Noted(dict[str, str]):
    """An environment that notes which names it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]  # of one type
        """Answer as any mapping does."""
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)


def check(project: Project) -> Result:
    """Compare both ways."""
    found = [each for file in project.parsed.values() for each in settings_in(file)]
    settings = {each.name: each for each in found}
    if not settings:
        advice = "set them in a resource Microsoft.Web/sites/config named 'appsettings', one a line"
        finding = Finding("infra", 1, "no app setting is set", advice)
        return result("settings", "0 settings", [finding])
    environ = Noted({name: _sample(each) for name, each in settings.items()} | _OF_THE_PLATFORM)
    findings = [
        *_refused(settings, environ),
        *_differences(settings, environ.asked),
        *_identities(settings),
        *_pretended(settings),
    ]
    ours = sum(name.startswith(OURS) for name in settings)
    return result("settings", f"{ours} settings of the app, {len(settings) - ours} of the platform", findings)


def settings_in(file: BicepFile) -> Iterator[Set]:
    """Yield every setting that a file sets."""
    for resource in file.resources.values():
        if resource.of.lower().startswith("microsoft.web/sites/config@") and resource.body is not None:
            members = entries(resource.body)
            if "name" in members and literal(members["name"][1]) == "appsettings" and "properties" in members:
                yield from _in_value(file, members["properties"][1])


def _in_value(file: BicepFile, value: Node, seen: frozenset[str] = frozenset()) -> Iterator[Set]:
    """Yield the settings of an object, of a variable that is one, and of several that are united."""
    if value.type == "object":
        for name, (entry, each) in entries(value).items():
            yield Set(name, file.name, line(entry), each)
    elif value.type == "identifier" and text(value) in file.variables.keys() - seen:
        named: Declaration = file.variables[text(value)]
        if named.value is not None:
            yield from _in_value(file, named.value, seen | {named.name})
    else:
        for part in parts(value):
            yield from _in_value(file, part, seen)


def _sample(setting: Set) -> str:
    """Return a value of the kind that a setting has: what is written in the Bicep, if it is written there."""
    written = literal(setting.value)
    if written is not None:
        return written
    for number, identity in enumerate(Identity):
        if setting.name == identity.setting:
            return f"{number}1111111-2222-3333-4444-555555555555"
    return "https://somewhere.example"


def _refused(settings: Mapping[str, Set], environ: Noted) -> Iterator[Finding]:
    """Yield what the app says of these settings when it starts in Azure."""
    try:
        Settings.from_environ(environ)
    except InvalidInput as invalid:
        for fault in invalid.faults:
            file, at = _place(settings, fault.field)
            yield Finding(
                file, at, f"with these settings the app does not start: {fault.field}", fault.message
            )


def _place(settings: Mapping[str, Set], name: str) -> tuple[str, int]:
    setting = settings.get(name) or next(iter(settings.values()))
    return setting.file, setting.line


def _differences(settings: Mapping[str, Set], asked: set[str]) -> Iterator[Finding]:
    for name in sorted(asked - settings.keys() - _OF_THE_PLATFORM.keys()):
        file, at = _place(settings, name)
        if not _is_of_development(name):
            yield Finding(
                file, at, f"settings.py reads {name}, which is not set", "set it, or read it no more"
            )
    for name, setting in settings.items():
        if name.startswith(OURS) and name not in asked:
            found = f"{name} is set, and settings.py does not read it"
            yield Finding(setting.file, setting.line, found, "remove it, or correct its name")


def _is_of_development(name: str) -> bool:
    """Whether the app itself refuses a setting inside Azure."""
    try:
        Settings.from_environ({**_OF_THE_PLATFORM, name: "1"})
    except InvalidInput as invalid:
        return any(each.field == name and "not accepted in Azure" in each.message for each in invalid.faults)
    return False


def _identities(settings: Mapping[str, Set]) -> Iterator[Finding]:
    """Yield identities that are given to the wrong setting, as far as the names of values tell."""
    for identity in Identity:
        setting = settings.get(identity.setting)
        if setting is None:
            continue
        words = {
            word.lower() for node in below(setting.value) for word in re.findall("[a-zA-Z][a-z]*", text(node))
        }
        if words & set(Identity) != {identity}:
            found = f"{setting.name} is set to {text(setting.value)}"
            yield Finding(
                setting.file, setting.line, found, f"set it to the client id of identity {identity}"
            )


def _pretended(settings: Mapping[str, Set]) -> Iterator[Finding]:
    for name in _OF_THE_PLATFORM.keys() & settings.keys():
        setting = settings[name]
        yield Finding(setting.file, setting.line, f"{name} is set", "remove it: the platform alone sets it")
