"""Names that are put together are never longer than Azure takes, whatever they are put together of.

How long a part can be is known of parameters with @maxLength, and of what is listed here. A name with a part
of which nothing is known is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tree_sitter import Node

from domain.events import EventName
from infra.checks.bicep import BicepFile, Declaration, entries, line, parts, text
from infra.checks.deploying import type_of
from infra.checks.project import Project
from infra.checks.results import Finding, Result, result

# learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
LONGEST = {
    "microsoft.insights/actiongroups": 260,
    "microsoft.insights/components": 260,
    "microsoft.insights/scheduledqueryrules": 260,
    "microsoft.managedidentity/userassignedidentities": 128,
    "microsoft.operationalinsights/workspaces": 63,
    "microsoft.resources/resourcegroups": 90,
    "microsoft.storage/storageaccounts": 24,
    "microsoft.web/serverfarms": 40,
    "microsoft.web/sites": 60,
}
_DEPLOYMENT = 64
_PARTS = {
    "installation": 13,  # what uniqueString() makes
    "index": 3,
    "accountName": 24,  # of a storage account
    "alert.key": max(map(len, EventName)),
}


def check(project: Project) -> Result:
    """Look at names of resources and deployments, and at what is given for a parameter with @maxLength."""
    findings: list[Finding] = []
    judged = 0
    for path, file in project.parsed.items():
        for name, node, most in _names(project, path, file):
            longest = _longest(file, node)
            judged += longest is not None
            if longest is not None and longest > most:
                found = f"{name} can have {longest} characters, and Azure takes {most}"
                findings.append(Finding(file.name, line(node), found, "shorten it"))
    return result("lengths", f"{judged} names", findings)


def _names(project: Project, path: Path, file: BicepFile) -> Iterator[tuple[str, Node, int]]:
    for name, resource in file.resources.items():
        if type_of(resource) in LONGEST and resource.body is not None and "name" in entries(resource.body):
            yield f"the name of {name}", entries(resource.body)["name"][1], LONGEST[type_of(resource)]
    for name, module in file.modules.items():
        members = entries(module.body) if module.body is not None else {}
        if "name" in members:
            yield f"the name of the deployment {name}", members["name"][1], _DEPLOYMENT
        callee = project.parsed.get((path.parent / module.of).resolve())
        if callee is not None and "params" in members:
            for key, (_, value) in entries(members["params"][1]).items():
                most = _most(callee.parameters[key]) if key in callee.parameters else None
                if most is not None:
                    yield f"{key} of {name}", value, most


def _most(parameter: Declaration) -> int | None:
    """Return what @maxLength allows; the decorators stand in the lines before."""
    node: Node | None = parameter.node
    while node is not None:
        found = re.search(r"@maxLength\((\d+)\)", text(node))
        if found:
            return int(found[1])
        node = node.prev_named_sibling
        if node is None or node.type not in ("decorators", "decorator", "comment"):
            return None
    return None


def _longest(file: BicepFile, node: Node) -> int | None:
    """Return how long a text can become; None if that is not known."""
    if node.type == "string":
        lengths = [
            _longest(file, parts(each)[0]) if each.type == "interpolation" else len(text(each))
            for each in node.named_children
        ]
        known = [each for each in lengths if each is not None]
        return sum(known) if len(known) == len(lengths) else None
    written = text(node)
    if node.type == "identifier" and written in file.parameters:
        return _most(file.parameters[written]) or _PARTS.get(written)
    if node.type == "identifier" and written in file.variables and written not in _PARTS:
        value = file.variables[written].value
        return _longest(file, value) if value is not None else None
    return _PARTS.get(written)
