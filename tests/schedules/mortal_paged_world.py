"""A mortal world with a location of page blobs: its bulk bytes hang by the lifeline, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

from activities import batches, blob_restores, page_copies, verifications
from gateways.page_comparisons import PageComparison
from gateways.page_transfers import PageTransfer
from tests.paged_world import VAULT, PagedWorld
from tests.schedules.ledger import CELL
from tests.schedules.mortal_world import MortalWorld
from tests.world import MIB

WINDOW_BYTES = 32 * MIB  # so that a copy of a small disk takes some batches
# Together and apart, in the middle of a window of a copy and on both sides of the end of one, and at the end.
CELLS = (0, CELL, 17 * MIB, 32 * MIB - CELL, 32 * MIB, 64 * MIB - CELL)


@dataclass
class MortalPagedWorld(MortalWorld, PagedWorld):
    """A world that hangs by a lifeline, with a vault; `are_imported` tells how disks come back from there."""

    cells: tuple[int, ...] = CELLS
    are_imported: bool = True

    def _told(self) -> dict[str, Any]:
        told = super()._told()
        if not self.are_imported:
            del told["locations"][VAULT]["account"]
        return told


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let bulk bytes go over one connection, so that a schedule takes the same course each time; and let
    batches be short."""
    single: tuple[tuple[Any, str, Any], ...] = (
        (page_copies, "PageTransfer", partial(PageTransfer, connections=1)),
        (blob_restores, "PageTransfer", partial(PageTransfer, connections=1)),
        (verifications, "PageComparison", partial(PageComparison, connections=1)),
        (batches, "WINDOW_BYTES", WINDOW_BYTES),
        (batches, "MOST_WINDOWS", 1),
    )
    with ExitStack() as stack:
        for module, name, value in single:
            stack.enter_context(patch.object(module, name, value))
        yield
