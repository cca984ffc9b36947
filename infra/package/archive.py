"""Packs the app as Azure Functions wants it: host.json at the top, the libraries in a fixed place."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from infra.package.byte_code import compile_all
from infra.package.contents import ROOT, files

LIBRARIES = Path(".python_packages/lib/site-packages")
"""Where the Python worker looks for libraries in a package that was not built in Azure."""
_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can tell: the same files make the same zip


def build(file: Path, libraries: Path | None = None, *, root: Path = ROOT, rules: str | None = None) -> None:
    """Write the zip of the app at `root`, with byte code, and with the libraries if they are given.

    `rules` stand in for .funcignore.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as staged:
        app = Path(staged)
        for name in files(root, rules):
            (app / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, app / name)
        compile_all(app)
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            _add(archive, app, Path())
            if libraries:
                _add(archive, libraries, LIBRARIES)


def _add(archive: ZipFile, directory: Path, place: Path) -> None:
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        entry = ZipInfo((place / path.relative_to(directory)).as_posix(), _TIME)
        entry.compress_type = ZIP_DEFLATED
        entry.external_attr = 0o644 << 16  # readable to whichever user the host runs as
        archive.writestr(entry, path.read_bytes())
