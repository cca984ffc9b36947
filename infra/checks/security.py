"""checkov's security rules hold, but for those skipped with a reason, and it has seen every resource.

checkov ends well on a file that it cannot read: it says nothing and looks at nothing there. So what it has
seen is compared with what there is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.checks.bicep import line
from infra.checks.project import Project
from infra.checks.results import Finding, Result, result

HERE = Path(__file__).parent
SKIPPED = HERE / "skipped.yaml"
PYTHON = (
    Path(sys.prefix) / "checkov/bin/python"
)  # an environment inside the project's own, made by `make check`
_MADE_BY = "install it as `make check` does"
_LONGEST_SECONDS = 300


def check(project: Project) -> Result:
    """Run checkov and judge what it came to."""
    if not PYTHON.exists():
        return result("security", "0 rules", [Finding("infra", 1, "checkov is not installed", _MADE_BY)])
    try:
        told = run(project.root / "infra")
    except subprocess.CalledProcessError as failed:
        last = (failed.stderr.strip().splitlines() or ["it says nothing"])[-1]
        return result("security", "0 rules", [Finding("infra", 1, f"checkov has failed: {last}", _MADE_BY)])
    return judged(project, told, yaml.safe_load(SKIPPED.read_text()))


def run(folder: Path) -> Any:
    """Return what checkov says of a folder; raises CalledProcessError if it fails."""
    command = [str(PYTHON), str(HERE / "checkov_run.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_LONGEST_SECONDS)
    return json.loads(done.stdout)


def judged(project: Project, told: Any, skipped: Mapping[str, Any]) -> Result:
    """Return what is wrong: rules that fail, reasons for rules that hold, what was not seen."""
    findings = [
        *_unseen(project, told["seen"]),
        *_failed(told["failed"], skipped),
        *_idle(told["failed"], skipped),
    ]
    seen = sum(len(each) for each in told["seen"].values())
    rules = len(told["failed"]) + told["passed"]
    if not rules:
        findings.append(Finding("infra", 1, "checkov has tried no rule at all", _MADE_BY))
    skips = sum(len(each["resources"]) for each in skipped.values())
    return result("security", f"{rules} rules of checkov on {seen} resources, {skips} skipped", findings)


def _unseen(project: Project, seen: Mapping[str, list[str]]) -> Iterator[Finding]:
    for path, file in project.bicep.items():
        if path.name not in seen:
            advice = "write it in the part of Bicep that checkov's parser knows"
            yield Finding(file.name, 1, "checkov cannot read this file, and says nothing of it", advice)
            continue
        for name, resource in file.resources.items():
            if name not in seen[path.name]:
                found = f"checkov has not seen the resource {name!r}"
                yield Finding(file.name, line(resource.node), found, "declare it at the top of the file")


def _failed(failed: list[dict[str, Any]], skipped: Mapping[str, Any]) -> Iterator[Finding]:
    for each in failed:
        if each["resource"] not in skipped.get(each["rule"], {}).get("resources", ()):
            found = f"{each['resource']}: {each['rule']} {each['title']}"
            advice = "do so, or skip the rule there with a reason in infra/checks/skipped.yaml"
            yield Finding(f"infra/{each['file']}", each["line"], found, advice)


def _idle(failed: list[dict[str, Any]], skipped: Mapping[str, Any]) -> Iterator[Finding]:
    needed = {(each["rule"], each["resource"]) for each in failed}
    lines = SKIPPED.read_text().splitlines()
    for rule, skip in skipped.items():
        at = next((number for number, line in enumerate(lines, 1) if line.startswith(rule)), 1)
        if not str(skip.get("because", "")).strip():
            yield Finding("infra/checks/skipped.yaml", at, f"{rule} is skipped without a reason", "give one")
        for resource in skip["resources"]:
            if (rule, resource) not in needed:
                found = f"{rule} is skipped on {resource}, where it holds"
                yield Finding("infra/checks/skipped.yaml", at, found, "remove it from the list there")
