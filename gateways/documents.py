"""Domain objects as rows of a table: one JSON document each, inserted once, changed under its ETag."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from domain.errors import Refused
from gateways.tables import Row, Table

Document = TypeVar("Document")


class Documents(Generic[Document]):
    """Domain objects of one kind as rows of one table."""

    def __init__(self, table: Table, kind: type[Document]) -> None:
        self.table = table
        self._kind = kind

    @cached_property
    def _adapter(self) -> TypeAdapter[Document]:
        return TypeAdapter(self._kind)  # not at start: function apps start cold

    def read(self, row: Row) -> Document:
        """Return the object that a row holds; raises Refused that names a row which holds none."""
        try:
            return self._adapter.validate_json(row.document)
        except ValidationError as wrong:
            first = wrong.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the document"
            raise Refused(
                "RowUnreadable",
                f"row {row.key} of partition {row.partition} in the catalogue holds no "
                f"{self._kind.__name__}: {where}: {first['msg']}; whoever changed it by hand must "
                "correct it, or delete it",
            ) from wrong

    def row(self, partition: str, key: str, document: Document) -> Row:
        """Return an object as a row."""
        return Row(partition, key, self._adapter.dump_json(document).decode())

    def get(self, partition: str, key: str) -> Document | None:
        """Return the object under these keys, or None."""
        row = self.table.get(partition, key)
        return self.read(row) if row else None

    def query(
        self, partition: str, *, after: str = "", before: str = "", most: int | None = None
    ) -> list[Document]:
        """Return the objects of a partition in the order of their keys."""
        found = self.table.query(partition, after=after, before=before, most=most)
        return [self.read(row) for row in found]

    def change(
        self, partition: str, key: str, changed: Callable[[Document], Document | None]
    ) -> Document | None:
        """Change an object under its ETag; `changed` returns None to leave it as it is."""

        def change(row: Row) -> Row | None:
            wanted = changed(self.read(row))
            return None if wanted is None else replace(self.row(partition, key, wanted), etag=row.etag)

        row = self.table.change(partition, key, change)
        return self.read(row) if row else None
