"""Command line: see infra/package/__init__.py, or --help."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.package import archive, libraries

_FOREIGN = (
    "The libraries of this machine do not run in Azure: pack on Linux with glibc on x86-64, "
    "or let Azure install them (azd deploy does)."
)


def main() -> None:
    """Do what the command line asks for."""
    options = _parser().parse_args()
    if options.command == "libraries":
        libraries.install(options.directory)
    elif not libraries.fits_the_image():
        sys.exit(_FOREIGN)
    else:
        archive.build(options.file, options.directory)
        megabytes = options.file.stat().st_size / 1e6
        sys.stdout.write(f"{options.file}: {megabytes:.1f} MB, for Python {libraries.PYTHON}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.package")
    commands = parser.add_subparsers(dest="command", required=True)
    install = commands.add_parser("libraries", help="install what requirements.txt asks for")
    install.add_argument("directory", type=Path, help="where to; what is there is replaced")
    pack = commands.add_parser("zip", help="pack the app with its libraries")
    pack.add_argument("file", type=Path, help="the zip to write")
    pack.add_argument("directory", type=Path, help="where the libraries were installed")
    return parser


if __name__ == "__main__":
    main()
