"""The settings that the Bicep sets are those that the app reads."""

from __future__ import annotations

import pytest

from infra.checks import app_settings

FILE = "infra/app-settings.bicep"


def told(planted):
    return [str(finding) for finding in planted.findings(app_settings.check)]


def test_the_bicep_sets_what_the_app_reads(planted):
    assert told(planted) == []


@pytest.mark.parametrize(
    "name",
    [
        "TIDEMARK_CATALOGUE",
        "TIDEMARK_POLICIES",
        "TIDEMARK_MANAGEMENT_ENDPOINT",
        "TIDEMARK_IDENTITY_RUNTIME",
        "TIDEMARK_IDENTITY_BACKUP",
        "TIDEMARK_IDENTITY_RETENTION",
        "TIDEMARK_IDENTITY_RESTORE",
    ],
)
def test_a_setting_that_is_not_set_is_found(planted, name):
    planted.change(FILE, f"    {name}: ", f"    SOMETHING_ELSE_{name}: ")
    assert any(f"settings.py reads {name}, which is not set" in line for line in told(planted))


def test_what_the_app_would_say_at_its_start_is_told(planted):
    planted.change(FILE, "    TIDEMARK_CATALOGUE: ", "    SOMETHING_ELSE: ")
    assert any(
        "with these settings the app does not start: TIDEMARK_CATALOGUE; this setting is missing" in line
        for line in told(planted)
    )


def test_a_setting_that_nobody_reads_is_found(planted):
    line = planted.change(
        FILE, "    TIDEMARK_POLICIES:", "    TIDEMARK_POLICY_FILE: 'x'\n    TIDEMARK_POLICIES:"
    )
    assert told(planted) == [
        f"{FILE}:{line}: TIDEMARK_POLICY_FILE is set, and settings.py does not read it; "
        "remove it, or correct its name"
    ]


@pytest.mark.parametrize(
    "name", ["TIDEMARK_DEVELOPMENT_TOKEN", "TIDEMARK_DEVELOPMENT_STORAGE_KEYS", "TIDEMARK_CLOCK"]
)
def test_a_setting_for_development_is_refused(planted, name):
    line = planted.change(FILE, "    TIDEMARK_POLICIES:", f"    {name}: '{{}}'\n    TIDEMARK_POLICIES:")
    assert any(
        finding.startswith(f"{FILE}:{line}: ") and "not accepted in Azure" in finding
        for finding in told(planted)
    )


def test_a_policy_file_that_is_not_there_is_found(planted):
    planted.change(FILE, "'policies.yaml'", "'policy.yaml'")
    [finding] = told(planted)
    assert "TIDEMARK_POLICIES; there is no file" in finding


def test_an_identity_that_is_given_to_another_s_setting_is_found(planted):
    planted.change(FILE, "RESTORE: identities.restore.", "RESTORE: identities.backup.")
    [finding] = told(planted)
    assert finding.endswith(
        "TIDEMARK_IDENTITY_RESTORE is set to identities.backup.clientId; "
        "set it to the client id of identity restore"
    )


def test_what_only_the_platform_knows_is_not_set(planted):
    planted.change(FILE, "    TIDEMARK_POLICIES:", "    WEBSITE_AUTH_ENABLED: 'True'\n    TIDEMARK_POLICIES:")
    [finding] = told(planted)
    assert "WEBSITE_AUTH_ENABLED is set; remove it" in finding


def test_settings_that_cannot_be_read_are_not_taken_for_well(planted):
    planted.change(FILE, "name: 'appsettings'", "name: 'slotConfigNames'")
    [finding] = told(planted)
    assert "no app setting is set" in finding
