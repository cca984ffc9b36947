"""Values of any type that crosses the durable boundary, with every field filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

texts = st.text(max_size=12)
whole_numbers = st.integers(-(2**53), 2**53)
numbers = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | whole_numbers | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    bool: st.booleans(),
    int: whole_numbers,
    float: numbers,
    NoneType: st.none(),
    Any: json_values,
    # Azure's own moments have seven digits of a second; ours have six, and lie in this century or the next.
    datetime: st.datetimes(*(datetime(year, 1, 1) for year in (2000, 2199)), timezones=st.just(UTC)),  # noqa: DTZ001  # Hypothesis adds the zone
    timedelta: st.timedeltas(timedelta(0), timedelta(days=4000)),
}


@cache
def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for values of a type; raises TypeError for what cannot cross the boundary."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if is_dataclass(kind) and isinstance(kind, type):
        return _dataclass_values(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    return _generic_values(kind)


def _dataclass_values(kind: type) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    parts = {field.name: values_of(hints[field.name]) for field in fields(kind)}
    return st.builds(kind, **parts)


def _generic_values(kind: Any) -> st.SearchStrategy[Any]:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return st.one_of(*map(values_of, inner))
    if origin is list:
        return st.lists(values_of(inner[0]), max_size=3)
    if origin is tuple and inner[1:] == (...,):
        return st.lists(values_of(inner[0]), max_size=3).map(tuple)
    if origin is Mapping:
        return st.dictionaries(values_of(inner[0]), values_of(inner[1]), max_size=3)
    raise TypeError(
        f"{kind} has no place on the durable boundary: plain dataclasses, tuples and mappings have"
    )
