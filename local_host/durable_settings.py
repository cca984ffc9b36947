"""What the Durable extension refuses in its part of host.json: in Azure, such an app does not start.

The rules are those of DurableTaskOptions.Validate and AzureStorageOptions.Validate and ValidateHubName
(azure-functions-durable-extension, read at commit a7c6d694). Those of the Azure Storage provider are for apps
that use it, as is the default; others have rules of their own, which nobody checks here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from local_host.versions import FailureStrategy, MatchStrategy, Versions

CONCURRENCY = (
    "maxConcurrentActivityFunctions",
    "maxConcurrentOrchestratorFunctions",
    "maxConcurrentEntityFunctions",
)
Strategy = TypeVar("Strategy", bound=StrEnum)

_HUB = re.compile(r"[A-Za-z][A-Za-z0-9]{2,44}")
_RANGES = {
    "partitionCount": (1, 16),
    "controlQueueBufferThreshold": (1, 1000),
}
_STRATEGIES: dict[str, type[StrEnum]] = {
    "versionMatchStrategy": MatchStrategy,
    "versionFailureStrategy": FailureStrategy,
}
_TIME_SPAN = re.compile(r"(\d+\.)?\d{1,2}:\d{2}(:\d{2}(\.\d{1,7})?)?")


def faults(durable: Mapping[str, Any], task_hub: str) -> Iterator[str]:
    """Find every setting that the extension would refuse. `task_hub` is the hub's name without %names%."""
    for name in CONCURRENCY:
        if name in durable and not _is_within(durable[name], 1, None):
            yield f"{name} is {durable[name]!r}; it must be a whole number from 1 on"
    for name, strategies in _STRATEGIES.items():
        if name in durable and _named(strategies, durable[name]) is None:
            yield f"{name} is {durable[name]!r}; it must be one of {', '.join(strategies)}"
    storage = durable.get("storageProvider", {})
    if str(storage.get("type", "azureStorage")).lower() == "azurestorage":
        yield from _storage_faults(storage, task_hub)


def concurrent_activities(durable: Mapping[str, Any]) -> int | None:
    """How many activities one instance runs side by side; None if nothing is said."""
    number = durable.get("maxConcurrentActivityFunctions")
    return None if number is None else int(number)


def versions(durable: Mapping[str, Any]) -> Versions:
    """Which versions of orchestrations are executed. Settings in which there is no fault."""
    known = Versions()
    version = durable.get("defaultVersion")
    return Versions(
        None if version is None else str(version),
        _named(MatchStrategy, durable.get("versionMatchStrategy", known.match)) or known.match,
        _named(FailureStrategy, durable.get("versionFailureStrategy", known.failure)) or known.failure,
    )


def _storage_faults(storage: Mapping[str, Any], task_hub: str) -> Iterator[str]:
    if not _HUB.fullmatch(task_hub):
        yield f"hubName is {task_hub!r}; it must be 3 to 45 letters and digits, and begin with a letter"
    for name, (least, most) in _RANGES.items():
        if name in storage and not _is_within(storage[name], least, most):
            yield f"storageProvider.{name} is {storage[name]!r}; it must be from {least} to {most}"
    interval = storage.get("maxQueuePollingInterval", "00:00:30")
    if not (_TIME_SPAN.fullmatch(str(interval)) and re.search("[1-9]", str(interval))):
        yield f"storageProvider.maxQueuePollingInterval is {interval!r}; it must be a time such as 00:00:10"


def _named(strategies: type[Strategy], told: object) -> Strategy | None:
    """The strategy of that name, or number; .NET ignores case."""
    known = list(strategies)
    by_name = {strategy.lower(): strategy for strategy in known}
    by_number = {str(number): strategy for number, strategy in enumerate(known)}
    return (by_name | by_number).get(str(told).lower())


def _is_within(value: object, least: int, most: int | None) -> bool:
    """True for a number, or the text of one, within the bounds: .NET takes both."""
    if isinstance(value, bool) or not re.fullmatch(r"\d+", str(value)):
        return False
    return least <= int(str(value)) and (most is None or int(str(value)) <= most)
