"""Finds out which version of the C library compiled modules need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_SYMBOL_VERSION = re.compile(rb"GLIBC_(\d+)\.(\d+)")


def needed(module: Path) -> tuple[int, int]:
    """Return the newest version of glibc that a shared library asks for; (0, 0) if it asks for none.

    The loader compares names like GLIBC_2.17, which an ELF file keeps as plain text (.gnu.version_r points
    into .dynstr). So all such text in the file is looked at: that finds what the loader finds, or more.
    """
    found = _SYMBOL_VERSION.findall(module.read_bytes())
    return max(((int(major), int(minor)) for major, minor in found), default=(0, 0))


def shared_libraries(directory: Path) -> Iterator[Path]:
    """Yield every ELF file below the directory, whatever its name is."""
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            with path.open("rb") as opened:
                if opened.read(4) == b"\x7fELF":
                    yield path
