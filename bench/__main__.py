"""Measures, prints a table, writes bench/results.json and bench/figures.md: python -m bench [module ...]

Each row has what was measured (name, value, unit), what is aimed at (aim, better), and in what circumstances:
the commit, and the load of the machine (its average of the last minute) before and after. Seconds of wall
time mean little without that load; counts and ratios hardly mind it.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

MODULES = (
    "imports",
    "package",
    "ranged_reads",
    "copying",
    "disk_sizes",
    "azcopy",
    "backups",
    "costs",
    "fleet",
    "catalogue",
    "merging",
)
ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results.json"
FIGURES = Path(__file__).parent / "figures.md"  # the same, for people


def main(wanted: list[str]) -> None:
    """Run the benches; those that were not asked for keep their last results."""
    unknown = set(wanted) - set(MODULES)
    if unknown:
        sys.exit(f"There is no bench {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}")
    rows: list[dict[str, Any]] = []
    for name in wanted or MODULES:
        sys.stderr.write(f"Measuring {name} ...\n")
        rows += _measured(name)
    known = json.loads(RESULTS.read_text()) if RESULTS.is_file() and wanted else []
    fresh = {row["name"] for row in rows}
    kept = [row for row in known if row["name"] not in fresh] + rows
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    FIGURES.write_text(figures(kept))
    sys.stdout.write(table(rows))


def _measured(name: str) -> list[dict[str, Any]]:
    """Return the rows of one bench, with the circumstances that they were measured in."""
    commit, before = _commit(), _load()
    rows = importlib.import_module(f"bench.{name}").measure()
    load = [before, _load()]
    return [{**row, "commit": commit, "load": load} for row in rows]


def _commit() -> str:
    """Return the commit that is measured, and say if its files are changed; the results are none of them."""
    command = ["git", "describe", "--always", "--abbrev=7", "--exclude=*"]
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!bench/results.json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return (asked.stdout.strip() or "unknown") + (" with changes" if changed.stdout else "")


def _load() -> float:
    return round(os.getloadavg()[0], 1)


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as text: what, how much, and how that stands to its aim."""
    width = max(len(row["name"]) for row in rows)
    lines = [f"{row['name']:{width}}  {row['value']:10.3f} {row['unit']:9} {_verdict(row)}" for row in rows]
    return "\n".join(lines) + "\n"


def figures(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a page in Markdown, with the commit and the load that each was measured at."""
    lines = [
        "# What was measured last",
        "",
        "Written by `make bench`; the load is the machine's average of the last minute, before and after.",
        "",
        "| what | found | aim | commit | load |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {row['name']} | {row['value']:.3f} {row['unit']} | {_verdict(row).removeprefix('aim: ')} "
            f"| {row['commit']} | {row['load'][0]} to {row['load'][1]} |"
            for row in rows
        ),
    ]
    return "\n".join(lines) + "\n"


def _verdict(row: dict[str, Any]) -> str:
    if row["aim"] is None:
        return ""
    is_met = row["value"] >= row["aim"] if row["better"] == "higher" else row["value"] <= row["aim"]
    bound = "at least" if row["better"] == "higher" else "at most"
    return f"aim: {bound} {row['aim']:g}, {'met' if is_met else 'missed'}"


if __name__ == "__main__":
    main(sys.argv[1:])
