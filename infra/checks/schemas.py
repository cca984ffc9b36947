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
    findings: list[Finding] = []
    if not (project.root / AZURE).is_file():
        findings.append(Finding(AZURE, 1, "this file is missing", "azd needs it"))
    else:
        findings += _applied(project, ["--schemafile", str(_OURS)], [project.root / AZURE])
        findings += _named(project, yaml.safe_load((project.root / AZURE).read_text()))
    if workflows:
        findings += _applied(project, ["--builtin-schema", "vendor.github-workflows"], workflows)
    return result("schemas", f"{AZURE}, {len(workflows)} workflows", findings)


def _applied(project: Project, schema: list[str], files: list[Path]) -> Iterator[Finding]:
    command = [sys.executable, "-m", "check_jsonschema", "--output-format", "json", *schema, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_SECONDS)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        told = {"errors": [{"filename": str(files[0]), "path": "$", "message": done.stderr.strip()}]}
    for error in [*told.get("errors", ()), *told.get("parse_errors", ())]:
        path = error.get("path", "$")
        name = project.name(Path(error["filename"]))
        at = project.line_of(name, f"{path.rpartition('.')[2]}:") if path != "$" else 1
        message = (error.get("best_match") or error).get("message", "it cannot be read")
        yield Finding(name, at, f"{path}: {message}", "write it as the schema asks")
    if done.returncode and not (told.get("errors") or told.get("parse_errors")):
        yield Finding(
            project.name(files[0]), 1, done.stderr.strip() or "the schema was not applied", "see there"
        )


def _named(project: Project, azure: Any) -> Iterator[Finding]:
    """Compare what azure.yaml names with the file, the folder and the tag that it means."""
    if not isinstance(azure, dict):
        return
    infra = azure.get("infra") or {}
    main = f"{infra.get('path', 'infra')}/{infra.get('module', 'main')}.bicep"
    if project.root / main not in project.bicep:
        at = project.line_of(AZURE, "module:")
        yield Finding(AZURE, at, f"there is no {main}", "name the folder and the file of the Bicep")
    tags = _service_tags(project)
    for name, service in (azure.get("services") or {}).items():
        at = project.line_of(AZURE, f"{name}:")
        if name not in tags:
            known = ", ".join(sorted(tags)) or "none"
            found = f"no resource has the tag azd-service-name {name!r}"
            yield Finding(AZURE, at, found, f"azd finds the app by it; the Bicep has: {known}")
        folder = str((service or {}).get("project", ""))
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
