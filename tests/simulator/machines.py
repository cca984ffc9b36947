"""Virtual machines as tests ask for them: bodies, and what they need beside them."""

from __future__ import annotations

import json
from typing import Any

from tests.simulator.conftest import HOME, disk_body

PATH = "resourceGroups/production/providers/Microsoft.Compute/virtualMachines"


def interface(azure, name="nic", region=HOME, group="production"):
    subnet = azure.cloud.add_network(f"net-{region}", region, group)
    path = f"resourceGroups/{group}/providers/Microsoft.Network/networkInterfaces/{name}"
    configuration = {"name": "primary", "properties": {"subnet": {"id": subnet}}}
    body = {"location": region, "properties": {"ipConfigurations": [configuration]}}
    answer = azure.ask("PUT", path, body)
    assert answer.status == 201
    azure.pass_time(seconds=1)
    return json.loads(answer.body)["id"]


def machine_body(os_disk: str, nic: str, data: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """Return the body of a machine from specialized disks."""
    storage = {
        "osDisk": {"osType": "Linux", "createOption": "Attach", "managedDisk": {"id": os_disk}},
        "dataDisks": [
            {"lun": lun, "createOption": "Attach", "managedDisk": {"id": disk}}
            for lun, disk in enumerate(data or [])
        ],
    }
    properties = {
        "hardwareProfile": {"vmSize": "Standard_D4s_v5"},
        "storageProfile": storage,
        "networkProfile": {"networkInterfaces": [{"id": nic}]},
    }
    body: dict[str, Any] = {"location": HOME, "properties": properties}
    for name, value in more.items():
        (body if name in ("location", "zones", "tags", "plan") else properties)[name] = value
    return body


def restored_os(azure, name="os-restored", **more):
    return azure.make_disk(name, disk_body(azure.take(f"of-{name}", disk="os").id, **more)).id


def create(azure, name, body, group="production"):
    return azure.sdk.virtual_machines.begin_create_or_update(group, name, body).result()


def refused(azure, body, name="new"):
    answer = azure.ask("PUT", f"{PATH}/{name}", body)
    error = json.loads(answer.body)["error"]
    return answer.status, error["code"], error["message"]
