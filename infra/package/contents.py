"""Which files of the project are the app: all but those that .funcignore names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

ROOT = Path(__file__).resolve().parent.parent.parent
RULES = ROOT / ".funcignore"


def files(root: Path = ROOT, rules: str | None = None) -> list[Path]:
    """Return the app's files below `root`, relative to it and in order.

    `rules` has gitignore syntax; without it, they are those of .funcignore. As for func and azd, .gitignore
    says nothing here: what is ignored by git alone would be uploaded.
    """
    spec = GitIgnoreSpec.from_lines((RULES.read_text() if rules is None else rules).splitlines())
    return sorted(_kept(root, spec))


def _kept(root: Path, spec: GitIgnoreSpec) -> Iterator[Path]:
    for directory, folders, names in os.walk(root):
        here = Path(directory).relative_to(root)
        folders[:] = [folder for folder in folders if not spec.match_file(f"{(here / folder).as_posix()}/")]
        yield from (here / name for name in names if not spec.match_file((here / name).as_posix()))
