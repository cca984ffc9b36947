"""Modules get what they need and give what is read of them."""

from __future__ import annotations

import pytest

from infra.checks import modules

MODULE = """param name string
param size int = 1
param tags object?
output id string = '${name}${size}${tags}'
"""
PARAMETERS = '{"parameters": {}}'


@pytest.fixture(autouse=True)
def parameters(small):
    small.write("main.parameters.json", PARAMETERS)
    small.write("part.bicep", MODULE)


def module(params: str, more: str = "") -> str:
    return f"module part 'part.bicep' = {{\n  name: 'x'\n  params: {{\n    {params}\n  }}\n}}\n{more}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (module(""), "1: module 'part' is not given the parameter 'name' of infra/part.bicep"),
        (module("name: 'a'\n    siz: 2"), "5: infra/part.bicep has no parameter 'siz'"),
        (module("name: 2"), "4: parameter 'name' of infra/part.bicep is string, and int is given"),
        (
            module("name: 'a'\n    tags: 'b'"),
            "5: parameter 'tags' of infra/part.bicep is object?, and string",
        ),
        (
            module("name: 'a'", "output x string = part.outputs.ID\n"),
            "7: infra/part.bicep has no output 'ID'",
        ),
        (
            "module part 'part.bicep' = [for one in []: if (one) {\n  name: 'x'\n  params: {}\n}]\n",
            "1: module 'part' is not given the parameter 'name'",
        ),
        (
            "module part 'part.bicep' = [for one in []: {\n  name: 'x'\n  params: { name: one }\n}]\n"
            "output x string = part[0].outputs.key\n",
            "5: infra/part.bicep has no output 'key'",
        ),
        (
            module("name: 'a'") + "module b 'gone.bicep' = { name: 'y' }\n",
            "7: there is no module file 'gone.bicep'",
        ),
        (
            "var given = {}\nmodule part 'part.bicep' = {\n  name: 'x'\n  params: union(given, {})\n}\n",
            "4: the parameters of module 'part' cannot be read here",
        ),
        (
            module("name: needed") + "param needed string\n",
            "7: the parameter 'needed' has neither a default nor",
        ),
    ],
)
def test_what_does_not_fit_is_found(small, text, found):
    [told] = small.found(modules.check, text)
    assert told.startswith(f"infra/main.bicep:{found}"), told


def test_what_fits_is_not_found(small):
    text = module("name: 'a'\n    size: 2", "output x string = part.outputs.id\n")
    assert small.found(modules.check, text) == []


def test_a_file_that_nobody_deploys_is_found(small):
    assert small.found(modules.check, "output x string = 'a'\n") == [
        "infra/part.bicep:1: no other file deploys this one; remove it, or deploy it as a module"
    ]


def test_a_parameter_that_only_the_parameter_file_knows_is_found(small):
    small.write("main.parameters.json", '{"parameters": {\n"nam": {"value": 1}}}')
    told = small.found(modules.check, module("name: 'a'"))
    assert told == [
        "infra/main.parameters.json:2: infra/main.bicep has no parameter 'nam'; remove it or correct its name"
    ]


def test_the_modules_of_what_is_deployed_fit(planted):
    assert planted.findings(modules.check) == ()


def test_a_parameter_that_is_not_given_any_more_is_found(planted):
    planted.change("infra/main.bicep", "    retentionDays: logRetentionDays\n", "")
    [finding] = planted.findings(modules.check)
    assert "is not given the parameter 'retentionDays' of infra/monitoring.bicep" in finding.found


def test_a_misspelt_parameter_is_found_both_ways(planted):
    line = planted.change("infra/main.bicep", "    retentionDays: log", "    retentonDays: log")
    found = {(finding.line, finding.found) for finding in planted.findings(modules.check)}
    assert (line, "infra/monitoring.bicep has no parameter 'retentonDays'") in found
    assert len(found) == 2


def test_an_output_that_a_module_has_under_another_name_is_found(planted):
    planted.change("infra/monitoring.bicep", "output workspaceName ", "output workspaceNamed ")
    [finding] = planted.findings(modules.check)
    assert finding.found == "infra/monitoring.bicep has no output 'workspaceName'"
