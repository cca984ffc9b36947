"""Files that the Bicep loads are there, and what it reads of them is in them.

What the policy file may have is told by the app's own forms, not by the example; of other files, by what
they hold. A value is followed through variables, loops, lambdas, parameters and outputs, as far as it can be:
where nothing is known of it, nothing is judged. Whether a field that may be absent is there is not judged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tree_sitter import Node

from domain.policy_forms import FileForm
from infra.checks.bicep import BicepFile, below, callee, continued, entries, line, literal, parts, text
from infra.checks.names import bound, bound_by_lambdas
from infra.checks.project import Project
from infra.checks.results import Finding, Result, result
from infra.checks.shapes import Many, Record, Shape, Table, alike, item, listed, of_data, of_form

POLICIES = "policies.yaml"
_LOADS = {"loadJsonContent", "loadYamlContent", "loadTextContent", "loadFileAsBase64"}
_SAME = {"any", "filter", "sort", "skip", "take"}  # as their first argument
_ALL = {"union", "concat"}  # as all of their arguments
_ONE = {"first", "last"}  # one of their first argument
_MAIN = "infra/main.bicep"

Known = Mapping[str, Shape]


def check(project: Project) -> Result:
    """Look at every file that is loaded, and follow what is read of them from the first Bicep file on."""
    findings: list[Finding] = []
    loads = 0
    for path, file in project.parsed.items():
        for node in below(file.root):
            if _function(node) in _LOADS:
                loads += 1
                findings += _missing(file, path, node)
    reads: set[tuple[str, int, str]] = set()
    main = project.parsed.get(project.root / _MAIN)
    if main is not None:
        reader = Reader(project, main)
        reader.read()
        findings += reader.findings
        reads = reader.seen
    told = f"{loads} files loaded, {len(reads)} members read of them"
    return result("loaded files", told, findings)


def _function(node: Node) -> str:
    return text(callee(node)) if node.type == "call_expression" else ""


def _arguments(call: Node) -> list[Node]:
    return parts(next(part for part in parts(call) if part.type == "arguments"))


def _missing(file: BicepFile, path: Path, call: Node) -> list[Finding]:
    name = literal(_arguments(call)[0]) if _arguments(call) else None
    if name is not None and (path.parent / name).is_file():
        return []
    found = f"there is no file {name!r} to load" if name else "which file is loaded cannot be read here"
    return [Finding(file.name, line(call), found, "name one that is there, from this file's folder on")]


@dataclass
class Reader:
    """Reads one file with what is known of its parameters."""

    project: Project
    file: BicepFile
    given: Known = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    seen: set[tuple[str, int, str]] = field(default_factory=set)
    _variables: dict[str, Shape] = field(default_factory=dict)
    _outputs: dict[str, Shape] = field(default_factory=dict)

    def read(self) -> Known:
        """Look at everything in the file, the modules that it deploys too; return its outputs."""
        for declaration in parts(self.file.root):
            self.shape(declaration, {})
        outputs = self.file.outputs.values()
        return {each.name: self.shape(each.value, {}) for each in outputs if each.value is not None}

    def shape(self, node: Node, known: Known) -> Shape:
        """Return what is known of an expression, and note what it reads that is not there."""
        look = {
            "identifier": self._named,
            "member_expression": self._member,
            "call_expression": self._call,
            "object": self._object,
            "module_declaration": self._module,
            "for_statement": self._loop,
        }.get(node.type, self._other)
        return look(node, known)

    def _other(self, node: Node, known: Known) -> Shape:
        named = node.type.endswith("_declaration") or node.type in ("object_property", "lambda_expression")
        shapes = [self.shape(part, known) for part in parts(node)[named:]]
        if node.type == "subscript_expression":
            return item(shapes[0])
        if node.type == "ternary_expression":
            return alike(shapes[1:])
        if node.type == "lambda_expression":
            is_continued = node.parent is not None and node.parent.type.startswith(("member", "subscript"))
            return self.shape(continued(node), known) if is_continued else shapes[-1]
        return shapes[0] if node.type in ("parenthesized_expression", "binary_expression") else None

    def _object(self, node: Node, known: Known) -> Shape:
        for part in parts(node):
            if part.type != "object_property":
                self.shape(part, known)
        fields = {name: self.shape(value, known) for name, (_, value) in entries(node).items()}
        return Record(fields) if len(fields) == len(parts(node)) else None

    def _named(self, node: Node, known: Known) -> Shape:
        name = text(node)
        if name in known:
            return known[name]
        if name in self.given:
            return self.given[name]
        variable = self.file.variables.get(name)
        if variable is not None and variable.value is not None and name not in self._variables:
            self._variables[name] = None  # while it is looked at
            self._variables[name] = self.shape(variable.value, {})
        return self._variables.get(name)

    def _member(self, node: Node, known: Known) -> Shape:
        of, name = self._outputs_of(node, known), text(parts(node)[1])
        if isinstance(of, Table):
            return of.value
        if not isinstance(of, Record):
            return None
        self.seen.add((self.file.name, node.start_byte, name))
        if name not in of.fields:
            advice = f"correct its spelling (case counts); there are {', '.join(sorted(of.fields))}"
            self.findings.append(Finding(self.file.name, line(node), f"there is no {name!r} to read", advice))
        return of.fields.get(name)

    def _outputs_of(self, node: Node, known: Known) -> Shape:
        """Return what a member is read of: the outputs of a module, or the value before the point."""
        before = parts(node)[0]
        name = text(parts(before)[0]) if before.type == "member_expression" else ""
        if name in self.file.modules and text(parts(before)[1]) == "outputs":
            if name not in self._outputs:
                self.shape(self.file.modules[name].node, {})
            return self._outputs.get(name)
        return self.shape(before, known)

    def _call(self, node: Node, known: Known) -> Shape:
        name, arguments = _function(node), _arguments(node)
        if name in ("loadJsonContent", "loadYamlContent"):
            return self._loaded(literal(arguments[0]) or "")
        first = self.shape(arguments[0], known) if arguments else None
        shapes = [first]
        for argument in arguments[1:]:
            names = bound_by_lambdas(argument)
            shapes.append(self.shape(argument, {**known, **dict.fromkeys(names, item(first))}))
        if name == "items":
            return listed(first)
        if name == "map":
            return Many(shapes[-1])
        if name == "flatten":
            return item(first)
        if name in _ALL:
            return alike(shapes)
        return first if name in _SAME else item(first) if name in _ONE else None

    def _loaded(self, name: str) -> Shape:
        path = (self.file.path.parent / name).resolve()
        if path == (self.project.root / POLICIES).resolve():
            return of_form(FileForm)
        return of_data(json.loads(path.read_text())) if path.suffix == ".json" and path.is_file() else None

    def _loop(self, node: Node, known: Known) -> Shape:
        *_, over, body = parts(node)
        names = bound(node)
        plain = {name: item(self.shape(over, known)) if name == _first(node) else None for name in names}
        return Many(self.shape(body, {**known, **plain}))

    def _module(self, node: Node, known: Known) -> Shape:
        name = text(parts(node)[0])
        module = self.file.modules[name]
        deployed = self.project.parsed.get((self.file.path.parent / module.of).resolve())
        if deployed is None or module.body is None or name in self._outputs:
            return None
        self._outputs[name] = None
        for part in parts(node)[2:]:
            within = {**known, **self._around(part, known)}
            self.shape(part, known)
        params = entries(module.body).get("params")
        given = entries(params[1]) if params is not None else {}
        shapes = {each: self.shape(value, within) for each, (_, value) in given.items()}
        reader = Reader(self.project, deployed, shapes, self.findings, self.seen)
        self._outputs[name] = Record(reader.read())
        return None

    def _around(self, node: Node, known: Known) -> Known:
        """Return what the loop around a module's body gives to it."""
        if node.type != "for_statement":
            return {}
        shape = item(self.shape(parts(node)[-2], known))
        return {name: shape if name == _first(node) else None for name in bound(node)}


def _first(loop: Node) -> str:
    """Return the variable of a loop that is the element; the second, if there is one, is its number."""
    head = loop.child_by_field_name("initializer") or parts(parts(loop)[0])[0]
    return text(head)
