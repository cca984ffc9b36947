"""Every action that a gateway needs is granted to the identity that makes the call, there, and no other is.

`infra/roles.json` has the roles as they are deployed, `gateways/actions.py` what the calls need. Tests hold
that table to the calls; here the roles are held to the table, for each identity and each place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateways.actions import ACTIONS, Action, Where
from infra.checks.bicep import below, line, literal, parts, text
from infra.checks.project import Project
from infra.checks.results import Finding, Result, result
from settings import Identity

FILE = "infra/roles.json"
FIELDS = {"identity", "where", "title", "description", "actions", "dataActions", "optIn"}
# What a storage account itself checks, when a table or a blob is asked for; all else is Resource Manager's.
_DATA = ("/tableServices/tables/entities/", "/blobServices/containers/blobs/")

Place = tuple[str, str, str]  # identity, where, and what must be opted into, or an empty text


def check(project: Project) -> Result:
    """Compare both ways."""
    try:
        roles = project.json(FILE)
    except (OSError, ValueError) as trouble:
        found = Finding(FILE, 1, f"the roles cannot be read: {trouble}", "write them as one JSON object")
        return result("roles", "0 roles", [found])
    shaped = {key: role for key, role in roles.items() if not list(_form(project, key, role))}
    findings = [finding for key, role in roles.items() for finding in _form(project, key, role)]
    findings += [
        *_missing(shaped),
        *_superfluous(project, shaped),
        *_titles(project, shaped),
        *_unassigned(project, shaped),
    ]
    granted = sum(len(_granted(role)) for role in shaped.values())
    return result("roles", f"{granted} actions in {len(roles)} roles", findings)


def _form(project: Project, key: str, role: Any) -> Iterator[Finding]:
    at = project.line_of(FILE, f'"{key}"')
    if not isinstance(role, dict) or role.keys() != FIELDS:
        wanted = ", ".join(sorted(FIELDS))
        yield Finding(FILE, at, f"role {key!r} has other fields than it must", f"give it these: {wanted}")
    else:
        yield from _words(at, key, role)
        yield from _lists(project, role)


def _words(at: int, key: str, role: Mapping[str, Any]) -> Iterator[Finding]:
    if role["identity"] not in set(Identity):
        yield Finding(FILE, at, f"no identity is {role['identity']!r}", f"name one of {', '.join(Identity)}")
    if role["where"] not in places():
        yield Finding(FILE, at, f"no place is {role['where']!r}", f"name one of {', '.join(places())}")
    for name in _granted(role):
        if "*" in name:
            yield Finding(FILE, at, f"role {key!r} grants {name}", "name each action that is needed")


def _lists(project: Project, role: Mapping[str, Any]) -> Iterator[Finding]:
    for field, is_data in (("actions", False), ("dataActions", True)):
        for name in role[field]:
            if _is_data(name) is not is_data:
                other = "dataActions" if _is_data(name) else "actions"
                at = project.line_of(FILE, f'"{name}"')
                yield Finding(FILE, at, f"{name} is not one of the {field} of Azure", f"move it to {other}")


def places() -> dict[str, Where]:
    """Return the places by the names that roles have for them."""
    return {where.name.lower(): where for where in Where}


def _is_data(name: str) -> bool:
    return any(part in name for part in _DATA)


def _granted(role: Mapping[str, Any]) -> list[str]:
    return [*role["actions"], *role["dataActions"]]


def _place(role: Mapping[str, Any]) -> Place:
    return role["identity"], role["where"], role["optIn"] or ""


def needed() -> dict[Place, set[str]]:
    """Return what the gateways need, in the words of the roles."""
    found: dict[Place, set[str]] = {}
    for identity, actions in ACTIONS.items():
        for action in actions:
            place = (str(identity), action.where.name.lower(), opt_in(action))
            found.setdefault(place, set()).add(action.name)
    return found


def opt_in(action: Action) -> str:
    """Return what must be opted into for an action; an empty text if nothing."""
    return str(action.opt_in or "")


def _missing(roles: Mapping[str, Any]) -> Iterator[Finding]:
    for (identity, where, option), names in needed().items():
        granting = [role for role in roles.values() if _place(role) == (identity, where, option)]
        granted = {name for role in granting for name in _granted(role)}
        told = f" with opt-in {option}" if option else ""
        for name in names - granted:
            found = f"identity {identity} needs {name} on {where!r}{told}, and no role grants it"
            yield Finding(FILE, 1, found, "add it to the role of that identity and place")


def _superfluous(project: Project, roles: Mapping[str, Any]) -> Iterator[Finding]:
    wanted = needed()
    seen: set[tuple[Place, str]] = set()
    for key, role in roles.items():
        for name in _granted(role):
            at = project.line_of(FILE, f'"{key}"')
            if name not in wanted.get(_place(role), set()):
                found = f"role {key!r} grants {name}, which no call of {role['identity']} needs there"
                yield Finding(
                    FILE, at, found, "remove it; gateways/actions.py says what is needed, and optIn"
                )
            elif (_place(role), name) in seen:
                yield Finding(FILE, at, f"role {key!r} grants {name} a second time", "remove one of them")
            seen.add((_place(role), name))
        if not _granted(role):
            at = project.line_of(FILE, f'"{key}"')
            yield Finding(FILE, at, f"role {key!r} grants nothing", "remove it")


def _titles(project: Project, roles: Mapping[str, Any]) -> Iterator[Finding]:
    """The names of custom roles are unique in a directory."""
    first: dict[str, str] = {}
    for key, role in roles.items():
        if first.setdefault(role["title"], key) != key:
            found = f"roles {first[role['title']]!r} and {key!r} have one title"
            yield Finding(FILE, project.line_of(FILE, f'"{key}"'), found, "give each a title of its own")


def _unassigned(project: Project, roles: Mapping[str, Any]) -> Iterator[Finding]:
    """Compare the places of the roles with those that the Bicep assigns roles in: `… .where == 'place'`."""
    assigned: set[str] = set()
    for file in project.parsed.values():
        for node in below(file.root):
            operands = parts(node) if node.type == "binary_expression" else []
            place = literal(operands[1]) if len(operands) == 2 else None
            if place is None or not text(operands[0]).endswith(".where"):
                continue
            assigned.add(place)
            if place not in places():
                found = f"no place is {place!r}"
                yield Finding(file.name, line(node), found, f"name one of {', '.join(places())}")
    for place in {role["where"] for role in roles.values()} - assigned:
        found = f"no Bicep file assigns the roles of {place!r}"
        yield Finding(FILE, 1, found, "assign those whose `where` is equal to it")
