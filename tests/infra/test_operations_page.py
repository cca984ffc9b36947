"""What docs/operations.md says in tables is what is deployed, and its links lead somewhere."""

from __future__ import annotations

import json
import re

import pytest

from infra.checks.bicep import line, literal, text
from infra.checks.project import ROOT, Project

PAGE = ROOT / "docs/operations.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ALERTS = json.loads((ROOT / "infra/alerts.json").read_text())
ROLES = json.loads((ROOT / "infra/roles.json").read_text())
MAIN = Project().bicep[ROOT / "infra/main.bicep"]
GIVEN = json.loads((ROOT / "infra/main.parameters.json").read_text())["parameters"]


def rows() -> list[list[str]]:
    """The cells of every row of every table."""
    lines = [each for each in PAGE.read_text().splitlines() if each.startswith("|")]
    return [[cell.strip() for cell in each.strip("|").split("|")] for each in lines]


def described(name: str) -> str:
    """The description that stands above a parameter in main.bicep."""
    lines = MAIN.path.read_text().splitlines()[: line(MAIN.parameters[name].node) - 1]
    found = [re.fullmatch(r"@description\('(.*)'\)", each) for each in lines]
    return next(each[1] for each in reversed(found) if each)


def default(name: str) -> str:
    value = MAIN.parameters[name].value
    if value is None:
        return "required"
    written = literal(value) if value.type == "string" else text(value)
    return f"`{written}`" if written else "none"


def test_every_parameter_of_the_deployment_is_in_the_table_as_it_is():
    told = {row[0]: row[1:] for row in rows() if len(row) == 4}
    expected = {
        f"`{name}`": [f"`{GIVEN[name]['value'].strip('${}')}`", described(name), default(name)]
        for name in MAIN.parameters
    }
    assert {name: cells for name, cells in told.items() if name in expected} == expected


def test_every_alert_is_in_the_table_as_it_is():
    told = [row for row in rows() if "](alerts/" in row[0]]
    assert told == [
        [f"[`{name}`](alerts/{name}.md)", str(alert["severity"]), alert["meaning"]]
        for name, alert in ALERTS.items()
    ]


def test_every_role_is_in_the_table_with_its_actions():
    told = [row for row in rows() if row[0].startswith("Tidemark ")]
    assert told == [
        [
            role["title"] + (" (only with `allowVmRestore`)" if role["optIn"] else ""),
            role["where"].replace("_", " "),
            ", ".join(
                re.sub("^Microsoft.Storage/storageAccounts", "…", action).removeprefix("Microsoft.")
                for action in [*role["actions"], *role["dataActions"]]
            ),
        ]
        for role in ROLES.values()
    ]


def anchors(page: str) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_page_here_leads_to_it(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        page = (path.parent / name).resolve() if name else path
        assert page.exists(), f"{target}: there is no such file"
        assert not anchor or anchor in anchors(page.read_text()), f"{target}: there is no such heading"


def test_what_is_to_be_set_or_read_by_name_exists():
    told = "\n".join(path.read_text() for path in PAGES)
    settable = {each["value"].strip("${}") for each in GIVEN.values()}
    assert set(re.findall(r"azd env set (\w+)", told)) <= settable
    assert set(re.findall(r"azd env get-value (\w+)", told)) <= MAIN.outputs.keys()
    assert set(re.findall(r"<([A-Z]+_[A-Z_]+)[ >]", PAGE.read_text())) <= MAIN.outputs.keys()


def test_nobody_is_told_to_run_what_is_refused():
    """`azd down` would delete the groups of snapshots: azure.yaml refuses it."""
    assert "predown" in (ROOT / "azure.yaml").read_text()
    commands = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(commands) > 5
    assert not [each for each in commands if "azd down" in each]


def test_what_azd_writes_down_of_a_deployment_is_no_parameter_of_the_next_one():
    """azd keeps outputs beside what is set by hand, under their names."""
    assert MAIN.outputs.keys() & {each["value"].strip("${}") for each in GIVEN.values()} <= {"AZURE_LOCATION"}
