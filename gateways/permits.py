"""The places that there are in a pool, such as for copies at a time, as rows: a row is one place taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from domain.copy_queues import MOST_COPIES, Permit
from gateways.documents import Documents
from gateways.tables import Row

_PAUSE = "pause"


class Permits(Documents[Permit]):
    """Table `permits`: a partition holds the places of one pool.

    It is given back under the ETag it was taken with, or by the attempt it was taken for: a step that comes
    late, or for the second time, never takes it from the attempt that has it by then. While the row
    `pause` is there and its time is not over, nobody gets a place who has none.
    """

    def take(self, pool: str, permit: Permit, now: datetime, most: int = MOST_COPIES) -> Row | None:
        """Take one of `most` places, or renew the holder's; return its row, None if all are taken.

        A place whose time is over is free: whoever held it has died.
        """
        rows = {row.key: row for row in self.table.query(pool)}
        held = {number: self.read(row) for number, row in rows.items()}
        for number, known in held.items():
            if known.holder == permit.holder:
                return self._renewed(pool, number, permit)
        for number, known in held.items():
            if known.expires <= now:
                self.table.delete(rows[number])
        if _PAUSE in held and held[_PAUSE].expires > now:
            return None
        return next(self._taken(pool, permit, held, now, most), None)

    def give_back(self, taken: Row) -> None:
        """Free a place, unless it was renewed or taken by another one since."""
        self.table.delete(taken)

    def give_back_after(self, pool: str, holder: str, attempt: int) -> None:
        """Free the place of a holder whose attempt is over; one that a later attempt has stays."""
        for row in self.table.query(pool):
            known = self.read(row)
            if known.holder == holder and known.attempt <= attempt:
                self.table.delete(row)

    def pause(self, pool: str, reason: str, until: datetime) -> None:
        """Give no new places until a moment."""
        self.table.put(self.row(pool, _PAUSE, Permit(reason, until)))

    def _renewed(self, pool: str, number: str, permit: Permit) -> Row | None:
        """Renew a place; None where it was given back meanwhile, and perhaps taken by another holder."""

        def renewed(row: Row) -> Row | None:
            known = self.read(row)
            if known.holder != permit.holder:
                return None
            newer = replace(permit, attempt=max(permit.attempt, known.attempt))
            return replace(self.row(pool, number, newer), etag=row.etag)

        row = self.table.change(pool, number, renewed)
        return row if row and self.read(row).holder == permit.holder else None

    def _taken(
        self, pool: str, permit: Permit, held: Mapping[str, Permit], now: datetime, most: int
    ) -> Iterator[Row]:
        for place in range(most):
            number = f"{place:02d}"
            is_free = number not in held or held[number].expires <= now
            if is_free and (row := self.table.add(self.row(pool, number, permit))):
                yield row
