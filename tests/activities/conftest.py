"""The steps are called in a world of their own, in which nothing begins by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Accounts
from tests.world import World


@pytest.fixture
def world(tmp_path: Path, accounts: Accounts) -> Iterator[World]:
    """A cloud with three locations, and a host whose timers stand still: the tests alone take the steps."""
    made = World(tmp_path, accounts, has_timers=False)
    try:
        yield made
    finally:
        made.close()
