"""The function app, loaded once for all tests of a process: what is registered never changes."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from local_host.app import LoadedApp, load_app

ROOT = Path(__file__).parent.parent
SETTINGS = {
    "TIDEMARK_CATALOGUE": "https://catalogue.table.core.windows.net",
    "TIDEMARK_DEVELOPMENT_TOKEN": "no identity signs in",
}


def tidemark() -> LoadedApp:
    """Return the app; a test may put other functions into what it gets."""
    return replace(_loaded())


@cache
def _loaded() -> LoadedApp:
    # Whoever opens a world has set its own before, and connects to it after.
    with pytest.MonkeyPatch.context() as environment:
        for name, value in SETTINGS.items():
            environment.setenv(name, os.environ.get(name, value))
        return load_app(ROOT)
