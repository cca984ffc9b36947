"""Reads YAML with the line of every field, and tells what is wrong with the YAML itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from domain.errors import Fault, InvalidInput

Path = tuple[str, ...]

MOST_FIELDS = 50_000  # our own limit: aliases of aliases would grow a small file beyond all memory


@dataclass(frozen=True)
class Document:
    """What a file says, and where each field of it stands."""

    data: Any
    lines: Mapping[Path, int]

    def fault(self, path: Path, message: str) -> Fault:
        """Return a fault of a field; one that is missing stands where what it is missing from does."""
        known = path
        while known not in self.lines:
            known = known[:-1]
        return Fault(f"line {self.lines[known]}, {'.'.join(path) or 'the file'}", message)


def read_document(text: str | bytes, source: str) -> Document:
    """Return what a text says; raises InvalidInput if it is not YAML, or has a field twice."""
    decoded = text if isinstance(text, str) else _decoded(text, source)
    try:
        loader = yaml.SafeLoader(decoded)
        root = loader.get_single_node()
        if root is None:
            raise InvalidInput(source, [Fault(source, "the file is empty; see the example policies.yaml")])
        lines = _lines_of(root, source)
        return Document(loader.construct_document(root), lines)
    except RecursionError as wrong:
        fault = Fault(source, "this is nested too deeply for a policy file; see the example policies.yaml")
        raise InvalidInput(source, [fault]) from wrong
    except (yaml.YAMLError, ValueError) as wrong:  # also well formed, but not data: a 13th month
        raise InvalidInput(source, [_unreadable(wrong, source)]) from wrong


def _decoded(text: bytes, source: str) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = text.count(b"\n", 0, wrong.start) + 1
        fault = Fault(f"line {line}", "this is not UTF-8; save the file in that encoding")
        raise InvalidInput(source, [fault]) from wrong


def _unreadable(wrong: Exception, source: str) -> Fault:
    mark = getattr(wrong, "problem_mark", None)
    where = f"line {mark.line + 1}" if mark else source
    return Fault(where, f"this is not YAML: {getattr(wrong, 'problem', None) or wrong}")


def _lines_of(root: yaml.Node, source: str) -> Mapping[Path, int]:
    walk = _Walk(source)
    walk.visit(root, (), ())
    if walk.faults:
        raise InvalidInput(source, walk.faults)
    return walk.lines


@dataclass
class _Walk:
    """Goes through a document; what stands in it twice, or in itself, is a fault."""

    source: str
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def visit(self, node: yaml.Node, path: Path, above: tuple[yaml.Node, ...]) -> None:
        """Note the lines of a node and of all below it."""
        if any(node is each for each in above):
            self._note(node, path, "this is an alias of what it stands in; write it out")
            return
        if len(self.lines) > MOST_FIELDS:
            raise InvalidInput(
                self.source, [Fault(self.source, f"with its aliases it has more than {MOST_FIELDS} fields")]
            )
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            self._visit_fields(node, path, (*above, node))
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                self.visit(value, (*path, str(index)), (*above, node))

    def _visit_fields(self, node: yaml.MappingNode, path: Path, above: tuple[yaml.Node, ...]) -> None:
        for key, value in node.value:
            below = (*path, str(key.value))
            if below in self.lines:  # YAML itself would let the second one win without a word
                self._note(key, below, "this field stands twice")
            self.lines[below] = key.start_mark.line + 1
            self.visit(value, below, above)

    def _note(self, node: yaml.Node, path: Path, message: str) -> None:
        self.faults.append(Fault(f"line {node.start_mark.line + 1}, {'.'.join(path)}", message))
