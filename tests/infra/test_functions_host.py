"""The host gets its settings and roles, nothing that Flex Consumption refuses, and no key."""

from __future__ import annotations

import pytest

from infra.checks import functions_host

FILE = "infra/app-settings.bicep"


def told(planted):
    return [str(finding) for finding in planted.findings(functions_host.check)]


def test_the_host_gets_what_it_needs(planted):
    assert told(planted) == []


@pytest.mark.parametrize("name", sorted(functions_host.NEEDED))
def test_a_setting_that_the_host_misses_is_found(planted, name):
    planted.change(FILE, f"    {name}: ", f"    SOMETHING_ELSE_{name}: ")
    assert any(f"{name} is not set, without which the host does not run" in line for line in told(planted))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("FUNCTIONS_WORKER_RUNTIME", "which Flex Consumption does not take"),
        ("WEBSITE_RUN_FROM_PACKAGE", "which Flex Consumption does not take"),
        ("AzureWebJobsStorage", "which holds a key"),
    ],
)
def test_a_setting_that_must_not_be_set_is_found(planted, name, found):
    line = planted.change(FILE, "    TIDEMARK_POLICIES:", f"    {name}: 'x'\n    TIDEMARK_POLICIES:")
    [finding] = told(planted)
    assert finding.startswith(f"{FILE}:{line}: {name} is set, {found}")


@pytest.mark.parametrize("role", functions_host.BUILT_IN)
def test_a_built_in_role_with_a_wrong_digit_is_found(planted, role):
    file = "infra/monitoring.bicep" if role.startswith("39") else "infra/host-storage.bicep"
    wrong = role[:-1] + ("0" if role[-1] != "0" else "1")
    line = planted.change(file, role, wrong)
    found = told(planted)
    assert f"{file}:{line}: no built-in role that the host needs is {wrong}; " in found[1]
    assert f"({role}) is not assigned" in found[0]


def test_a_key_that_is_read_is_found(planted):
    path = planted.project.root / "infra/catalogue.bicep"
    path.write_text(path.read_text() + "output key string = account.listKeys().keys[0].value\n")
    assert any("listKeys() reads a key" in line for line in told(planted))
