"""Reads the policy file: YAML text in, policies out, every fault named with its line and its field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Annotated, Any

import yaml
from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from domain.errors import Fault, InvalidInput
from domain.policy import Backlog, Location, Policies, Policy
from domain.schedule import Schedule

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,29}\Z")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{3,40}\Z")]
Subscription = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
]
ResourceGroup = Annotated[str, StringConstraints(pattern=r"^[\w().-]{0,89}[\w()-]\Z")]
Container = Annotated[
    str, StringConstraints(pattern=r"^https?://[^/?#]+(/[^/?#]+)?/[a-z0-9][a-z0-9-]{2,62}\Z")
]
Count = Annotated[int, Field(ge=1, le=450, strict=True)]  # Azure keeps 500 snapshots of a disk; leave room
Skew = Annotated[int, Field(ge=1, le=3600, strict=True)]

_EXPLAINED = {
    "unexpected_keyword_argument": "there is no such field; the example policies.yaml has all that exist",
    "missing": "this field is missing",
    "dataclass_type": "this must have fields of its own, one a line",
    "dict_type": "this must have names of its own, one a line",
    "tuple_type": "this must be a list",
}
# pydantic's own engine compiles its tables of characters at every cold start, which is felt.
_FORM = ConfigDict(extra="forbid", regex_engine="python-re")


@dataclass(frozen=True)
class _Location:
    region: Region
    subscription: Subscription
    resource_group: ResourceGroup
    manifests: Container
    restore_resource_group: ResourceGroup
    encryption_set: str | None = None
    __pydantic_config__ = _FORM


@dataclass(frozen=True)
class _Schedule:
    cron: str
    time_zone: str = "UTC"
    __pydantic_config__ = _FORM


@dataclass(frozen=True)
class _Policy:
    schedule: _Schedule
    home: Name
    keep_last: Mapping[Name, Count]
    recovery: tuple[Name, ...] = ()
    max_skew_seconds: Skew = 60
    backlog: Backlog = Backlog.EVERY
    __pydantic_config__ = _FORM


@dataclass(frozen=True)
class _File:
    subscriptions: Annotated[tuple[Subscription, ...], Field(min_length=1)]
    locations: Annotated[Mapping[Name, _Location], Field(min_length=1)]
    policies: Annotated[Mapping[Name, _Policy], Field(min_length=1)]
    __pydantic_config__ = _FORM


def parse_policies(text: str, source: str = "policies.yaml") -> Policies:
    """Return the policies that the text describes; raises InvalidInput that lists every fault."""
    lines, faults = _read_lines(text, source)
    if faults:
        raise InvalidInput(source, faults)
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as wrong:  # well formed, but not data: a list as a key, a 13th month
        raise InvalidInput(source, [_unreadable(wrong, source)]) from wrong
    try:
        file = _form().validate_python(data)
    except ValidationError as wrong:
        raise InvalidInput(source, (_fault(lines, error) for error in wrong.errors())) from wrong
    found = [Fault(_at(lines, path), message) for path, message in _contradictions(file)]
    if found:
        raise InvalidInput(source, found)
    return _policies(file)


@cache
def _form() -> TypeAdapter[_File]:
    return TypeAdapter(_File)


def _policies(file: _File) -> Policies:
    locations = {
        name: Location(
            name, entry.region, entry.subscription, entry.resource_group, entry.manifests,
            entry.restore_resource_group, entry.encryption_set,
        )
        for name, entry in file.locations.items()
    }  # fmt: skip
    policies = {
        name: Policy(
            name=name,
            schedule=Schedule(entry.schedule.cron, entry.schedule.time_zone),
            home=locations[entry.home],
            recovery=tuple(locations[other] for other in entry.recovery),
            keep_last=dict(entry.keep_last),
            max_skew=timedelta(seconds=entry.max_skew_seconds),
            backlog=entry.backlog,
        )
        for name, entry in file.policies.items()
    }
    return Policies(tuple(file.subscriptions), locations, policies)


def _contradictions(file: _File) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find what is well formed but cannot be meant, each with the path of its field."""
    containers: dict[str, str] = {}
    for name, location in file.locations.items():
        other = containers.setdefault(location.manifests, name)
        if other != name:
            yield (
                ("locations", name, "manifests"),
                f"location '{other}' keeps its manifests there; each location needs a container of its own, "
                "for a point has one name in all of them",
            )
    for name, policy in file.policies.items():
        here = ("policies", name)
        if problem := Schedule(policy.schedule.cron, policy.schedule.time_zone).problem():
            yield (*here, "schedule"), problem
        yield from ((here + path, message) for path, message in _misplaced(file, policy))


def _misplaced(file: _File, policy: _Policy) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find what a policy says of locations that cannot be meant."""
    named = (policy.home, *policy.recovery)
    for location in sorted(set(named) - set(file.locations)):
        field = "home" if location == policy.home else "recovery"
        yield (field,), f"there is no location '{location}'; the file has {', '.join(file.locations)}"
    if len(set(named)) < len(named):
        yield ("recovery",), "a location is named twice; each holds one replica of a point"
    for location in sorted((set(policy.recovery) & set(file.locations)) - {policy.home}):
        if (
            policy.home in file.locations
            and file.locations[location].region == file.locations[policy.home].region
        ):
            yield ("recovery",), f"location '{location}' is in the region of the home, and is lost with it"
    for location in sorted(set(named) - set(policy.keep_last)):
        yield ("keep_last",), f"say how many points location '{location}' keeps"
    for location in sorted(set(policy.keep_last) - set(named)):
        yield ("keep_last", location), "the policy does not use this location"


def _read_lines(text: str, source: str) -> tuple[dict[tuple[str, ...], int], list[Fault]]:
    """Return the line of every field, and the faults of the YAML itself."""
    lines: dict[tuple[str, ...], int] = {}
    faults: list[Fault] = []
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as wrong:
        return lines, [_unreadable(wrong, source)]
    if root is None:
        return lines, [Fault(source, "the file is empty; see the example policies.yaml")]
    _note_lines(root, (), lines, faults)
    return lines, faults


def _unreadable(wrong: Exception, source: str) -> Fault:
    mark = getattr(wrong, "problem_mark", None)
    where = f"line {mark.line + 1}" if mark else source
    return Fault(where, f"this is not YAML: {getattr(wrong, 'problem', None) or wrong}")


def _note_lines(
    node: yaml.Node, path: tuple[str, ...], lines: dict[tuple[str, ...], int], faults: list[Fault]
) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            if below in lines:
                # YAML itself would let the second one win without a word.
                faults.append(
                    Fault(f"line {key.start_mark.line + 1}, {'.'.join(below)}", "this field stands twice")
                )
            lines[below] = key.start_mark.line + 1
            _note_lines(value, below, lines, faults)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*path, str(index)), lines, faults)


def _fault(lines: Mapping[tuple[str, ...], int], error: Any) -> Fault:
    path = tuple(str(step) for step in error["loc"] if step != "[key]")
    found = error["input"]
    said = f"{error['msg']} (found {found!r})" if isinstance(found, str | int | float) else error["msg"]
    return Fault(_at(lines, path), _EXPLAINED.get(error["type"]) or said)


def _at(lines: Mapping[tuple[str, ...], int], path: tuple[str, ...]) -> str:
    known = path
    while known not in lines:
        known = known[:-1]
    return f"line {lines[known]}, {'.'.join(path) or 'the file'}"
