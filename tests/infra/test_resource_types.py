"""Resources are held to types: to a few of our own here, to Azure's where they are given."""

from __future__ import annotations

import json

import pytest

from infra.checks import resource_types
from infra.checks.project import Project

# In the form of github.com/Azure/bicep-types-az; the resource is invented.
TYPES = [
    {"$type": "StringType"},
    {"$type": "IntegerType"},
    {"$type": "StringLiteralType", "value": "Small"},
    {"$type": "StringLiteralType", "value": "Large"},
    {"$type": "UnionType", "elements": [{"$ref": "#/2"}, {"$ref": "#/3"}]},
    {"$type": "UnionType", "elements": [{"$ref": "#/2"}, {"$ref": "#/3"}, {"$ref": "#/0"}]},
    {"$type": "ArrayType", "itemType": {"$ref": "#/1"}},
    {
        "$type": "ObjectType",
        "name": "BoatProperties",
        "properties": {
            "size": {"type": {"$ref": "#/4"}, "flags": 1},
            "colour": {"type": {"$ref": "#/5"}, "flags": 0},
            "masts": {"type": {"$ref": "#/6"}, "flags": 0},
            "state": {"type": {"$ref": "#/0"}, "flags": 2},
            "rig": {"type": {"$ref": "#/10"}, "flags": 0},
        },
    },
    {
        "$type": "ObjectType",
        "name": "Boats",
        "properties": {
            "name": {"type": {"$ref": "#/0"}, "flags": 1},
            "id": {"type": {"$ref": "#/0"}, "flags": 3},
            "tags": {"type": {"$ref": "#/9"}, "flags": 0},
            "properties": {"type": {"$ref": "#/7"}, "flags": 0},
        },
    },
    {"$type": "ObjectType", "name": "Tags", "properties": {}, "additionalProperties": {"$ref": "#/0"}},
    {
        "$type": "DiscriminatedObjectType",
        "name": "Rig",
        "discriminator": "kind",
        "baseProperties": {"kind": {"type": {"$ref": "#/0"}, "flags": 1}},
        "elements": {"sloop": {"$ref": "#/11"}},
    },
    {"$type": "ObjectType", "name": "Sloop", "properties": {"jib": {"type": {"$ref": "#/1"}, "flags": 1}}},
    {"$type": "ResourceType", "name": "Harbour.Quay/boats@2026-01-01", "body": {"$ref": "#/8"}},
]


@pytest.fixture
def told(small, tmp_path):
    folder = tmp_path / "types/harbour.quay/2026-01-01"
    folder.mkdir(parents=True)
    (folder / "types.json").write_text(json.dumps(TYPES))

    def look(body, kind="Harbour.Quay/boats@2026-01-01"):
        small.write("main.bicep", f"resource boat '{kind}' = {{\n  name: 'a'\n  {body}\n}}\n")
        checked = resource_types.check(Project(small.root, resource_types=tmp_path / "types"))
        return [str(finding) for finding in checked.findings]

    return look


@pytest.mark.parametrize(
    "body",
    [
        "properties: { size: 'Small' }",
        "properties: { size: 'Large', colour: 'Small', masts: [1, 2], rig: { kind: 'sloop', jib: 1 } }",
        "tags: { any: 'thing' }\n  scope: group\n  dependsOn: [other]",
        "properties: { size: computed, masts: map([], x => x), rig: { kind: computed, jib: 1 } }",
    ],
)
def test_what_fits_its_type_is_not_found(told, body):
    assert told(body) == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("properties: { sise: 'Small', size: 'Small' }", "3: boat.properties: there is no property 'sise'"),
        (
            "properties: { Size: 'Small', size: 'Small' }",
            "no property 'Size'; correct its spelling (case counts)",
        ),
        ("properties: {}", "3: boat.properties: the property 'size' is missing"),
        (
            "properties: { size: 'Tiny' }",
            "3: boat.properties.size: 'Tiny' is not known; use one of Small, Large",
        ),
        ("properties: { size: 'Small', state: 'x' }", "3: boat.properties.state: this can only be read"),
        (
            "properties: { size: 'Small', masts: 2 }",
            "boat.properties.masts: this is IntegerType; give ArrayType",
        ),
        ("properties: { size: 'Small', masts: ['2'] }", "boat.properties.masts[]: this is StringType"),
        ("tags: { any: 1 }", "boat.tags.any: this is IntegerType; give StringType"),
        (
            "properties: { size: 'Small', rig: { kind: 'ketch' } }",
            "no kind of it is 'ketch'; use one of sloop",
        ),
        ("properties: { size: 'Small', rig: { kind: 'sloop' } }", "the property 'jib' is missing"),
        ("properties: { size: 'Small', rig: { jib: 1 } }", "the property 'kind' is missing"),
    ],
)
def test_what_does_not_fit_its_type_is_found(told, body, found):
    [line] = told(body)
    assert found in line
    assert "warning" not in line


def test_a_word_that_an_open_list_does_not_have_is_a_warning(told):
    assert told("properties: { size: 'Small', colour: 'Red' }") == [
        "infra/main.bicep:3: warning: boat.properties.colour: 'Red' is not known; use one of Small, Large"
    ]


def test_a_version_without_types_is_found(told):
    [line] = told("", kind="Harbour.Quay/boats@2025-01-01")
    assert "there is no type 'Harbour.Quay/boats@2025-01-01'" in line


def test_without_types_the_check_says_that_it_has_not_looked(small):
    checked = resource_types.check(Project(small.root))
    assert (checked.has_looked, checked.has_failed) == (False, False)


def test_a_folder_without_types_is_not_taken_for_well(small, tmp_path):
    [finding] = resource_types.check(Project(small.root, resource_types=tmp_path)).findings
    assert "the folder of resource types has none" in finding.found


def of_azure(planted, types):
    planted.project = Project(planted.project.root, resource_types=types)
    return [str(finding) for finding in planted.findings(resource_types.check)]


def test_what_is_deployed_fits_azure_s_types(planted, types):
    assert of_azure(planted, types) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "found"),
    [
        ("storage-account.bicep", "    allowSharedKeyAccess:", "    allowSharedKeysAccess:", "no property"),
        (
            "function-app.bicep",
            "type: 'UserAssignedIdentity'",
            "type: 'UserIdentity'",
            "'UserIdentity' is not known",
        ),
        ("function-app.bicep", "    httpsOnly: true", "    httpsOnly: 'true'", "this is StringType"),
        ("function-app.bicep", "serverfarms@2024-11-01", "serverfarms@2024-11-31", "there is no type"),
    ],
)
def test_a_fault_in_a_resource_of_azure_is_found(planted, types, name, old, new, found):
    line = planted.change(f"infra/{name}", old, new)
    lines = of_azure(planted, types)
    assert any(each.startswith(f"infra/{name}:{line}: ") and found in each for each in lines), lines
