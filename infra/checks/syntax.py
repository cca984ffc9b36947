"""Every Bicep file has the form of one."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from infra.checks.bicep import BicepFile, line, text
from infra.checks.project import Project
from infra.checks.results import Finding, Result, result


def check(project: Project) -> Result:
    """Look for what the grammar has no place for."""
    findings = [finding for file in project.bicep.values() for finding in _in_file(file)]
    if not project.bicep:
        findings = [Finding("infra", 1, "there is no Bicep file here", "run this in a whole checkout")]
    return result("syntax", f"{len(project.bicep)} Bicep files", findings)


def _in_file(file: BicepFile) -> Iterator[Finding]:
    if not file.path.read_bytes().strip():
        yield Finding(file.name, 1, "the file is empty", "remove it")
    for node in _broken(file.root):
        if node.is_missing:
            found = f"{node.type!r} is missing"
        else:
            found = (
                f"this is no Bicep: {text(node).strip().splitlines()[0][:60] if text(node).strip() else ''!r}"
            )
        yield Finding(file.name, line(node), found, "correct what stands here or right before")


def _broken(node: Node) -> Iterator[Node]:
    """Yield the outermost nodes that have no form."""
    if node.is_error or node.is_missing:
        yield node
    elif node.has_error:
        for child in node.children:
            yield from _broken(child)
