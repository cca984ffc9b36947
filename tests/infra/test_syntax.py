"""What has no form is found with its line."""

from __future__ import annotations

from infra.checks import syntax
from infra.checks.project import Project


def test_what_is_deployed_has_the_form_of_bicep(planted):
    assert planted.findings(syntax.check) == ()


def test_a_brace_that_is_missing_is_found(planted):
    planted.change("infra/identities.bicep", "}\n", "\n")
    findings = planted.findings(syntax.check)
    assert {finding.file for finding in findings} == {"infra/identities.bicep"}


def test_the_line_of_what_is_no_bicep_is_told(small):
    told = small.found(syntax.check, "param name string\n\nparam = 'x'\n")
    assert told[0] == 'infra/main.bicep:3: this is no Bicep: "= \'"; correct what stands here or right before'


def test_what_is_missing_is_named(small):
    [told] = small.found(syntax.check, "var a = [for x in y: {}\n")
    assert told.startswith("infra/main.bicep:1: ']' is missing; ")


def test_a_project_without_bicep_is_not_well(small):
    (small.root / "infra/main.bicep").unlink(missing_ok=True)
    [finding] = syntax.check(Project(small.root)).findings
    assert "there is no Bicep file" in finding.found


def test_an_empty_file_is_found(small):
    assert small.found(syntax.check, "\n") == ["infra/main.bicep:1: the file is empty; remove it"]
