"""Measures, prints a table, writes bench/results.json: python -m bench [module ...]"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

MODULES = ("imports", "ranged_reads", "backups", "costs", "fleet", "catalogue")
RESULTS = Path(__file__).parent / "results.json"


def main(wanted: list[str]) -> None:
    """Run the benches; those that were not asked for keep their last results."""
    unknown = set(wanted) - set(MODULES)
    if unknown:
        sys.exit(f"There is no bench {', '.join(sorted(unknown))}; there are {', '.join(MODULES)}")
    rows: list[dict[str, Any]] = []
    for name in wanted or MODULES:
        sys.stderr.write(f"Measuring {name} ...\n")
        rows += importlib.import_module(f"bench.{name}").measure()
    known = json.loads(RESULTS.read_text()) if RESULTS.is_file() and wanted else []
    fresh = {row["name"] for row in rows}
    RESULTS.write_text(json.dumps([row for row in known if row["name"] not in fresh] + rows, indent=1) + "\n")
    sys.stdout.write(table(rows))


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as text: what, how much, and how that stands to its aim."""
    width = max(len(row["name"]) for row in rows)
    lines = [f"{row['name']:{width}}  {row['value']:10.3f} {row['unit']:9} {_verdict(row)}" for row in rows]
    return "\n".join(lines) + "\n"


def _verdict(row: dict[str, Any]) -> str:
    if row["aim"] is None:
        return ""
    is_met = row["value"] >= row["aim"] if row["better"] == "higher" else row["value"] <= row["aim"]
    bound = "at least" if row["better"] == "higher" else "at most"
    return f"aim: {bound} {row['aim']:g}, {'met' if is_met else 'missed'}"


if __name__ == "__main__":
    main(sys.argv[1:])
