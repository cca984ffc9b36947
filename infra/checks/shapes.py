"""What is known of a value that comes out of a file: which fields it has, or what it is a list of."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class Record:
    """An object whose fields are all known."""

    fields: Mapping[str, Shape]


@dataclass(frozen=True)
class Table:
    """An object with any fields, whose values are alike."""

    value: Shape


@dataclass(frozen=True)
class Many:
    """A list of values that are alike."""

    item: Shape


Shape = Record | Table | Many | None  # None: nothing is known, or it has no fields


def of_form(form: Any) -> Shape:
    """Return the shape of what the app reads into a form: a dataclass, or a field's type."""
    if is_dataclass(form):
        hints = get_type_hints(form)
        return Record(
            {name: of_form(hint) for name, hint in hints.items() if name in form.__dataclass_fields__}
        )
    kind, inner = get_origin(form), get_args(form)
    if kind in (Union, types.UnionType):
        return next((found for found in map(of_form, inner) if found), None)
    if kind is tuple:
        return Many(of_form(inner[0]))
    return Table(of_form(inner[1])) if kind is not None and len(inner) == 2 else None


def of_data(data: Any) -> Shape:
    """Return the shape of what a JSON file holds."""
    if isinstance(data, dict):
        return Record({str(name): of_data(value) for name, value in data.items()})
    return Many(alike([of_data(each) for each in data])) if isinstance(data, list) else None


def alike(shapes: list[Shape]) -> Shape:
    """Return what several values have in common: the fields that at least one of them has."""
    records = [shape for shape in shapes if isinstance(shape, Record)]
    if records and len(records) == len(shapes):
        names = {name for record in records for name in record.fields}
        return Record(
            {
                name: alike([record.fields[name] for record in records if name in record.fields])
                for name in names
            }
        )
    return shapes[0] if shapes and all(shape == shapes[0] for shape in shapes) else None


def listed(shape: Shape) -> Shape:
    """Return what items() makes of an object: a list of key and value."""
    if isinstance(shape, Record):
        return Many(Record({"key": None, "value": alike(list(shape.fields.values()))}))
    return Many(Record({"key": None, "value": shape.value})) if isinstance(shape, Table) else None


def item(shape: Shape) -> Shape:
    """Return what a list is of, or what any field of an object is."""
    if isinstance(shape, Many):
        return shape.item
    if isinstance(shape, Record):
        return alike(list(shape.fields.values()))
    return shape.value if isinstance(shape, Table) else None
