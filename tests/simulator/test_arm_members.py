"""What a body says and no type of Azure's has is refused, not ignored."""

from __future__ import annotations

import json

import pytest

from tests.simulator.conftest import disk_body, snapshot_body
from tests.simulator.machines import PATH

COMPUTE = "resourceGroups/production/providers/Microsoft.Compute"


def refusal(azure, method, path, body):
    answer = azure.ask(method, path, body)
    error = json.loads(answer.body)["error"]
    return answer.status, error["code"], error["message"]


@pytest.mark.parametrize("kind", ["disks", "snapshots", "virtualMachines"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_member_that_no_resource_has_is_refused_by_resource_manager(azure, kind, method):
    """Azure/azure-sdk-for-net issue 3487: New-AzureRmDisk with an AccountType."""
    assert refusal(azure, method, f"{COMPUTE}/{kind}/x", {"accountType": "StandardLRS"}) == (
        400,
        "InvalidRequestContent",
        "The request content was invalid and could not be deserialized: 'Could not find member 'accountType' "
        "on object of type 'ResourceDefinition'. Path 'accountType'.'.",
    )


def test_one_below_properties_is_refused_by_compute(azure):
    """kubernetes-sigs/cloud-provider-azure issue 8919 has the words."""
    body = json.loads(azure.ask("GET", f"{PATH}/web").body)
    body["properties"]["storageProfile"]["dataDisks"][0]["tobeDetached"] = True
    assert refusal(azure, "PUT", f"{PATH}/web", body) == (
        400,
        "BadRequest",
        "Could not find member 'tobeDetached' on object of type 'DataDisk'. Path "
        "'properties.storageProfile.dataDisks[0].tobeDetached'.",
    )


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("disks", ("properties", "diskIopsReadWrite")),
        ("disks", ("properties", "creationData", "sourceId")),
        ("disks", ("properties", "encryption", "set")),
        ("disks", ("sku", "size")),
        ("snapshots", ("properties", "increment")),
        ("snapshots", ("properties", "creationData", "sourceSnapshotId")),
    ],
)
def test_a_misspelt_name_is_told_with_its_place(azure, kind, path):
    body = disk_body(None) if kind == "disks" else snapshot_body(azure.web.disk("data").id)
    inside = body
    for name in path[:-1]:
        inside = inside.setdefault(name, {})
    inside[path[-1]] = 1
    status, code, message = refusal(azure, "PUT", f"{COMPUTE}/{kind}/x", body)
    assert (status, code) == (400, "BadRequest")
    assert f"Path '{'.'.join(path)}'" in message
    assert azure.ask("GET", f"{COMPUTE}/{kind}/x").status == 404


@pytest.mark.parametrize("kind", ["disks", "snapshots"])
def test_a_patch_changes_what_can_be_patched_and_says_so_of_the_rest(azure, kind):
    """SDK models `DiskUpdate` and `SnapshotUpdate`: neither has a location or creationData."""
    name = "web-data" if kind == "disks" else "s1"
    if kind == "snapshots":
        azure.take("s1")
    for body in {"location": "westeurope"}, {"properties": {"creationData": {"createOption": "Empty"}}}:
        assert refusal(azure, "PATCH", f"{COMPUTE}/{kind}/{name}", body)[0] == 400


@pytest.mark.parametrize("path", ["disks/web-data", "snapshots/s1", "virtualMachines/web"])
def test_what_a_get_told_has_no_unknown_member(azure, path):
    azure.take("s1")
    told = json.loads(azure.ask("GET", f"{COMPUTE}/{path}").body)
    assert azure.ask("PUT", f"{COMPUTE}/{path}", told).status in (200, 202)
