"""The workflows take nothing that can be exchanged under them, and no more rights than they use."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from infra.package.contents import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
PINNED = re.compile(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
SETTINGS = {
    "AZURE_CLIENT_ID": "11111111-2222-3333-4444-555555555555",
    "AZURE_TENANT_ID": "11111111-2222-3333-4444-555555555555",
    "AZURE_SUBSCRIPTION_ID": "11111111-2222-3333-4444-555555555555",
    "PARAMETERS": json.dumps(
        {"environmentName": {"value": "production"}, "location": {"value": "northeurope"}}
    ),
}

needs_jq = pytest.mark.skipif(not shutil.which("jq"), reason="the steps use jq, which GitHub's machines have")


def workflow(name):
    return yaml.safe_load((FOLDER / name).read_text())


def script(job, step):
    (found,) = [
        each["run"] for each in workflow("deploy.yml")["jobs"][job]["steps"] if each.get("name") == step
    ]
    return found


def bash(text, directory, **environ):
    """Run a step as GitHub does: bash -eo pipefail."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
        cwd=directory,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(path):
    """A tag can be moved to other code, a commit cannot."""
    lines = [line.strip().removeprefix("- ") for line in path.read_text().splitlines()]
    used = [line for line in lines if line.startswith("uses:") and "uses: ./" not in line]
    assert used
    assert [line for line in used if not PINNED.match(line)] == []


def test_one_action_is_one_commit_everywhere():
    pins: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for name, commit in re.findall(r"uses: ([\w./-]+)@(\w+)", path.read_text()):
            pins.setdefault(name, set()).add(commit)
    assert {name: commits for name, commits in pins.items() if len(commits) > 1} == {}


def test_only_jobs_that_sign_in_to_azure_may_ask_for_a_token():
    jobs = workflow("deploy.yml")["jobs"]
    assert workflow("deploy.yml")["permissions"] == {}
    for name, job in jobs.items():
        signs_in = any("azure/login@" in step.get("uses", "") for step in job.get("steps", []))
        assert ("id-token" in job["permissions"]) == signs_in, name
        assert "environment" in job or not signs_in, f"{name} would sign in without an approval to wait for"


def test_each_job_in_azure_has_an_identity_of_its_own():
    """An environment has its own AZURE_CLIENT_ID, and Azure trusts an identity for one environment."""
    jobs = workflow("deploy.yml")["jobs"]
    environments = [job["environment"] for job in jobs.values() if "environment" in job]
    assert len(set(environments)) == len(environments) == 3


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_workflow_knows_a_secret_or_may_write_to_the_repository(path):
    text = path.read_text()
    assert "secrets." not in text
    assert not re.search(r"contents: write|write-all|pull_request_target", text)


def test_the_tests_run_on_every_version_that_may_be_deployed():
    tested = set(workflow("test.yml")["jobs"]["code"]["strategy"]["matrix"]["python"])
    bicep = (ROOT / "infra" / "main.bicep").read_text()
    allowed, default = re.search(
        r"@allowed\(\[([^\]]+)\]\)\n(?:@.*\n)*param pythonVersion string = '([\d.]+)'", bicep
    ).groups()
    assert tested == set(re.findall(r"[\d.]+", allowed))
    assert f"|| '{default}'" in workflow("deploy.yml")["jobs"]["package"]["env"]["VERSION"]


@needs_jq
def test_what_is_set_is_accepted(tmp_path):
    assert bash(script("preview", "See that everything is set"), tmp_path, **SETTINGS).returncode == 0


@needs_jq
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        *(({name: ""}, f"{name} is not set") for name in SETTINGS),
        ({"PARAMETERS": '{"location": {"value": "x"}}'}, "TIDEMARK_PARAMETERS has no environmentName"),
        ({"PARAMETERS": '{"environmentName": {"value": "x"}, "location": {"value": ""}}'}, "has no location"),
    ],
)
def test_what_is_missing_is_named(tmp_path, changed, told):
    done = bash(script("preview", "See that everything is set"), tmp_path, **{**SETTINGS, **changed})
    assert done.returncode == 1
    assert told in done.stdout


OUTPUTS = {  # the case of these names is not as in the Bicep: Azure changes it
    "azurE_FUNCTION_NAME": {"type": "String", "value": "app-1"},
    "azurE_RESOURCE_GROUP": {"type": "String", "value": "tidemark-production"},
    "tidemarK_SIGN_IN": {"type": "String", "value": "Sign-in is not configured"},
}


@needs_jq
@pytest.mark.parametrize("missing", [None, "azurE_FUNCTION_NAME", "azurE_RESOURCE_GROUP"])
def test_the_name_of_the_app_comes_from_the_deployment(tmp_path, missing):
    text = script("provision", "Deploy infra/main.bicep")
    text = text[text.index("jq --raw-output 'to_entries[]") :]  # what follows the deployment itself
    (tmp_path / "outputs.json").write_text(json.dumps({k: v for k, v in OUTPUTS.items() if k != missing}))
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    done = bash(text, tmp_path, **files)
    assert (done.returncode == 0) == (missing is None)
    if missing is None:
        assert (tmp_path / "GITHUB_OUTPUT").read_text() == "app=app-1\ngroup=tidemark-production\n"
        assert "Sign-in is not configured" in (tmp_path / "GITHUB_STEP_SUMMARY").read_text()
