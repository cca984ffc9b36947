"""Runs checkov over a folder of Bicep files and prints what it came to, as JSON.

This runs in checkov's own environment and imports nothing of ours. It asks checkov's library and not its
command, which says neither which files it could not read nor which resources it has seen.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import checkov.arm.runner  # noqa: F401  # brings most of the rules: those of Bicep's templates hold for Bicep
from checkov.bicep.runner import Runner
from checkov.runner_filter import RunnerFilter


def run(folder: Path) -> dict[str, object]:
    """Return the resources that were seen, by file, the rules that failed, and how many held."""
    runner = Runner()
    report = runner.run(root_folder=str(folder), runner_filter=RunnerFilter(framework=["bicep"]))
    seen = {Path(file).name: sorted(each.get("resources", {})) for file, each in runner.definitions.items()}
    failed = [
        {
            "rule": each.check_id,
            "title": each.check_name,
            "file": Path(each.file_path).name,
            "line": each.file_line_range[0],
            "resource": each.resource,
        }
        for each in report.failed_checks
    ]
    return {"seen": seen, "failed": failed, "passed": len(report.passed_checks)}


if __name__ == "__main__":
    json.dump(run(Path(sys.argv[1])), sys.stdout)
