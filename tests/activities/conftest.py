"""The steps are called in a world of their own."""

from tests.scenarios.conftest import world

__all__ = ["world"]
