"""Reads the policy file: YAML text in, policies out, every fault named with its line and its field.

Faults of the form and of the meaning are told in one go: what has a fault of form is taken out, and what is
left is looked at for its meaning, as far as that does not hang on what was taken out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import timedelta
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from domain.errors import InvalidInput
from domain.policy import Location, Policies, Policy, Scope, Selector
from domain.policy_faults import contradictions
from domain.policy_forms import (
    FileForm,
    LocationForm,
    PolicyForm,
    ScheduleForm,
    SelectorForm,
    SubscriptionForm,
)
from domain.policy_lines import Path, read_document
from domain.schedule import Schedule

_EXPLAINED = {
    "unexpected_keyword_argument": "there is no such field; the example policies.yaml has all that exist",
    "dataclass_type": "this must have fields of its own, one a line",
    "dict_type": "this must have names of its own, one a line",
    "tuple_type": "this must be a list",
    "too_short": "name at least one",
}


def parse_policies(text: str | bytes, source: str = "policies.yaml") -> Policies:
    """Return the policies that the text describes; raises InvalidInput that lists every fault."""
    document = read_document(text, source)
    faults = dict(_missing(document.data))
    form = _as_far_as_it_goes(document.data, faults)
    told = [document.fault(path, message) for path, message in faults.items()]
    if form:
        told += [
            document.fault(found.path, found.message)
            for found in contradictions(form)
            if not any(_touches(faulty, need) for faulty in faults for need in (found.path, *found.needs))
        ]
    if told or form is None:
        raise InvalidInput(source, told)
    return _policies(form)


@cache
def _form() -> TypeAdapter[FileForm]:
    return TypeAdapter(FileForm)


def _as_far_as_it_goes(data: Any, faults: dict[Path, str]) -> FileForm | None:
    """Return the file without what has faults of form, which are added; None if nothing is left of it."""
    left = deepcopy(data)
    while True:
        try:
            return _form().validate_python(left)
        except ValidationError as wrong:
            # Of a list whose entries have faults pydantic says as well that it is too short without them.
            errors = [error for error in wrong.errors() if error["type"] != "too_short" or not error["input"]]
            paths = [[step for step in error["loc"] if step != "[key]"] for error in errors]
            for path, error in zip(paths, errors, strict=True):
                faults.setdefault(tuple(map(str, path)), _message(error))
            taken_out = [_taken_out(left, path) for path in paths]
            if not any(taken_out):
                return None


def _message(error: Any) -> str:
    found = error["input"]
    is_plain = isinstance(found, str | int | float) and error["type"] != "looks"
    words = error["msg"].replace("Input should", "it should")
    said = f"{words} (found {found!r})" if is_plain else words
    return _EXPLAINED.get(error["type"]) or str(said)


def _taken_out(data: Any, path: list[Any]) -> bool:
    """Take the field of a path out, if it is still there.

    Of a list all goes, for its other places would change.
    """
    while isinstance(data, dict) and path and path[0] in data:
        key, *path = path
        if not path or not isinstance(data[key], dict):
            del data[key]
            return True
        data = data[key]
    return False


def _touches(faulty: Path, path: Path) -> bool:
    """Whether one of two fields is the other, or holds it."""
    shorter = min(len(faulty), len(path))
    return faulty[:shorter] == path[:shorter]


def _missing(data: Any) -> Iterator[tuple[Path, str]]:
    # `dict`, not `Mapping`: whether a text is one, Python asks all thousand models of the SDK.
    yield from _missing_in(FileForm, data, ())
    for name, entry in _entries(data, "subscriptions"):
        yield from _missing_in(SubscriptionForm, entry, ("subscriptions", name))
    for name, entry in _entries(data, "locations"):
        yield from _missing_in(LocationForm, entry, ("locations", name))
    for name, entry in _entries(data, "policies"):
        yield from _missing_in(PolicyForm, entry, ("policies", name))
        if isinstance(entry, dict) and "schedule" in entry:
            yield from _missing_in(ScheduleForm, entry["schedule"], ("policies", name, "schedule"))


def _missing_in(form: Any, data: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(data, dict):
        for name in form.required:
            if name not in data:
                yield (*path, name), "this field is missing"


def _entries(data: Any, section: str) -> Iterator[tuple[str, Any]]:
    entries = data.get(section) if isinstance(data, dict) else None
    if isinstance(entries, list):
        yield from ((str(index), entry) for index, entry in enumerate(entries))
    if isinstance(entries, dict):
        yield from ((str(name), entry) for name, entry in entries.items())


def _policies(form: FileForm) -> Policies:
    locations = {name: _location(name, entry) for name, entry in form.locations.items()}
    policies = {name: _policy(name, entry, locations) for name, entry in form.policies.items()}
    scopes = tuple(scope for entry in form.subscriptions for scope in _scopes(entry))
    return Policies(scopes, locations, policies)


def _scopes(form: SubscriptionForm) -> Iterator[Scope]:
    for group in form.resource_groups or (None,):
        yield Scope(form.id, group)


def _location(name: str, form: LocationForm) -> Location:
    return Location(
        name=name,
        region=form.region,
        subscription=form.subscription,
        resource_group=form.resource_group,
        manifests=form.manifests,
        restore_resource_group=form.restore_resource_group,
        encryption_set_id=form.encryption_set or None,
        subnet_id=form.subnet or None,
        sizes=dict(form.sizes),
        zones=dict(form.zones),
        method=form.method,
        pages=form.pages,
        account_id=form.account,
        snapshot_access=form.snapshot_access,
    )


def _policy(name: str, form: PolicyForm, locations: Mapping[str, Location]) -> Policy:
    return Policy(
        name=name,
        schedule=Schedule(form.schedule.cron, form.schedule.time_zone),
        home=locations[form.home],
        recovery=tuple(locations[other] for other in form.recovery),
        keep_last=dict(form.keep_last),
        max_skew=timedelta(seconds=form.max_skew_seconds),
        backlog=form.backlog,
        unsupported=form.unsupported_disks,
        selector=_selector(form.selector) if form.selector else None,
        most_pruned=form.most_pruned_percent / 100,
    )


def _selector(form: SelectorForm) -> Selector:
    return Selector(tuple(form.subscriptions), tuple(form.resource_groups), dict(form.tags))
