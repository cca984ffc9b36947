"""What the tests of the HTTP API may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Accounts
from tests.triggers.harness import Api


@pytest.fixture
def api(tmp_path: Path, accounts: Accounts) -> Iterator[Api]:
    """The API of an app with an empty catalogue, beside an empty cloud."""
    app = Api(tmp_path, accounts)
    yield app
    app.close()
