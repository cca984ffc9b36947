"""What Azure refuses while it deploys, though the syntax and the types allow it.

What belongs to a site is written one after the other; a resource has a location where Azure asks for one; a
role is assigned after it has been defined. Where others have met a refusal, the rule says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tree_sitter import Node

from infra.checks.bicep import BicepFile, Declaration, below, entries, line, literal, text
from infra.checks.project import Project
from infra.checks.results import Finding, Result, result

# Azure/bicep issue 7396: "The parameter location has an invalid value", and the published types have it not.
LOCATED = ("microsoft.web/sites/basicpublishingcredentialspolicies",)
_SITE = "microsoft.web/sites"
_ASSIGNMENT = "microsoft.authorization/roleassignments"
_DEFINITIONS = "role-definitions.bicep"


def type_of(resource: Declaration) -> str:
    """Return the type of a resource, without its version and in small letters."""
    return resource.of.lower().partition("@")[0]


@dataclass(frozen=True)
class Order:
    """What of a file is deployed after what: what a resource or a module names, it waits for."""

    file: BicepFile

    @cached_property
    def deployed(self) -> dict[str, Declaration]:
        """The resources and modules of the file; not what is only referred to."""
        resources = {name: each for name, each in self.file.resources.items() if not each.is_existing}
        return {**resources, **self.file.modules}

    @cached_property
    def _waits(self) -> dict[str, set[str]]:
        return {
            name: {text(node) for node in below(each.node) if node.type == "identifier"}
            & self.deployed.keys()
            for name, each in self.deployed.items()
        }

    def before(self, name: str) -> set[str]:
        """Return what is there when this one's turn has come."""
        found: set[str] = set()
        ahead = self._waits[name] - {name}
        while ahead:
            found |= ahead
            ahead = {other for each in ahead for other in self._waits[each]} - found - {name}
        return found


def check(project: Project) -> Result:
    """Look at every resource and module that is deployed."""
    findings: list[Finding] = []
    for file in project.parsed.values():
        findings += [*_nowhere(file), *_at_once(file)]
    findings += [*_assigned_too_early(project), *_assigned_but_not_defined(project)]
    count = sum(len(Order(file).deployed) for file in project.parsed.values())
    return result("deploying", f"{count} resources and modules", findings)


def _nowhere(file: BicepFile) -> Iterator[Finding]:
    for name, resource in file.resources.items():
        if (
            type_of(resource) in LOCATED
            and resource.body is not None
            and "location" not in entries(resource.body)
        ):
            found = f"{name}: Azure refuses this without a location, whatever the types say"
            yield Finding(file.name, line(resource.node), found, "give it the location of its site")


def _at_once(file: BicepFile) -> Iterator[Finding]:
    """Azure changes no site that is being changed: Azure/azure-functions-on-container-apps, issue 34."""
    order = Order(file)
    for site in (name for name, each in file.resources.items() if type_of(each) == _SITE):
        written = [name for name, each in order.deployed.items() if _writes(file, each, site)]
        for name in written:
            alone = [each for each in written if each != name and each not in order.before(name)]
            free = [each for each in alone if name not in order.before(each)]
            if free:
                found = f"{name} may be written at the same moment as {', '.join(free)}, on one site"
                advice = "let one wait for the other: dependsOn"
                yield Finding(file.name, line(order.deployed[name].node), found, advice)


def _writes(file: BicepFile, each: Declaration, site: str) -> bool:
    """Whether this is a part of a site, or a module that is given the site."""
    members = entries(each.body) if each.body is not None else {}
    if each.name in file.modules:
        given = members.get("params")
        return given is not None and any(text(node) == site for node in below(given[1]))
    return "parent" in members and text(members["parent"][1]) == site


def _assigned_too_early(project: Project) -> Iterator[Finding]:
    """A role that is not there yet cannot be assigned: an assignment waits for the definitions around it."""
    for path, file in project.parsed.items():
        order = Order(file)
        defined = {name for name, each in file.modules.items() if _defines(each)}
        for name, module in file.modules.items():
            callee = (path.parent / module.of).resolve()
            if defined and _needs_definitions(project, callee) and not defined & order.before(name):
                found = f"module {name!r} assigns roles, and does not wait until they are defined"
                advice = f"let it wait: dependsOn: [{', '.join(sorted(defined))}]"
                yield Finding(file.name, line(module.node), found, advice)
        if not defined and file.name == "infra/main.bicep" and _needs_definitions(project, path.resolve()):
            yield Finding(file.name, 1, "roles are assigned that no file defines", f"deploy {_DEFINITIONS}")


def _needs_definitions(project: Project, path: Path) -> bool:
    """Whether a file assigns custom roles that somebody else must have defined."""
    file = next((each for known, each in project.parsed.items() if known.resolve() == path), None)
    if file is None or any(map(_defines, file.modules.values())):
        return False
    assigns = any(type_of(each) == _ASSIGNMENT for each in file.resources.values())
    names_roles = any(text(node) == "roleName" for node in below(file.root) if node.type == "identifier")
    if assigns and names_roles:
        return True
    return any(
        _needs_definitions(project, (path.parent / each.of).resolve()) for each in file.modules.values()
    )


def _defines(module: Declaration) -> bool:
    return Path(module.of).name == _DEFINITIONS


def _assigned_but_not_defined(project: Project) -> Iterator[Finding]:
    """A file that picks roles by their place defines those that it assigns."""
    for path, file in project.parsed.items():
        defining = [value for each in file.modules.values() if _defines(each) for value in _roles(each)]
        defined = {place for value in defining for place in _picked(file, value)}
        for name, module in file.modules.items():
            callee = (path.parent / module.of).resolve()
            if not defining or not _needs_definitions(project, callee):
                continue
            for value in _roles(module):
                if missing := _picked(file, value) - defined:
                    found = f"module {name!r} assigns the roles of {', '.join(sorted(missing))}"
                    advice = f"let {_DEFINITIONS} define them here, too"
                    yield Finding(file.name, line(value), f"{found}, which are not defined here", advice)


def _roles(module: Declaration) -> list[Node]:
    """Return what a module is given as roles."""
    members = entries(module.body) if module.body is not None else {}
    given = entries(members["params"][1]) if "params" in members else {}
    return [value for name, (_, value) in given.items() if name.lower().endswith("roles")]


def _picked(file: BicepFile, roles: Node) -> set[str]:
    """Return the places that roles are picked by: texts of the expression, and of variables in it."""
    named = [file.variables[text(node)].value for node in below(roles) if text(node) in file.variables]
    nodes = [each for root in (roles, *filter(None, named)) for each in below(root)]
    return {found for node in nodes if (found := literal(node)) is not None}
