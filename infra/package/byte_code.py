"""Compiles Python files ahead of time, for a place where nothing can be written beside them.

The package is mounted read-only in Azure: without byte code in it, every cold start compiles all that it
imports (`make bench` shows what that costs). Zip and upload do not keep the time of a file, by which Python
usually tells whether byte code is stale, so this byte code is trusted as it is (PEP 552: unchecked hash). It
is made with the file it belongs to, and a Python of another version than the one that wrote it ignores it.
"""

from __future__ import annotations

import compileall
import os
from pathlib import Path
from py_compile import PycInvalidationMode


def compile_all(directory: Path) -> None:
    """Write the byte code of every Python file below the directory, with paths as in the package.

    Files that are no valid Python are left alone: some libraries ship templates and broken examples.
    """
    compileall.compile_dir(
        str(directory),
        maxlevels=50,
        quiet=2,
        workers=os.cpu_count() or 1,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        stripdir=str(directory),
    )
