"""What the API takes and gives: dataclasses, in JSON with camelCase names.

    @form
    class BackupOrder:
        vm: VmReference

    read_body(BackupOrder, b'{"vm": 5}')  # [Fault("vm", "it should be a valid string; found a number")]

A form is what the API takes, a document what it gives.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar, dataclass_transform, get_args, get_type_hints

from pydantic import ConfigDict, GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema, from_json

from domain.errors import Fault

Document = TypeVar("Document")

_LONGEST_ECHO = 60  # characters of what was sent
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}
_KINDS = {
    bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array",
    dict: "an object", type(None): "null",
}  # fmt: skip


@dataclass_transform(frozen_default=True)
def document(kind: type[Document]) -> type[Document]:
    """Make a class something that the API gives: a frozen dataclass with camelCase names in JSON."""
    return _configured(kind, ConfigDict(alias_generator=to_camel))


@dataclass_transform(frozen_default=True)
def form(kind: type[Document]) -> type[Document]:
    """Make a class something that the API takes: like a document, and an unknown field is a fault.

    It may have a class method `contradictions`, which takes the fields that were given and says which
    of them do not go together.
    """
    return _configured(kind, ConfigDict(alias_generator=to_camel, extra="forbid"))


def _configured(kind: type[Document], configuration: ConfigDict) -> type[Document]:
    kind.__pydantic_config__ = configuration  # type: ignore[attr-defined]  # where pydantic looks for it
    # Nobody compares or prints them, and what is not generated makes the app start sooner.
    return dataclass(frozen=True, eq=False, repr=False, match_args=False)(kind)


@dataclass(frozen=True)
class Known:
    """Marks a string field that must be one of a few names, which a fault then lists."""

    what: str
    names: Callable[[], Iterable[str]]

    def check(self, name: str) -> str:
        """Return the name; raises ValueError if it is not among the known ones."""
        if name not in self.names():
            raise ValueError(f"there is no {self.what} {name!r}; {self.hint}")
        return name

    @property
    def hint(self) -> str:
        """Say which names there are."""
        return f"known are {', '.join(sorted(self.names()))}"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))


def adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what converts a type from and to JSON; it is made once, which is slow."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def render(value: Any, *, omit_none: bool = False) -> bytes:
    """Return a document as JSON."""
    return adapter(type(value)).dump_json(value, by_alias=True, exclude_none=omit_none)


def read_body(kind: type[Document], body: bytes) -> Document | list[Fault]:
    """Return the form that a JSON body fills in, or everything that is wrong with it."""
    try:
        found, faults = adapter(kind).validate_json(body, strict=True), []
    except ValidationError as wrong:
        found, faults = None, [_fault(kind, error, "body") for error in wrong.errors()]
    faults += [Fault(name, "this field stands twice; send it once") for name in _repeated(body)]
    contradictions = getattr(kind, "contradictions", None)
    if contradictions is not None:
        faults += contradictions(_given(body))
    return faults or found


def read_parameters(kind: type[Document], values: Mapping[str, str]) -> Document | list[Fault]:
    """Return the form that parameters of a URL, or headers, fill in, or everything wrong with it."""
    try:
        return adapter(kind).validate_python(dict(values))
    except ValidationError as wrong:
        return [_fault(kind, error, "parameters") for error in wrong.errors()]


def _repeated(body: bytes) -> list[str]:
    """Return the names that stand twice in one object: JSON readers differ in which of them they believe."""
    repeated: dict[str, None] = {}

    def look(pairs: list[tuple[str, Any]]) -> None:
        counted = Counter(name for name, _ in pairs)
        repeated.update((name, None) for name, count in counted.items() if count > 1)

    try:
        json.loads(body, object_pairs_hook=look, parse_int=str)
    except (ValueError, RecursionError):
        return []  # not JSON, which is told already
    return list(repeated)


def _given(body: bytes) -> dict[str, Any]:
    """Return the fields that a body gives a value, as far as it can be read at all."""
    try:
        told = from_json(body)
    except ValueError:
        return {}
    return (
        {name: value for name, value in told.items() if value is not None} if isinstance(told, dict) else {}
    )


def _fault(kind: type, error: Any, whole: str) -> Fault:
    # pydantic marks a fault of a name, rather than of what stands under it, with one more step.
    field = ".".join(str(step) for step in error["loc"] if step != "[key]") or whole
    return Fault(field, _explained(kind, field, error))


def _explained(kind: type, field: str, error: Any) -> str:
    """Say what is wrong in words for a person who does not know pydantic."""
    match error["type"]:
        case "value_error":
            return str(error["ctx"]["error"])
        case "missing":
            known = _known(kind, field)
            return "this field is missing" + (f"; {known.hint}" if known else "")
        case "unexpected_keyword_argument":
            return f"there is no such field; there are {', '.join(_names(kind)) or 'none here'}"
        case "json_invalid" if not error["input"]:
            return f"the request has no body; send JSON with {', '.join(_names(kind))}"
        case "json_invalid":
            return (
                f"this is not JSON ({error['ctx']['error']}); send an object with {', '.join(_names(kind))}"
            )
        case "timezone_aware":
            return "the time needs a zone, such as the Z of 2026-11-22T16:00:00Z"
        case "too_short" | "string_too_short" | "string_too_long" as which:
            return _misses_length(which, error["ctx"], error["input"])
    given = error["input"]
    found = _KINDS.get(type(given)) if error["type"].endswith("_type") else _echo(given)
    return f"{error['msg'].replace('Input should', 'it should')}; found {found}"


def _misses_length(which: str, limits: Mapping[str, int], given: Any) -> str:
    limit = limits["max_length"] if which == "string_too_long" else limits["min_length"]
    bound = "at most" if which == "string_too_long" else "at least"
    unit = "character" if isinstance(given, str) else "item"
    found = limits.get("actual_length", len(given))
    return f"it should have {bound} {limit} {unit}{'' if limit == 1 else 's'}; found {found or 'none'}"


def _echo(given: Any) -> str:
    text = repr(given)
    if len(text) <= _LONGEST_ECHO:
        return text
    return f"{text[:_LONGEST_ECHO]}… ({len(text)} characters in all)"


def _names(kind: type) -> list[str]:
    return [to_camel(field.name) for field in fields(kind)]


def _known(kind: type, field: str) -> Known | None:
    hints = {to_camel(name): hint for name, hint in get_type_hints(kind, include_extras=True).items()}
    hint = hints.get(field, str)
    if getattr(hint, "__metadata__", None) is None:
        return None
    return next((mark for mark in get_args(hint) if isinstance(mark, Known)), None)
