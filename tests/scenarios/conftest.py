"""One world per test."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Accounts
from tests.paged_world import AT_ONCE, PagedWorld
from tests.secrets_check import assert_no_secrets
from tests.world import World


@pytest.fixture
def world(tmp_path: Path, accounts: Accounts) -> Iterator[World]:
    """A cloud with two locations, and Tidemark running beside it; afterwards every history replays."""
    made = World(tmp_path, accounts)
    try:
        yield made
        made.assert_histories_replay()
    finally:
        made.close()


@pytest.fixture
def paged(tmp_path: Path, accounts: Accounts, caplog: pytest.LogCaptureFixture) -> Iterator[PagedWorld]:
    """A world with a location of page blobs; afterwards every history replays, and no secret is left."""
    caplog.set_level(logging.INFO, logger="tidemark")
    made = PagedWorld(tmp_path, accounts, tempo=AT_ONCE)
    try:
        yield made
        made.assert_histories_replay()
        assert_no_secrets(made, caplog.text)
    finally:
        made.close()
