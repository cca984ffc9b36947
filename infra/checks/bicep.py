"""A Bicep file as a syntax tree, and what it declares.

The parser is tree-sitter's grammar of Bicep. It is no compiler: it knows the form of a file and neither names
nor types. Two quirks of it matter here. What follows an operand of a lambda is parsed as if it followed the
lambda, `x => a || x.b` as `(x => a || x).b`; and `[f().x]` in an array becomes two elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_NOT_CODE = ("comment", "diagnostic_comment")


def parse(source: bytes) -> Node:
    """Return the syntax tree of a Bicep file; it has ERROR and MISSING nodes where the file has no form."""
    return _PARSER.parse(source).root_node


def text(node: Node) -> str:
    """Return what stands in the file for a node."""
    return (node.text or b"").decode()


def line(node: Node) -> int:
    """Return the line that a node begins in, from 1."""
    return node.start_point[0] + 1


def parts(node: Node) -> list[Node]:
    """Return the named children of a node, without comments."""
    return [child for child in node.named_children if child.type not in _NOT_CODE]


def below(node: Node) -> Iterator[Node]:
    """Yield a node and all below it, comments too."""
    yield node
    for child in node.children:
        yield from below(child)


def literal(node: Node | None) -> str | None:
    """Return the text of a string literal; None for anything else, and where text is put into it."""
    if node is None or node.type != "string" or any(child.type == "interpolation" for child in node.children):
        return None
    return "".join(text(child) for child in node.named_children)


def callee(call: Node) -> Node:
    """Return the name of the function that is called."""
    return continued(parts(call)[0])


def continued(node: Node) -> Node:
    """Return what a call or a member really follows, where the parser says that it follows a lambda."""
    if node.type == "lambda_expression":
        while node.type in (
            "lambda_expression",
            "binary_expression",
            "unary_expression",
            "ternary_expression",
        ):
            node = parts(node)[-1]
    return node


def key(entry: Node) -> str | None:
    """Return the name of a property of an object; None where text is put into it."""
    name = parts(entry)[0]
    return literal(name) if name.type == "string" else text(name)


def entries(body: Node) -> dict[str, tuple[Node, Node]]:
    """Return the properties of an object: name → the whole property, its value."""
    found = {}
    for entry in parts(body):
        if entry.type == "object_property" and len(parts(entry)) == 2:
            name = key(entry)
            if name is not None:
                found[name] = (entry, parts(entry)[1])
    return found


@dataclass(frozen=True)
class Declaration:
    """Something that a file gives a name to."""

    name: str
    node: Node

    @property
    def body(self) -> Node | None:
        """The object that a resource or a module is declared by, whatever loop or condition is around it."""
        return next((node for node in _within(self.node) if node.type == "object"), None)

    @property
    def of(self) -> str:
        """The type of a resource, with its version, or the file of a module."""
        return literal(next((part for part in parts(self.node) if part.type == "string"), None)) or ""

    @property
    def is_existing(self) -> bool:
        """Whether a resource is only referred to."""
        return any(child.type == "existing" for child in self.node.children)

    @property
    def kind(self) -> str:
        """The type of a parameter as it is written."""
        return next((text(part) for part in parts(self.node) if part.type == "type"), "")

    @property
    def value(self) -> Node | None:
        """What a parameter is by default, or a variable or an output is."""
        last = parts(self.node)[-1]
        return None if last.type in ("identifier", "type") else last

    @property
    def is_optional(self) -> bool:
        """Whether a parameter may be left out."""
        return self.value is not None or self.kind.endswith("?")


def _within(declaration: Node) -> Iterator[Node]:
    for part in parts(declaration):
        if part.type in ("if_statement", "for_statement", "parenthesized_expression"):
            yield from _within(part)
        else:
            yield part


@dataclass(frozen=True)
class BicepFile:
    """One Bicep file; `name` is its path from the root of the project, with slashes."""

    name: str
    path: Path

    @cached_property
    def root(self) -> Node:
        """The syntax tree."""
        return parse(self.path.read_bytes())

    def _declared(self, kind: str) -> dict[str, Declaration]:
        nodes = [node for node in below(self.root) if node.type == kind]
        named = [(next(part for part in parts(node) if part.type == "identifier"), node) for node in nodes]
        return {text(name): Declaration(text(name), node) for name, node in named}

    @cached_property
    def parameters(self) -> dict[str, Declaration]:
        """What must or may be given to it."""
        return self._declared("parameter_declaration")

    @cached_property
    def variables(self) -> dict[str, Declaration]:
        """Its variables."""
        return self._declared("variable_declaration")

    @cached_property
    def resources(self) -> dict[str, Declaration]:
        """Its resources, those within others and those that only exist elsewhere too."""
        return self._declared("resource_declaration")

    @cached_property
    def modules(self) -> dict[str, Declaration]:
        """The modules that it deploys."""
        return self._declared("module_declaration")

    @cached_property
    def outputs(self) -> dict[str, Declaration]:
        """What it gives to whoever deploys it."""
        return self._declared("output_declaration")

    @cached_property
    def functions(self) -> dict[str, Declaration]:
        """Its own functions."""
        return self._declared("user_defined_function")

    @cached_property
    def types(self) -> dict[str, Declaration]:
        """Its own types."""
        return self._declared("type_declaration")
