"""What crosses the boundary of a step: plain JSON data, which pydantic makes of dataclasses and back."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter


def to_wire(value: Any, kind: Any = None) -> Any:
    """Return a dataclass (or a plain value) as plain JSON data; as a value of `kind`, if that is given."""
    taken: Any = type(value) if kind is None else kind
    return _adapter(taken).dump_python(value, mode="json")


def from_wire(kind: Any, data: Any) -> Any:
    """Rebuild a value of a type from what `to_wire` returned; raises ValueError if it does not fit."""
    return _adapter(kind).validate_python(data)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
