"""azure.yaml and the workflows are held to schemas, and azure.yaml to what it names."""

from __future__ import annotations

import pytest

from infra.checks import schemas

WORKFLOW = """name: tests
on: push
jobs:
  tests:
    runs-on: ubuntu-latest
    steps:
      - run: make test
"""


def told(planted):
    return [str(finding) for finding in planted.findings(schemas.check)]


@pytest.fixture
def workflow(planted):
    folder = planted.project.root / ".github/workflows"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "planted.yml").write_text(WORKFLOW)
    return planted


def test_what_is_there_has_the_form_that_is_asked_for(workflow):
    assert told(workflow) == []


def test_a_misspelt_member_of_a_workflow_is_found_in_its_file(workflow):
    workflow.change(".github/workflows/planted.yml", "runs-on:", "run-on:")
    assert any(line.startswith(".github/workflows/planted.yml:") for line in told(workflow))


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("    host: function\n", "    hots: function\n", "hots"),
        (
            "    host: function\n",
            "    host: containerapp\n",
            "services.tidemark.host: 'function' was expected",
        ),
        ("  module: main\n", "  module: mian\n", "there is no infra/mian.bicep"),
        ("  tidemark: #", "  app: #", "no resource has the tag azd-service-name 'app'"),
        ("    project: .\n", "    project: src\n", "there is no function app in 'src'"),
        ("  path: infra\n", "  path: [\n", "this is no YAML: "),
    ],
)
def test_what_is_wrong_in_azure_yaml_is_found(planted, old, new, found):
    planted.change("azure.yaml", old, new)
    assert any(found in line for line in told(planted)), told(planted)


def test_azure_yaml_must_be_there(planted):
    (planted.project.root / "azure.yaml").unlink()
    assert told(planted) == ["azure.yaml:1: this file is missing; azd needs it"]
