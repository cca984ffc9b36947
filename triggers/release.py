"""Which release this is, and where its API lives."""

from __future__ import annotations

VERSION = "0.1.0"  # pyproject.toml says the same; it is not deployed, this is
PREFIX = "/api/v1"  # host.json says the same to the host


def path_of(*parts: str) -> str:
    """Return the path of something that the API answers to: path_of("operations", id)."""
    return "/".join((PREFIX, *parts))
