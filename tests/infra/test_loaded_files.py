"""Files that are loaded are there, and so is what is read of them, however far a value has come."""

from __future__ import annotations

import pytest

from infra.checks import loaded_files
from infra.checks.project import Project


def told(planted):
    return [str(finding) for finding in planted.findings(loaded_files.check)]


def test_what_the_bicep_reads_of_files_is_there(planted):
    assert told(planted) == []


def test_the_check_follows_values_into_every_file_that_reads_of_them():
    looked_at = loaded_files.check(Project()).looked_at
    members = int(looked_at.split(", ")[1].split()[0])
    assert members > 100, looked_at


def test_a_file_that_is_not_there_is_found(planted):
    line = planted.change(
        "infra/main.bicep", "loadYamlContent('../policies.yaml')", "loadYamlContent('../policy.yaml')"
    )
    assert f"infra/main.bicep:{line}: there is no file '../policy.yaml' to load; " in told(planted)[0]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("main.bicep", "policyFile.subscriptions", "policyFile.subscription"),
        ("main.bicep", "].region", "].regions"),
        ("main.bicep", "role.value.optIn", "role.value.optin"),
        (
            "locations.bicep",
            "location.value.restore_resource_group",
            "location.value.restored_resource_group",
        ),
        ("role-definitions.bicep", "role.value.dataActions", "role.value.dataaction"),
        ("assignments-group.bicep", "role.value.identity", "role.value.identities"),
        ("app-settings.bicep", "identities.runtime.clientId", "identities.runtime.clientID"),
        ("alerts.bicep", "alert.value.firesOn", "alert.value.fires"),
    ],
)
def test_a_member_that_a_file_or_a_module_does_not_have_is_found_where_it_is_read(planted, name, old, new):
    line = planted.change(f"infra/{name}", old, new)
    member = new.rpartition(".")[2]
    lines = [each for each in told(planted) if each.startswith(f"infra/{name}:{line}: ")]
    assert any(f"there is no {member!r} to read; correct its spelling" in each for each in lines), told(
        planted
    )


def test_a_field_that_another_version_of_the_app_calls_otherwise_is_found(planted):
    planted.change_json("infra/roles.json", lambda roles: [each.pop("identity") for each in roles.values()])
    assert any("there is no 'identity' to read" in each for each in told(planted))


@pytest.mark.parametrize(
    "text",
    [
        "var all = any(loadJsonContent('data.json'))\noutput o array = map(items(all), x => x.value.a)\n",
        "var all = loadJsonContent('data.json')\noutput o array = [for one in items(all): one.value.b]\n",
        "var all = loadJsonContent('data.json')\noutput o array = filter(items(all), x => x.value.a == 1)\n",
        "var all = loadJsonContent('data.json')\noutput o string = union(all, {more: 1}).more\n",
        "var all = loadJsonContent('data.json')\noutput o string = all[where()].a\n",
        "param other object\noutput o string = other.anything\n",
    ],
)
def test_what_can_be_read_is_not_found(small, text):
    small.write("data.json", '{"one": {"a": 1}, "two": {"a": 2, "b": 3}}')
    assert small.found(loaded_files.check, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "var all = any(loadJsonContent('data.json'))\noutput o array = map(items(all), x => x.value.c)\n",
        "var all = loadJsonContent('data.json')\noutput o array = [for one in items(all): one.value.c]\n",
        "var all = loadJsonContent('data.json')\noutput o array = [for (x, i) in items(all): x.value.c]\n",
        "var all = loadJsonContent('data.json')\noutput o array = filter(items(all), x => x.value.c == 1)\n",
        "var all = loadJsonContent('data.json')\noutput o string = all.c\n",
        "var all = loadJsonContent('data.json')\noutput o string = '${all[where()].c}'\n",
    ],
)
def test_what_cannot_be_read_is_found(small, text):
    small.write("data.json", '{"one": {"a": 1}, "two": {"a": 2, "b": 3}}')
    [line] = small.found(loaded_files.check, text)
    assert line.startswith("infra/main.bicep:2: there is no 'c' to read; ")
