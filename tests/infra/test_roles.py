"""The roles that are deployed grant what the gateways' table says: to whom and where it says, and no more."""

from __future__ import annotations

import pytest

from infra.checks import roles
from infra.checks.project import Project

FILE = roles.FILE
GRANTED = [
    (key, field, action)
    for key, role in Project().json(FILE).items()
    for field in ("actions", "dataActions")
    for action in role[field]
]


def told(planted):
    return [str(finding) for finding in planted.findings(roles.check)]


def test_the_roles_grant_what_is_needed_and_no_more(planted):
    assert told(planted) == []


@pytest.mark.parametrize(("key", "field", "action"), GRANTED)
def test_an_action_that_is_removed_from_a_role_is_found(planted, key, field, action):
    planted.change_json(FILE, lambda data: data[key][field].remove(action))
    found = told(planted)
    assert any(f"needs {action} on " in line and "no role grants it" in line for line in found)


@pytest.mark.parametrize("key", Project().json(FILE))
def test_an_action_too_many_is_found_in_every_role(planted, key):
    extra = "Microsoft.Compute/galleries/read"
    planted.change_json(FILE, lambda data: data[key]["actions"].append(extra))
    [finding] = told(planted)
    assert f"role {key!r} grants {extra}, which no call of " in finding


def test_a_role_for_another_identity_is_found_both_ways(planted):
    planted.change_json(FILE, lambda data: data["retentionSnapshots"].update(identity="backup"))
    found = told(planted)
    delete = "Microsoft.Compute/snapshots/delete"
    assert any(f"identity retention needs {delete} on 'snapshots'" in line for line in found)
    assert any(f"grants {delete}, which no call of backup needs there" in line for line in found)


def test_a_role_in_another_place_is_found_both_ways(planted):
    planted.change_json(FILE, lambda data: data["retentionSnapshots"].update(where="restores"))
    found = told(planted)
    assert any("needs Microsoft.Compute/snapshots/delete on 'snapshots'" in line for line in found)
    assert any(
        "grants Microsoft.Compute/snapshots/delete, which no call of retention" in line for line in found
    )


def test_a_right_that_must_be_opted_into_is_not_granted_without_that(planted):
    def grant_to_all(data):
        for role in data.values():
            role["optIn"] = None

    planted.change_json(FILE, grant_to_all)
    assert any(
        "grants Microsoft.Compute/virtualMachines/write, which no call" in line for line in told(planted)
    )


def test_what_is_always_needed_is_not_left_to_an_opt_in(planted):
    planted.change_json(FILE, lambda data: data["retentionSnapshots"].update(optIn="vmRestore"))
    assert any("retention needs Microsoft.Compute/snapshots/delete" in line for line in told(planted))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"identity": "nobody"}, "no identity is 'nobody'"),
        ({"where": "everywhere"}, "no place is 'everywhere'"),
        ({"actions": ["Microsoft.Compute/snapshots/*"]}, "grants Microsoft.Compute/snapshots/*; name each"),
        ({"notActions": []}, "has other fields than it must"),
        (
            {
                "dataActions": ["Microsoft.Compute/snapshots/delete"],
                "actions": ["Microsoft.Compute/snapshots/read"],
            },
            "is not one of the dataActions of Azure; move it to actions",
        ),
        ({"actions": [], "dataActions": []}, "grants nothing"),
        ({"actions": ["Microsoft.Compute/snapshots/read"] * 2}, "read a second time"),
        ({"title": "Tidemark backup: snapshots"}, "have one title"),
    ],
)
def test_what_is_no_role_is_found(planted, change, found):
    planted.change_json(FILE, lambda data: data["retentionSnapshots"].update(change))
    assert any(found in line for line in told(planted)), told(planted)


def test_a_place_that_the_bicep_assigns_no_role_in_is_found(planted):
    planted.change("infra/main.bicep", "role.value.where == 'catalogue'", "role.value.where == 'catalog'")
    found = told(planted)
    assert any("infra/main.bicep:" in line and "no place is 'catalog'" in line for line in found)
    assert any("no Bicep file assigns the roles of 'catalogue'" in line for line in found)


def test_roles_that_cannot_be_read_are_a_finding(planted):
    (planted.project.root / FILE).write_text("{")
    [finding] = told(planted)
    assert "the roles cannot be read" in finding
