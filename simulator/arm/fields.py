"""Reading the fields of a request's body: the right type, or the refusal that Azure gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from simulator.arm import errors
from simulator.arm.errors import ArmError
from simulator.regions import REGIONS, normalized

Json = Mapping[str, Any]

GIB = 1 << 30
MAX_TAGS, MAX_TAG_NAME, MAX_TAG_VALUE = 50, 512, 256
_DISK_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_MACHINE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_])?")
_NETWORK_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?")


def section(body: Json, *path: str) -> Json:
    """Return the object at `path`, empty if it is missing or null."""
    found: Any = body
    for name in path:
        found = found.get(name)
        if found is None:
            return {}
        if not isinstance(found, Mapping):
            raise errors.invalid_content(f"'{'.'.join(path)}' is not an object")
    return found


def text(body: Json, name: str, where: str = "") -> str | None:
    """Return a string, None if it is missing or null."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise errors.invalid_content(f"'{where}{name}' is not a string")
    return value


def required_text(body: Json, name: str, where: str = "") -> str:
    """Return a string; raises ArmError 400 InvalidParameter if it is missing."""
    value = text(body, name, where)
    if not value:
        raise errors.missing_parameter(f"{where}{name}")
    return value


def whole(body: Json, name: str, where: str = "") -> int | None:
    """Return an integer, None if it is missing or null."""
    value = body.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise errors.invalid_content(f"'{where}{name}' is not a whole number")
    return value


def truth(body: Json, name: str, where: str = "") -> bool:
    """Return a boolean, false if it is missing or null."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise errors.invalid_content(f"'{where}{name}' is not a boolean")
    return bool(value)


def items(body: Json, name: str) -> list[Json]:
    """Return a list of objects, empty if it is missing or null."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise errors.invalid_content(f"'{name}' is not a list of objects")
    return value


def location(body: Json, kind: str) -> str:
    """Return the region that a new resource is to be in."""
    asked = text(body, "location")
    if not asked:
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if normalized(asked) not in REGIONS:
        raise ArmError(
            400,
            "LocationNotAvailableForResourceType",
            f"The provided location '{asked}' is not available for resource type '{kind}'. List of available "
            f"regions for the resource type is '{','.join(REGIONS)}'.",
        )
    return normalized(asked)


def zones(body: Json, region: str) -> list[str]:
    """Return the zones that a new resource is to be in; most have none."""
    asked = body.get("zones") or []
    if not isinstance(asked, list) or not all(isinstance(zone, str) for zone in asked):
        raise errors.invalid_content("'zones' is not a list of strings")
    if asked and not REGIONS[region].has_zones:
        raise errors.invalid_parameter(f"Availability zones are not supported in '{region}'.", "zones")
    if any(zone not in ("1", "2", "3") for zone in asked):
        raise errors.invalid_parameter(f"The zones {asked} are not zones of '{region}'.", "zones")
    return list(asked)


def tags(body: Json) -> dict[str, str]:
    """Return the tags of a body, held to Azure's limits (50; names of 512, values of 256 characters)."""
    asked = section(body, "tags")
    if len(asked) > MAX_TAGS:
        raise errors.invalid_parameter(
            f"{len(asked)} tags were given; at most {MAX_TAGS} are allowed.", "tags"
        )
    for name, value in asked.items():
        if not isinstance(value, str):
            raise errors.invalid_content(f"the value of tag '{name}' is not a string")
        if len(name) > MAX_TAG_NAME or len(value) > MAX_TAG_VALUE:
            raise errors.invalid_parameter(
                f"Tag '{name[:40]}' is too long: a name has at most {MAX_TAG_NAME} characters, a value "
                f"{MAX_TAG_VALUE}.",
                "tags",
            )
    return dict(asked)


def check_disk_name(name: str) -> None:
    """Refuse a name that a disk or snapshot cannot have (azure-semantics §2.3)."""
    _check(_DISK_NAME, name, "1 to 80 letters, digits, underscores and hyphens")


def check_machine_name(name: str) -> None:
    """Refuse a name that a virtual machine cannot have."""
    _check(_MACHINE_NAME, name, "1 to 64 letters, digits, dots, underscores and hyphens")


def check_network_name(name: str) -> None:
    """Refuse a name that a network resource cannot have."""
    _check(_NETWORK_NAME, name, "1 to 80 letters, digits, dots, underscores and hyphens")


def _check(pattern: re.Pattern[str], name: str, rule: str) -> None:
    if not pattern.fullmatch(name):
        raise errors.invalid_parameter(f"The name '{name}' is invalid: a name has {rule}.", "name")
