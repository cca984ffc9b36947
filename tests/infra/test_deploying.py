"""What compiles and is refused by Azure all the same is found: places, order, roles not there yet."""

from __future__ import annotations

import pytest

from infra.checks import deploying
from infra.checks.project import ROOT, Project

SITE = "resource app 'Microsoft.Web/sites@2024-11-01' = {\n  name: 'a'\n}\n"


def told(planted):
    return [str(finding) for finding in planted.findings(deploying.check)]


def part(name: str, more: str = "") -> str:
    body = f"  parent: app\n  name: '{name}'\n{more}"
    return f"resource {name} 'Microsoft.Web/sites/config@2024-11-01' = {{\n{body}}}\n"


def test_what_is_deployed_is_not_refused_for_what_is_known(planted):
    assert told(planted) == []


def test_a_resource_without_the_location_that_azure_asks_for_is_found(planted):
    planted.change("infra/function-app.bicep", "  #disable-next-line BCP187\n  location: location\n", "")
    [finding] = told(planted)
    assert "ftp: Azure refuses this without a location" in finding


@pytest.mark.parametrize("waiting", ["  dependsOn: [ftp]\n", "  dependsOn: [scm]\n"])
def test_what_belongs_to_a_site_and_is_written_at_once_is_found(planted, waiting):
    planted.change("infra/function-app.bicep", waiting, "")
    found = told(planted)
    assert any("may be written at the same moment as" in line and "on one site" in line for line in found)


@pytest.mark.parametrize(
    ("text", "free"),
    [
        (SITE + part("one") + part("two"), {"one", "two"}),
        (SITE + part("one") + part("two", "  dependsOn: [one]\n"), set()),
        (SITE + part("one") + part("two", "  tags: { of: one.id }\n"), set()),
        (
            SITE + part("one") + part("two", "  dependsOn: [one]\n") + part("three", "  dependsOn: [one]\n"),
            {"two", "three"},
        ),
        (
            SITE + part("one") + "module two 'b.bicep' = {\n  name: 'b'\n  params: { a: app.name }\n}\n",
            {"one", "two"},
        ),
        (SITE + part("one") + "module two 'b.bicep' = {\n  name: 'b'\n  params: { a: 'x' }\n}\n", set()),
    ],
)
def test_order_is_what_one_names_of_another(small, text, free):
    found = small.found(deploying.check, text)
    assert {line.split(": ")[1].split()[0] for line in found} == free


@pytest.mark.parametrize(
    ("name", "old", "module"),
    [
        ("app.bicep", "  dependsOn: [definitions]\n", "catalogue"),
        ("protection.bicep", "  dependsOn: [definitions]\n", "onSubscriptions"),
        ("locations.bicep", "  dependsOn: [definitions]\n", "onSubscriptions"),
    ],
)
def test_a_role_that_may_be_assigned_before_it_is_defined_is_found(planted, name, old, module):
    planted.change(f"infra/{name}", old, "")
    [finding] = told(planted)
    assert f"module {module!r} assigns roles, and does not wait until they are defined" in finding


def test_manifests_of_a_location_wait_for_their_roles_through_the_file_between(planted):
    planted.change(
        "infra/locations.bicep",
        "    tags: tags\n  }\n  dependsOn: [definitions, made]",
        "    tags: tags\n  }\n  dependsOn: [made]",
    )
    [finding] = told(planted)
    assert "module 'manifests' assigns roles" in finding


@pytest.mark.parametrize(
    ("place", "module"),
    [("manifests", "manifests"), ("subnets", "onNetworks"), ("snapshots", "onSnapshotGroups")],
)
def test_a_role_that_is_assigned_and_not_defined_is_found(planted, place, module):
    path = planted.project.root / "infra/locations.bicep"
    lines = path.read_text().splitlines(keepends=True)
    at = next(number for number, each in enumerate(lines) if each.startswith("var wheres = "))
    lines[at] = lines[at].replace(f"'{place}'", "'elsewhere'")
    path.write_text("".join(lines))
    [finding] = told(planted)
    assert f"module {module!r} assigns the roles of {place}, which are not defined here" in finding


@pytest.mark.parametrize("module", ["onSnapshotGroups", "onRestoreGroups", "manifests"])
def test_what_is_put_into_the_group_of_a_location_waits_until_the_group_is_made(module):
    order = deploying.Order(Project().bicep[ROOT / "infra/locations.bicep"])
    assert "made" in order.before(module)


def test_the_app_waits_for_its_package_its_catalogue_and_their_roles():
    order = deploying.Order(Project().bicep[ROOT / "infra/app.bicep"])
    assert order.before("functionApp") >= {"hostStorage", "hostAccount", "catalogue", "catalogueAccount"}
    assert "functionApp" in order.before("signIn")
