"""Settings are read once, typed, and every missing or unusable one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import InvalidInput
from settings import MANAGEMENT_ENDPOINT, Identity, Settings

CATALOGUE = "https://tidemarkcatalogue.table.core.windows.net"
CLIENT_ID = "00000000-1111-2222-3333-44444444444"  # one digit is missing
IDENTITIES = {
    "TIDEMARK_IDENTITY_RUNTIME": f"{CLIENT_ID}a",
    "TIDEMARK_IDENTITY_BACKUP": f"{CLIENT_ID}b",
    "TIDEMARK_IDENTITY_RETENTION": f"{CLIENT_ID}c",
    "TIDEMARK_IDENTITY_RESTORE": f"{CLIENT_ID}d",
}
REQUIRED = {"TIDEMARK_CATALOGUE": CATALOGUE, **IDENTITIES}
IN_AZURE = {**REQUIRED, "WEBSITE_SITE_NAME": "tidemark", "WEBSITE_AUTH_ENABLED": "True"}


def test_in_azure_the_catalogue_and_four_identities_are_enough() -> None:
    settings = Settings.from_environ(IN_AZURE)

    assert settings.catalogue == CATALOGUE
    assert settings.management_endpoint == MANAGEMENT_ENDPOINT
    assert settings.policies.name == "policies.yaml"
    assert settings.policies.is_file()
    assert settings.is_sign_in_enforced
    assert settings.development is None
    assert settings.identities == {
        Identity.RUNTIME: f"{CLIENT_ID}a",
        Identity.BACKUP: f"{CLIENT_ID}b",
        Identity.RETENTION: f"{CLIENT_ID}c",
        Identity.RESTORE: f"{CLIENT_ID}d",
    }


def test_sign_in_is_taken_as_enforced_only_where_the_platform_says_so() -> None:
    for told in ({}, {"WEBSITE_AUTH_ENABLED": ""}, {"WEBSITE_AUTH_ENABLED": "False"}):
        assert not Settings.from_environ({**REQUIRED, **told}).is_sign_in_enforced


def test_a_slash_at_the_end_of_a_url_does_not_matter() -> None:
    environ = {
        **REQUIRED,
        "TIDEMARK_CATALOGUE": f"{CATALOGUE}/",
        "TIDEMARK_MANAGEMENT_ENDPOINT": "https://arm.example/",
    }
    settings = Settings.from_environ(environ)
    assert (settings.catalogue, settings.management_endpoint) == (CATALOGUE, "https://arm.example")


def test_development_settings_are_taken_where_no_azure_is(tmp_path: Path) -> None:
    clock = tmp_path / "clock.json"
    clock.write_text("{}")
    settings = Settings.from_environ(
        {
            "TIDEMARK_CATALOGUE": "http://127.0.0.1:10002/catalogue",
            "TIDEMARK_MANAGEMENT_ENDPOINT": "http://127.0.0.1:8080",
            "TIDEMARK_DEVELOPMENT_TOKEN": "let me in",
            "TIDEMARK_DEVELOPMENT_STORAGE_KEYS": '{"catalogue": "a2V5"}',
            "TIDEMARK_CLOCK": str(clock),
        }
    )
    assert settings.development is not None
    assert settings.development.token == "let me in"
    assert settings.development.storage_keys == {"catalogue": "a2V5"}
    assert settings.development.clock == clock
    assert settings.identities == {}


def test_secrets_do_not_show_in_what_is_logged() -> None:
    settings = Settings.from_environ(
        {
            "TIDEMARK_CATALOGUE": CATALOGUE,
            "TIDEMARK_DEVELOPMENT_TOKEN": "let me in",
            "TIDEMARK_DEVELOPMENT_STORAGE_KEYS": '{"catalogue": "a2V5"}',
        }
    )
    assert "let me in" not in repr(settings)
    assert "a2V5" not in repr(settings)


DEVELOPING = {"TIDEMARK_DEVELOPMENT_TOKEN": "let me in", **dict.fromkeys(IDENTITIES, "")}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"TIDEMARK_CATALOGUE": ""}, "TIDEMARK_CATALOGUE: this setting is missing"),
        ({"TIDEMARK_CATALOGUE": "tidemarkcatalogue"}, "TIDEMARK_CATALOGUE: 'tidemarkcatalogue' is not a URL"),
        ({"TIDEMARK_CATALOGUE": "https://"}, "TIDEMARK_CATALOGUE: 'https:' is not a URL"),
        # A token or a key on plain HTTP can be read by whoever is between.
        (
            {"TIDEMARK_CATALOGUE": "http://10.0.0.4"},
            "TIDEMARK_CATALOGUE: .* is not a URL of this form: https",
        ),
        ({"TIDEMARK_MANAGEMENT_ENDPOINT": "http://10.0.0.4"}, "TIDEMARK_MANAGEMENT_ENDPOINT: .* https"),
        ({"TIDEMARK_MANAGEMENT_ENDPOINT": "ftp://10.0.0.4", **DEVELOPING}, "TIDEMARK_MANAGEMENT_ENDPOINT"),
        ({"TIDEMARK_POLICIES": "absent.yaml"}, r"TIDEMARK_POLICIES: there is no file .*absent\.yaml"),
        ({"TIDEMARK_POLICIES": ""}, "TIDEMARK_POLICIES: this setting is empty; name the policy file"),
        ({"TIDEMARK_POLICIES": "tests"}, "TIDEMARK_POLICIES: .*tests is a folder; name a file"),
        ({"TIDEMARK_CLOCK": "absent.json"}, r"TIDEMARK_CLOCK: there is no file absent\.json"),
        ({"TIDEMARK_DEVELOPMENT_STORAGE_KEYS": "{"}, "TIDEMARK_DEVELOPMENT_STORAGE_KEYS: this is not JSON"),
        ({"TIDEMARK_DEVELOPMENT_STORAGE_KEYS": "[]"}, "TIDEMARK_DEVELOPMENT_STORAGE_KEYS: this is not JSON"),
        ({"TIDEMARK_DEVELOPMENT_STORAGE_KEYS": '{"a": 1}'}, "_STORAGE_KEYS: this is not JSON of the form"),
        (
            {"TIDEMARK_IDENTITY_RUNTIME": ""},
            "_RUNTIME: .* is missing; .* reads and writes tables and manifests",
        ),
        ({"TIDEMARK_IDENTITY_BACKUP": " "}, "_BACKUP: .* is missing; .* writes snapshots"),
        (
            {"TIDEMARK_IDENTITY_RETENTION": ""},
            "_RETENTION: .* is missing; .* deletes snapshots and manifests",
        ),
        ({"TIDEMARK_IDENTITY_RESTORE": ""}, "_RESTORE: .* is missing; .* makes disks"),
        (
            {"TIDEMARK_IDENTITY_BACKUP": CLIENT_ID},
            "_BACKUP: '0.*4' is not the client id of a managed identity",
        ),
        # One identity with the rights of two could delete what it has written.
        (
            {"TIDEMARK_IDENTITY_RETENTION": f"{CLIENT_ID}B"},
            "_RETENTION: this is the client id of TIDEMARK_IDENTITY_BACKUP too",
        ),
        (
            {**DEVELOPING, "TIDEMARK_IDENTITY_RESTORE": f"{CLIENT_ID}d"},
            "TIDEMARK_IDENTITY_RESTORE: development settings stand in for signing in",
        ),
        # Whoever could set these in Azure could let anybody in.
        ({**IN_AZURE, **DEVELOPING}, "TIDEMARK_DEVELOPMENT_TOKEN: .* is not accepted in Azure"),
        ({**IN_AZURE, "TIDEMARK_CLOCK": "clock.json"}, "TIDEMARK_CLOCK: .* is not accepted in Azure"),
        (
            {**IN_AZURE, **DEVELOPING, "TIDEMARK_MANAGEMENT_ENDPOINT": "http://10.0.0.4"},
            "TIDEMARK_MANAGEMENT_ENDPOINT: .* is not a URL of this form: https",
        ),
    ],
)
def test_an_unusable_setting_is_named(wrong: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Settings.from_environ({**REQUIRED, **wrong})


EMULATOR = {**DEVELOPING, "TIDEMARK_CATALOGUE": "http://127.0.0.1:10002/catalogue"}


@pytest.mark.parametrize("keys", ["{}", '{"another": "a2V5"}'])
def test_a_catalogue_over_plain_http_needs_the_key_of_its_account(keys: str) -> None:
    with pytest.raises(InvalidInput) as told:
        Settings.from_environ({**EMULATOR, "TIDEMARK_DEVELOPMENT_STORAGE_KEYS": keys})
    (fault,) = told.value.faults
    assert fault.field == "TIDEMARK_DEVELOPMENT_STORAGE_KEYS"
    assert "no key for the account 'catalogue' of TIDEMARK_CATALOGUE" in fault.message
    assert 'add "catalogue": "its key"' in fault.message


def test_keys_that_cannot_be_read_are_not_told_as_missing_too() -> None:
    with pytest.raises(InvalidInput) as told:
        Settings.from_environ({**EMULATOR, "TIDEMARK_DEVELOPMENT_STORAGE_KEYS": "{"})
    assert [fault.field for fault in told.value.faults] == ["TIDEMARK_DEVELOPMENT_STORAGE_KEYS"]


def test_a_catalogue_over_https_needs_no_key() -> None:
    assert Settings.from_environ({**DEVELOPING, "TIDEMARK_CATALOGUE": CATALOGUE}).catalogue == CATALOGUE


def test_all_faults_are_told_at_once() -> None:
    environ = {
        "TIDEMARK_POLICIES": "absent.yaml",
        "TIDEMARK_MANAGEMENT_ENDPOINT": "nowhere",
        "TIDEMARK_DEVELOPMENT_STORAGE_KEYS": "{",
        "TIDEMARK_IDENTITY_BACKUP": f"{CLIENT_ID}b",
    }
    with pytest.raises(InvalidInput) as told:
        Settings.from_environ(environ)
    assert [fault.field for fault in told.value.faults] == [
        "TIDEMARK_CATALOGUE",
        "TIDEMARK_POLICIES",
        "TIDEMARK_DEVELOPMENT_STORAGE_KEYS",
        "TIDEMARK_MANAGEMENT_ENDPOINT",
        "TIDEMARK_IDENTITY_BACKUP",
    ]


def test_every_missing_identity_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as told:
        Settings.from_environ({"TIDEMARK_CATALOGUE": CATALOGUE})
    assert [fault.field for fault in told.value.faults] == list(IDENTITIES)


def test_a_signature_stands_for_one_identity_and_one_account_and_is_never_shown() -> None:
    settings = Settings.from_environ(
        {**IN_AZURE, "TIDEMARK_SAS_BACKUP_vaultelsewhere": "?sv=2024-11-04&sp=rcwl&sig=c2VjcmV0"}
    )
    assert settings.signatures == {
        (Identity.BACKUP, "vaultelsewhere"): "sv=2024-11-04&sp=rcwl&sig=c2VjcmV0",
    }
    assert "c2VjcmV0" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TIDEMARK_SAS_BACKUP_vault", "c2VjcmV0", "is not a shared access signature"),
        (
            "TIDEMARK_SAS_BACKUP_vault",
            "https://vault.example/c?sig=c2VjcmV0",
            "not a shared access signature",
        ),
        (
            "TIDEMARK_SAS_BACKUP_vault",
            "@Microsoft.KeyVault(SecretUri=https://c2VjcmV0.vault.azure.net/secrets/vault)",
            "has not resolved this reference to a key vault",
        ),
        ("TIDEMARK_SAS_VAULT_backup", "sig=c2VjcmV0", "none of Tidemark's"),
        ("TIDEMARK_SAS_BACKUP", "sig=c2VjcmV0", "none of Tidemark's"),
    ],
)
def test_what_is_no_signature_is_named_but_not_told(name: str, value: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=f"{name}: .*{told}") as refused:
        Settings.from_environ({**IN_AZURE, name: value})
    assert "c2VjcmV0" not in str(refused.value)
