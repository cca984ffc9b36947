"""The function app, loaded once for all tests of a process: what is registered never changes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from local_host.app import LoadedApp, load_app

ROOT = Path(__file__).parent.parent


def tidemark() -> LoadedApp:
    """Return the app; a test may put other functions into what it gets."""
    return replace(_loaded())


@cache
def _loaded() -> LoadedApp:
    return load_app(ROOT)
