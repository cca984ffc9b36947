"""Tables of documents in Azure Table Storage, with optimistic concurrency.

A row is a JSON document, split over several columns because a string column holds 32 K characters, and a few
columns of its own for queries. Limits and key rules: "Understanding the Table service data model", Azure
Storage REST documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableClient, TableServiceClient, UpdateMode

from domain.errors import Refused, Transient
from gateways.failures import translated

Answer = TypeVar("Answer")

_LONGEST_STRING = 16_000  # characters; the service takes 32,768 UTF-16 units, and a character may take two
_LARGEST_DOCUMENT = 1_000_000  # bytes; the service takes 1 MiB, with keys, names and columns in it
_PART = "document"
_MOST_CHANGES = 20


@dataclass(frozen=True)
class Row:
    """One row: its keys, its document, its columns, and the ETag that it was read with."""

    partition: str
    key: str
    document: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    etag: str = ""


class Table:
    """One table, made when it is first written to."""

    def __init__(self, service: TableServiceClient, name: str) -> None:
        self._name = name
        self._client: TableClient = service.get_table_client(name)

    def insert(self, row: Row) -> bool:
        """Write a new row; return False if there is one with its keys already."""
        return self.add(row) is not None

    def add(self, row: Row) -> Row | None:
        """Write a new row; return it with its ETag, None if there is one with its keys already."""
        try:
            written = self._write(lambda: self._client.create_entity(_entity(row)))
        except _Conflict:
            return None
        return replace(row, etag=written["etag"])

    def put(self, row: Row) -> None:
        """Write a row, whether or not there is one with its keys."""
        self._write(lambda: self._client.upsert_entity(_entity(row), mode=UpdateMode.REPLACE))

    def get(self, partition: str, key: str) -> Row | None:
        """Return a row, or None."""
        try:
            return _row(self._ask(lambda: self._client.get_entity(partition, key)))
        except _Missing:
            return None

    def replace(self, row: Row) -> bool:
        """Write a row that was read before; return False if somebody has changed or deleted it since."""
        return self._replaced(row) is not None

    def _replaced(self, row: Row) -> Row | None:
        def write() -> Any:
            return self._client.update_entity(
                _entity(row),
                mode=UpdateMode.REPLACE,
                etag=row.etag,
                match_condition=MatchConditions.IfNotModified,
            )

        try:
            written = self._ask(write)
        except (_Missing, _Conflict):
            return None
        return replace(row, etag=written["etag"])

    def change(self, partition: str, key: str, changed: Callable[[Row], Row | None]) -> Row | None:
        """Read a row, change it and write it, again and again until nobody came between.

        `changed` returns None to leave the row as it is. Returns the row as it stands then, None if absent.
        """
        for _ in range(_MOST_CHANGES):
            found = self.get(partition, key)
            wanted = changed(found) if found else None
            if wanted is None:
                return found
            if written := self._replaced(wanted):
                return written
        raise Transient("Contention", f"row {key} of table {self._name} is changed by others all the time")

    def delete(self, row: Row) -> bool:
        """Delete a row that was read before; return False if somebody has changed it since."""

        def write() -> Any:
            return self._client.delete_entity(
                row.partition, row.key, etag=row.etag, match_condition=MatchConditions.IfNotModified
            )

        try:
            self._ask(write)
        except _Missing:
            return True
        except _Conflict:
            return False
        return True

    def query(
        self, partition: str, *, after: str = "", before: str = "", most: int | None = None
    ) -> list[Row]:
        """Return rows of a partition in the order of their keys: those between two keys, at most so many."""
        bounds = {"gt @after": after, "lt @before": before}
        clause = "PartitionKey eq @partition" + "".join(
            f" and RowKey {bound}" for bound, key in bounds.items() if key
        )
        parameters = {"partition": partition, "after": after, "before": before}

        def read() -> list[Row]:
            page = min(most or 1000, 1000)
            found = self._client.query_entities(clause, parameters=parameters, results_per_page=page)
            return [_row(entity) for entity in islice(found, most)]

        try:
            return self._ask(read)
        except _Missing:
            return []  # no table yet, so no rows

    def _write(self, step: Callable[[], Answer]) -> Answer:
        try:
            return self._ask(step)
        except _Missing:
            self._make()
            return self._write_again(step)

    def _write_again(self, step: Callable[[], Answer]) -> Answer:
        try:
            return self._ask(step)
        except _Missing as missing:  # Azure deletes a table for some time before it can be made again
            raise Transient("TableMissing", f"table {self._name} was made and is not there yet") from missing

    def _make(self) -> None:
        try:
            self._ask(self._client.create_table)
        except _Conflict:
            return  # another worker was quicker

    def _ask(self, step: Callable[[], Answer]) -> Answer:
        with translated(f"table {self._name}"):
            try:
                return step()
            except ResourceNotFoundError as failure:
                raise _Missing from failure
            except (ResourceExistsError, ResourceModifiedError) as failure:
                raise _Conflict from failure


class _Missing(Exception):
    """There is no such row, or no such table."""


class _Conflict(Exception):
    """There is such a row already, or it is not the one that was read."""


def _entity(row: Row) -> dict[str, Any]:
    text = row.document
    size = len(text.encode("utf-16-le"))  # as the service counts it
    if size > _LARGEST_DOCUMENT:
        raise Refused(
            "DocumentTooLarge",
            f"row {row.key} would hold {size} bytes, and a row of Table Storage holds {_LARGEST_DOCUMENT}",
        )
    parts = {
        f"{_PART}{start // _LONGEST_STRING}": text[start : start + _LONGEST_STRING]
        for start in range(0, len(text), _LONGEST_STRING)
    }
    return {"PartitionKey": row.partition, "RowKey": row.key, **row.columns, **parts}


def _row(entity: Any) -> Row:
    keys = ("PartitionKey", "RowKey")
    count = sum(1 for name in entity if name.startswith(_PART) and name[len(_PART) :].isdigit())
    parts = [f"{_PART}{number}" for number in range(count)]
    columns = {name: value for name, value in entity.items() if name not in (*keys, *parts)}
    document = "".join(entity[part] for part in parts)
    return Row(entity[keys[0]], entity[keys[1]], document, columns, entity.metadata["etag"])
