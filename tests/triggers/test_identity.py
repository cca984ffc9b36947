"""Who somebody is, by what the platform or a token says. The door of each route is in test_doors."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from tests.triggers.harness import TOKEN
from triggers.identity import PRINCIPAL_HEADER

OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
MAPPED_ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
KEY, POINT = "web-0123456789ab", "web-0123456789ab~20261122T1600Z~1"


def claims(*roles: str, name: str = "ada@example.org") -> list[dict[str, str]]:
    return [
        {"typ": OBJECT_ID, "val": "5b5450db-eb26-4c1a-981c-ba1d25f0483d"},
        {"typ": "preferred_username", "val": name},
        *({"typ": "roles", "val": role} for role in roles),
    ]


def principal(*roles: str, **changed: object) -> dict[str, str]:
    """Return the header that the platform sets for somebody with these app roles."""
    told = {
        "auth_typ": "aad",
        "name_typ": "preferred_username",
        "role_typ": "roles",
        "claims": claims(*roles),
    }
    return {PRINCIPAL_HEADER: b64encode(json.dumps({**told, **changed}).encode()).decode()}


def test_the_operation_records_who_asked(api):
    api.with_settings(is_sign_in_enforced=True)
    vm = api.add_vm()
    answer = api.ask("POST", "backups", {"vm": vm}, token=None, headers=principal("Operator"))
    assert answer.body["who"] == "ada@example.org (5b5450db-eb26-4c1a-981c-ba1d25f0483d)"


def test_an_app_without_a_name_is_recorded_by_its_id(api):
    api.with_settings(is_sign_in_enforced=True)
    ids = [{"typ": "oid", "val": "0f"}, {"typ": MAPPED_ROLE, "val": "Operator"}]
    answer = api.ask(
        "POST", "backups", {"vm": api.add_vm()}, token=None, headers=principal(claims=ids, name_typ=None)
    )
    assert (answer.status, answer.body["who"]) == (202, "0f")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({PRINCIPAL_HEADER: "%%%"}, id="it is not Base64"),
        pytest.param({PRINCIPAL_HEADER: b64encode(b"[1]").decode()}, id="it is not an object"),
        pytest.param({PRINCIPAL_HEADER: b64encode(b"\xff\xfe{").decode()}, id="it is not text"),
        pytest.param(principal("Admin", claims=None), id="it has no claims"),
        pytest.param(principal("Admin", claims=["Admin"]), id="its claims are not claims"),
        pytest.param(principal("Admin", claims=claims("Admin")[1:]), id="it says nobody's id"),
        pytest.param(principal("Admin", auth_typ="github"), id="somebody else than Entra vouches"),
    ],
)
def test_a_principal_that_says_nothing_reliable_is_nobody(api, headers):
    api.with_settings(is_sign_in_enforced=True)
    assert api.ask("GET", "vms", token=None, headers=headers).status == 401


@pytest.mark.parametrize(
    ("roles", "status"),
    [
        ((), 403),  # signed in, and not assigned to any role
        (("reader",), 403),  # app role values are compared as they are written
        (("Owner", "Contributor"), 403),  # roles of something else
        (("Owner", "Reader"), 200),
    ],
)
def test_only_the_roles_of_tidemark_count(api, roles, status):
    api.with_settings(is_sign_in_enforced=True)
    assert api.ask("GET", "vms", token=None, headers=principal(*roles)).status == status


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_development_token_stands_for_signing_in(api, scheme):
    answer = api.ask("GET", "vms", token=None, headers={"Authorization": f"{scheme} {TOKEN}"})
    assert answer.status == 200


@pytest.mark.parametrize(
    "authorization",
    ["Bearer another", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer ", "Bearer é", ""],
)
def test_another_token_is_nobody(api, authorization):
    assert api.ask("GET", "vms", token=None, headers={"Authorization": authorization}).status == 401


@pytest.mark.parametrize("authorization", ["Bearer ", "Bearer", ""])
def test_a_development_token_that_was_never_set_matches_nothing(api, authorization):
    development = api.connected.settings.development
    api.with_settings(development=type(development)(token="", storage_keys=development.storage_keys))
    assert api.ask("GET", "vms", token=None, headers={"Authorization": authorization}).status == 401


@pytest.mark.parametrize(
    ("authorization", "found"),
    [
        ("", "has no header Authorization"),
        ("Basic abc", "not of the form Bearer <token>"),
        ("Bearer another", "not one that this app accepts"),
    ],
)
def test_in_development_mode_nobody_is_told_which_token_is_wanted_and_not_what_it_is(
    api, authorization, found
):
    headers = {"Authorization": authorization} if authorization else {}
    detail = api.ask("GET", "vms", token=None, headers=headers).body["detail"]
    assert found in detail
    assert "TIDEMARK_DEVELOPMENT_TOKEN" in detail
    assert "as Authorization: Bearer <token>" in detail
    assert TOKEN not in detail
    assert "another" not in detail  # what was sent may be somebody's token


@pytest.mark.parametrize(
    ("is_enforced", "hint"),
    [
        (True, "sign in with Microsoft Entra ID and send"),
        (False, "built-in authentication is off; turn it on"),
    ],
)
def test_in_azure_nobody_is_told_how_to_sign_in(api, is_enforced, hint):
    api.with_settings(development=None, is_sign_in_enforced=is_enforced)
    detail = api.ask("GET", "vms", token=None).body["detail"]
    assert hint in detail
    assert "TIDEMARK" not in detail


def test_a_development_token_that_is_missing_is_named(api):
    development = api.connected.settings.development
    api.with_settings(development=type(development)(token="", storage_keys=development.storage_keys))
    assert "set TIDEMARK_DEVELOPMENT_TOKEN" in api.ask("GET", "vms").body["detail"]


def test_the_development_token_means_nothing_where_there_is_no_development(api):
    api.with_settings(development=None)
    assert api.ask("GET", "vms").status == 401
