"""azure.yaml and the workflows have the form that their readers ask for, and azure.yaml names what is there.

The schema of GitHub's workflows comes with check-jsonschema. That of azd is not part of it; ours has the
members that are used here and no others, so a misspelt one is found.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from infra.checks.bicep import below, entries, literal, parts
from infra.checks.project import Project
from infra.checks.results import Finding, Result, result

AZURE, WORKFLOWS = "azure.yaml", ".github/workflows"
_OURS = Path(__file__).parent / "azure.schema.json"
_LONGEST_SECONDS = 120


def check(project: Project) -> Result:
    """Apply the schemas, and compare azure.yaml with the Bicep."""
    workflows = sorted((project.root / WORKFLOWS).glob("*.y*ml"))
    findings = [*_azure(project), *_workflows(project, workflows)]
    return result("schemas", f"{AZURE}, {len(workflows)} workflows", findings)


def _azure(project: Project) -> Iterator[Finding]:
    try:
        azure = yaml.safe_load((project.root / AZURE).read_text())
    except FileNotFoundError:
        yield Finding(AZURE, 1, "this file is missing", "azd needs it")
        return
    except yaml.MarkedYAMLError as wrong:
        at = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
        yield Finding(AZURE, at, f"this is no YAML: {wrong.problem}", "correct what stands here or before")
        return
    faults = list(jsonschema.Draft202012Validator(json.loads(_OURS.read_text())).iter_errors(azure))
    for fault in faults:
        yield _fault(project, AZURE, fault.json_path, fault.message)
    if not faults:
        yield from _named(project, azure)


def _workflows(project: Project, files: list[Path]) -> Iterator[Finding]:
    if not files:
        return
    command = [sys.executable, "-m", "check_jsonschema", "--output-format", "json"]
    command += ["--builtin-schema", "vendor.github-workflows", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_SECONDS)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        told = {}
    faults = [*told.get("errors", ()), *told.get("parse_errors", ())]
    for fault in faults:
        message = (fault.get("best_match") or fault).get("message", "it cannot be read")
        yield _fault(project, project.name(Path(fault["filename"])), fault.get("path", "$"), message)
    if done.returncode and not faults:
        found = f"check-jsonschema has failed: {done.stderr.strip()[-200:]}"
        yield Finding(WORKFLOWS, 1, found, "run it by hand")


def _fault(project: Project, name: str, path: str, message: str) -> Finding:
    """Return what a schema says of a file; its line is that of the first member of that name."""
    member = path.rpartition(".")[2]
    at = project.line_of(name, f"{member}:") if "." in path else 1
    return Finding(name, at, f"{path}: {message}", "write it as the schema asks")


def _named(project: Project, azure: Any) -> Iterator[Finding]:
    """Compare what azure.yaml names with the file, the folder and the tag that it means."""
    main = f"{azure['infra']['path']}/{azure['infra']['module']}.bicep"
    if project.root / main not in project.bicep:
        at = project.line_of(AZURE, "module:")
        yield Finding(AZURE, at, f"there is no {main}", "name the folder and the file of the Bicep")
    tags = _service_tags(project)
    for name, service in azure["services"].items():
        at = project.line_of(AZURE, f"{name}:")
        if name not in tags:
            known = ", ".join(sorted(tags)) or "none"
            found = f"no resource has the tag azd-service-name {name!r}"
            yield Finding(AZURE, at, found, f"azd finds the app by it; the Bicep has: {known}")
        folder = service["project"]
        if not (project.app / folder / "host.json").is_file():
            yield Finding(
                AZURE, at, f"there is no function app in {folder!r}", "name the folder of host.json"
            )


def _service_tags(project: Project) -> set[str]:
    found = set()
    for file in project.parsed.values():
        for node in below(file.root):
            if node.type == "object" and parts(node):
                tag = entries(node).get("azd-service-name")
                found |= {literal(tag[1]) or ""} if tag else set()
    return found
