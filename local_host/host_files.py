"""host.json and local.settings.json of a function app, as far as they matter here."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_host import durable_settings
from local_host.versions import Versions

log = logging.getLogger("local_host")

DEFAULT_TASK_HUB = "TestHubName"
"""What the Durable extension calls the hub of a host that runs locally."""


class HostFileError(Exception):
    """host.json or local.settings.json cannot be read, or the host in Azure would refuse it."""


@dataclass(frozen=True)
class HostSettings:
    """What host.json says, as far as it matters here.

    There is no use here for the settings of the storage provider (SQLite takes its place), of logging, of
    tracing, of the extension bundle, nor for functionTimeout: here a function may take as long as it likes.
    maxConcurrentOrchestratorFunctions is never exceeded: orchestrators are played one after the other.
    """

    route_prefix: str = "api"
    task_hub: str = DEFAULT_TASK_HUB
    versions: Versions = field(default_factory=Versions)
    concurrent_activities: int | None = None
    """How many activities run side by side; None leaves it to the host."""

    @classmethod
    def read(cls, directory: Path) -> HostSettings:
        """Read host.json of the directory; without one, everything is at its default.

        Raises HostFileError for what the host or the Durable extension would refuse in Azure.
        """
        document = _read_json(directory / "host.json")
        extensions = document.get("extensions", {})
        durable = extensions.get("durableTask", {})
        task_hub = resolve(durable.get("hubName", cls.task_hub))
        faults = [*_version_faults(document), *durable_settings.faults(durable, task_hub)]
        if faults:
            raise HostFileError(f"Azure would not start with {directory / 'host.json'}: {'; '.join(faults)}.")
        return cls(
            route_prefix=extensions.get("http", {}).get("routePrefix", cls.route_prefix).strip("/"),
            task_hub=task_hub,
            versions=durable_settings.versions(durable),
            concurrent_activities=durable_settings.concurrent_activities(durable),
        )


def apply_local_settings(directory: Path) -> None:
    """Put the values of local.settings.json into the environment, where what is set already stays."""
    values = _read_json(directory / "local.settings.json").get("Values", {})
    for name, value in values.items():
        os.environ.setdefault(name, str(value))


def _version_faults(document: dict[str, Any]) -> Iterator[str]:
    """The version must be "2.0", unless there is nothing at all in the file.

    As HostJsonFileConfigurationSource of azure-functions-host has it (read at commit 89dc438d4).
    """
    if document and document.get("version") != "2.0":
        yield f'version is {document.get("version")!r}; it must be "2.0"'


def resolve(text: str) -> str:
    """Replace %NAME% by the setting of that name. Raises HostFileError if there is none."""

    def setting(match: re.Match[str]) -> str:
        value = os.environ.get(match[1])
        if value is None:
            raise HostFileError(f"'{text}' names the setting {match[1]}, which is not set.")
        return value

    return re.sub(r"%([^%]+)%", setting, text)


def _read_json(path: Path) -> dict[str, Any]:
    """Read as leniently as Newtonsoft does: comments and trailing commas are allowed.

    Text behind the document is ignored with a warning: a sample of the Durable SDK has a document too many.
    """
    if not path.is_file():
        return {}
    text = _NOISE.sub(lambda match: match["string"] or "", path.read_text(encoding="utf-8-sig"))
    try:
        document, end = json.JSONDecoder().raw_decode(text.lstrip())
    except ValueError as error:
        raise HostFileError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise HostFileError(f"{path} holds {type(document).__name__} where a JSON object is expected.")
    if text.lstrip()[end:].strip():
        log.warning("%s has text behind its JSON document, which is ignored", path)
    return document


_NOISE = re.compile(r'(?P<string>"(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)
"""What JSON forbids and Newtonsoft skips; strings are matched first, so that nothing inside them goes."""
