"""What is written in the resources is what Azure's published types know of them.

The types are those of github.com/Azure/bicep-types-az, which Bicep's own compiler reads: a folder with
`<provider>/<api version>/types.json` in any depth. They are large and not part of this project; where none
are given, nothing is looked at, and the summary says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tree_sitter import Node

from infra.checks.bicep import Declaration, entries, line, literal, parts
from infra.checks.deploying import LOCATED, type_of
from infra.checks.project import Project
from infra.checks.results import Finding, Result, not_looked, result

_REQUIRED, _READ_ONLY = 1, 2  # flags of a property
_OF_BICEP = frozenset({"scope", "parent", "dependsOn"})
_GIVEN_BY_BICEP = {"id", "type", "apiVersion"}
# Azure has these, and its types have them not: learn.microsoft.com/azure/azure-functions/security-concepts
_ABSENT_THOUGH_REAL = {"functionsRuntimeAdminIsolationEnabled", "siteUpdateStrategy"}
_LITERALS = {"string": "StringType", "number": "IntegerType", "boolean": "BooleanType"}
_PLAIN = {"StringType", "IntegerType", "BooleanType", "ObjectType", "ArrayType"}


@dataclass(frozen=True)
class Types:
    """The published types in a folder."""

    folder: Path

    @cached_property
    def _files(self) -> Mapping[tuple[str, str], list[Path]]:
        found: dict[tuple[str, str], list[Path]] = {}
        for path in sorted(self.folder.rglob("types.json")):
            provider, version = path.parts[-3].lower(), path.parts[-2].lower()
            found.setdefault((provider, version), []).append(path)
        return found

    @property
    def is_empty(self) -> bool:
        """Whether there are no types in the folder."""
        return not self._files

    def find(self, name: str) -> tuple[Any, Any] | None:
        """Return all types of a file, and the body's; the name is `provider/kind@version`."""
        provider, version = name.split("/")[0].lower(), name.rpartition("@")[2].lower()
        for path in self._files.get((provider, version), ()):
            every = json.loads(path.read_text())
            for each in every:
                if each.get("$type") == "ResourceType" and each["name"].lower() == name.lower():
                    return every, _referred(every, each["body"])
        return None


def _referred(every: Any, reference: Mapping[str, str]) -> Any:
    return every[int(reference["$ref"].rpartition("/")[2])]


def check(project: Project) -> Result:
    """Look at each resource that is deployed."""
    if project.resource_types is None:
        return not_looked("resource types", "no types were given: --resource-types FOLDER")
    types = Types(project.resource_types)
    if types.is_empty:
        found = Finding("infra", 1, "the folder of resource types has none", "give one with types.json files")
        return result("resource types", "0 types", [found])
    findings: list[Finding] = []
    count = 0
    for file in project.parsed.values():
        for resource in file.resources.values():
            body = Body(types, file.name)
            body.look(resource)
            findings += body.findings
            count += 1
    return result("resource types", f"{count} resources", findings)


@dataclass
class Body:
    """Looks at one resource of one file."""

    types: Types
    file: str
    findings: list[Finding] = field(default_factory=list)
    _every: Any = None
    _of_bicep: frozenset[str] = _OF_BICEP

    def look(self, resource: Declaration) -> None:
        """Find what is wrong with a resource."""
        found = self.types.find(resource.of)
        if found is None:
            advice = "correct its name or its version, or give the types of that version"
            self._add(resource.node, f"{resource.name}: there is no type {resource.of!r}", advice)
        elif resource.body is not None and not resource.is_existing:
            self._every, body = found
            if type_of(resource) in LOCATED:
                self._of_bicep |= {"location"}
            self._object(resource.body, body, resource.name, is_top=True)

    def _add(self, node: Node, found: str, advice: str, is_warning: bool = False) -> None:
        self.findings.append(Finding(self.file, line(node), found, advice, is_warning))

    def _value(self, node: Node, kind: Any, path: str) -> None:
        """Compare a value with its type; what is computed is not judged."""
        name = kind.get("$type")
        if node.type == "object" and name in ("ObjectType", "DiscriminatedObjectType"):
            self._object(node, kind, path)
        elif node.type == "array" and name == "ArrayType":
            for element in parts(node):
                self._value(element, _referred(self._every, kind["itemType"]), f"{path}[]")
        elif name in _PLAIN:
            given = {**_LITERALS, "object": "ObjectType", "array": "ArrayType"}.get(node.type)
            if given not in (None, name):
                self._add(node, f"{path}: this is {given}", f"give {name}")
        elif name in ("UnionType", "StringLiteralType"):
            self._one_of(node, kind, path)

    def _one_of(self, node: Node, kind: Any, path: str) -> None:
        value = literal(node)
        if value is None:
            return
        each = [_referred(self._every, one) for one in kind.get("elements", ())] or [kind]
        known = [one["value"] for one in each if one["$type"] == "StringLiteralType"]
        if value not in known:
            # An open list has the type string beside its words: Azure may know more of them.
            is_open = len(known) < len(each)
            self._add(node, f"{path}: {value!r} is not known", f"use one of {', '.join(known)}", is_open)

    def _object(self, node: Node, kind: Any, path: str, *, is_top: bool = False) -> None:
        properties = self._properties(node, kind, path)
        if properties is None:
            return
        given = entries(node)
        for name, (entry, value) in given.items():
            if name in properties:
                self._property(entry, value, properties[name], f"{path}.{name}")
            elif kind.get("additionalProperties"):
                self._value(value, _referred(self._every, kind["additionalProperties"]), f"{path}.{name}")
            elif name not in _ABSENT_THOUGH_REAL and not (is_top and name in self._of_bicep):
                alike = [each for each in properties if each.lower() == name.lower()]
                known = ", ".join(alike or sorted(properties))
                advice = f"correct its spelling (case counts) or remove it; known are {known}"
                self._add(entry, f"{path}: there is no property {name!r}", advice)
        for name, each in properties.items():
            is_given = name in given or (is_top and name in _GIVEN_BY_BICEP)
            if each["flags"] & _REQUIRED and not is_given:
                self._add(node, f"{path}: the property {name!r} is missing", "give it")

    def _property(self, entry: Node, value: Node, kind: Any, path: str) -> None:
        if kind["flags"] & _READ_ONLY:
            self._add(entry, f"{path}: this can only be read", "remove it")
        else:
            self._value(value, _referred(self._every, kind["type"]), path)

    def _properties(self, node: Node, kind: Any, path: str) -> dict[str, Any] | None:
        """Return what an object may have; None if that cannot be told."""
        if kind["$type"] != "DiscriminatedObjectType":
            return dict(kind.get("properties", {}))
        word = kind["discriminator"]
        given = entries(node).get(word)
        value = literal(given[1]) if given else None
        if given is None:
            self._add(node, f"{path}: the property {word!r} is missing", "give it")
        elif value is not None and value not in kind["elements"]:
            known = ", ".join(kind["elements"])
            self._add(given[0], f"{path}: no kind of it is {value!r}", f"use one of {known}")
        if value is None or value not in kind["elements"]:
            return None
        chosen = _referred(self._every, kind["elements"][value])
        return {**kind["baseProperties"], **chosen["properties"]}
