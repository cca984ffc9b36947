"""Runs every check, tells what was found and what was looked at; ends with status 1 if anything is wrong."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from infra.checks import (
    alerts,
    app_settings,
    deploying,
    functions_host,
    lengths,
    loaded_files,
    modules,
    names,
    resource_types,
    roles,
    schemas,
    security,
    syntax,
)
from infra.checks.project import ROOT, Project
from infra.checks.results import Result

CHECKS: Sequence[Callable[[Project], Result]] = (
    syntax.check,
    names.check,
    modules.check,
    loaded_files.check,
    lengths.check,
    deploying.check,
    app_settings.check,
    functions_host.check,
    roles.check,
    alerts.check,
    schemas.check,
    security.check,
    resource_types.check,
)


def run(project: Project) -> list[Result]:
    """Return what every check came to."""
    return [check(project) for check in CHECKS]


def report(results: Sequence[Result]) -> str:
    """Return all findings, one a line, and what was looked at."""
    lines = [str(finding) for each in results for finding in each.findings]
    done = [f"{each.name} ({each.looked_at})" for each in results if each.has_looked]
    left = [f"{each.name} ({each.looked_at})" for each in results if not each.has_looked]
    lines.append(f"infra: looked at {', '.join(done)}.")
    if left:
        lines.append(f"infra: did not look at {', '.join(left)}.")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the project in `--root`; return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m infra.checks", description=__doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="another checkout than this one")
    parser.add_argument(
        "--resource-types",
        type=Path,
        default=os.environ.get("TIDEMARK_RESOURCE_TYPES"),
        help="a folder of Azure/bicep-types-az (also: the variable TIDEMARK_RESOURCE_TYPES)",
    )
    given = parser.parse_args(arguments)
    types = Path(given.resource_types) if given.resource_types else None
    results = run(Project(given.root.resolve(), resource_types=types))
    sys.stdout.write(f"{report(results)}\n")
    return int(any(each.has_failed for each in results))


if __name__ == "__main__":
    sys.exit(main())
