"""The steps are called in a world of their own, in which nothing begins by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Accounts
from tests.paged_world import AT_ONCE, PagedWorld
from tests.world import World


@pytest.fixture
def world(tmp_path: Path, accounts: Accounts) -> Iterator[World]:
    """A cloud with three locations, and a host whose timers stand still: the tests alone take the steps."""
    with closing(World(tmp_path, accounts, has_timers=False)) as made:
        yield made


@pytest.fixture
def paged(tmp_path: Path, accounts: Accounts) -> Iterator[PagedWorld]:
    """The same with a vault of page blobs."""
    with closing(PagedWorld(tmp_path, accounts, tempo=AT_ONCE, has_timers=False)) as made:
        yield made
