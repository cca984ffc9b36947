"""An api-version from before a thing was there does not have it (azure-semantics §3)."""

from __future__ import annotations

import json

import pytest

from tests.simulator.conftest import copy_body, snapshot_body

COMPUTE = "resourceGroups/production/providers/Microsoft.Compute"


def code(answer):
    return answer.status, json.loads(answer.body)["error"]["code"]


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("disks/web-os", "2015-06-15"),
        ("snapshots/s1", "2015-06-15"),
        ("diskEncryptionSets/key", "2019-03-01"),
        ("virtualMachines/web", "2014-01-01"),
    ],
)
def test_a_version_from_before_the_resource_is_refused(azure, path, version):
    """claranet/terraform-azurerm-windows-vm issue 7 has the words."""
    answer = azure.ask("GET", f"{COMPUTE}/{path}", version=version)
    assert code(answer) == (400, "NoRegisteredProviderFound")
    words = f"API version '{version}' for type '{path.split('/')[0]}'. The supported api-versions are"
    assert words in answer.body.decode()


def test_incremental_snapshots_and_copies_came_later(azure):
    """§3: CopyStart needs api-version 2020-12-01 or later."""
    body = snapshot_body(azure.web.disk("data").id)
    assert code(azure.ask("PUT", f"{COMPUTE}/snapshots/s1", body, version="2018-09-30")) == (
        400,
        "BadRequest",
    )
    assert azure.ask("PUT", f"{COMPUTE}/snapshots/s1", body, version="2019-03-01").status == 202
    azure.pass_time(minutes=1)
    copy = copy_body(azure.id("snapshots", "s1"))
    target = "resourceGroups/recovery/providers/Microsoft.Compute/snapshots/c1"
    assert code(azure.ask("PUT", target, copy, version="2020-09-30")) == (400, "InvalidParameter")
    assert azure.ask("PUT", target, copy, version="2020-12-01").status == 202
