"""VMs of restored disks through the real SDK against the simulated cloud."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import Absent, Refused, Transient
from domain.manifests import home_manifest
from domain.requests import RestoreRequest, Wanted
from domain.restored_machines import plan_machine
from domain.restores import plan_disks
from gateways.compute import Compute
from gateways.networks import Networks
from gateways.restored_machines import RestoredMachines
from settings import Identity
from simulator.transport import transport
from simulator.wire import Response
from tests.gateways.scripted import Script, Token, error
from tests.gateways.simulated import OPERATION


@pytest.fixture
def machines(azure):
    return RestoredMachines(azure.compute)


@pytest.fixture
def plan(azure, web):
    """The plan of a VM whose disks and interface are made."""
    subnet = azure.cloud.add_network("network", "westeurope", "restored-west")
    location = replace(azure.west, subnet_id=subnet)
    manifest = home_manifest(azure.taken(web), location)
    disks = plan_disks(OPERATION, manifest, location)
    for disk in disks:
        azure.disks.begin(disk)
    made = plan_machine(
        RestoreRequest(OPERATION, manifest.point, location, Wanted.VM, (), "web"), manifest, disks
    )
    Networks(azure.compute).begin_interface(made.interface, OPERATION)
    azure.pass_time()
    return made


def test_a_vm_is_begun_once_and_has_what_was_planned(azure, machines, plan):
    begun = machines.begin(plan, OPERATION)
    assert not begun.is_settled
    assert not machines.begin(plan, OPERATION).is_settled
    azure.pass_time()
    ready = machines.begin(plan, OPERATION)
    assert ready.is_ready
    assert ready == machines.find(plan.id)
    assert ready.differences(plan) == []
    assert ready.operation == OPERATION


def test_a_vm_of_somebody_else_is_neither_taken_up_nor_changed(azure, machines, plan):
    azure.cloud.add_virtual_machine("web", "westeurope", "restored-west", {"os": 1 << 20})
    before = machines.find(plan.id)
    with pytest.raises(Refused, match="restore again under another name") as refused:
        machines.begin(plan, OPERATION)
    assert refused.value.code == "NameTaken"
    assert machines.find(plan.id) == before


def test_a_vm_that_came_a_moment_ago_is_not_changed_either(azure, machines, plan):
    """Found missing, and there when it is to be made: the condition of the request keeps it as it is."""
    azure.cloud.faults.fail("GET", "/virtualMachines/", status=404, code="ResourceNotFound")
    azure.cloud.add_virtual_machine("web", "westeurope", "restored-west", {"os": 1 << 20})
    with pytest.raises(Refused, match="restore again under another name"):
        machines.begin(plan, OPERATION)
    assert machines.find(plan.id).size == "Standard_D4s_v5"
    assert len(machines.find(plan.id).disks) == 1


def test_a_vm_that_was_made_though_nobody_was_told_is_taken_up(azure, machines, plan):
    azure.cloud.faults.drop("PUT", "/virtualMachines/", after_executing=True)
    with pytest.raises(Transient):
        machines.begin(plan, OPERATION)
    azure.pass_time()
    assert machines.begin(plan, OPERATION).is_ready


def test_a_vm_that_has_failed_says_why():
    failed: dict[str, Any] = {
        "id": "web",
        "name": "web",
        "location": "westeurope",
        "properties": {
            "provisioningState": "Failed",
            "hardwareProfile": {"vmSize": "Standard_D4s_v5"},
            "storageProfile": {"osDisk": {"managedDisk": {"id": "os"}}},
        },
    }
    status = {"code": "ProvisioningState/failed/AllocationFailed", "message": "There is no room."}
    view = {"statuses": [status, {"code": "PowerState/deallocated"}]}
    script = Script(Response.of_json(200, failed), Response.of_json(200, view))
    compute = Compute(Token(), "https://management.azure.com", transport(script), identity=Identity.RESTORE)
    machine = RestoredMachines(compute).find(
        "/subscriptions/s/resourceGroups/g/providers/M/virtualMachines/web"
    )
    assert machine is not None
    assert machine.has_failed
    assert machine.problem == "ProvisioningState/failed/AllocationFailed: There is no room."
    assert "There is no room" in machine.found


def test_a_group_that_is_missing_is_told_and_a_missing_vm_is_none():
    machine = "/subscriptions/s/resourceGroups/g/providers/M/virtualMachines/web"
    script = Script(error(404, "ResourceNotFound", "no"), error(404, "ResourceGroupNotFound", "no"))
    compute = Compute(Token(), "https://management.azure.com", transport(script), identity=Identity.RESTORE)
    machines = RestoredMachines(compute)
    assert machines.find(machine) is None
    with pytest.raises(Absent):
        machines.find(machine)


def test_what_a_vm_is_asked_for_is_what_the_plan_says(machines, plan, azure):
    """Settings that the simulated cloud keeps and does not judge."""
    wanted = replace(
        plan,
        settings={**plan.settings, "licenseType": "RHEL_BYOS", "securityProfile": {"encryptionAtHost": True}},
        controller="NVMe",
        purchase_plan={"name": "n", "publisher": "p", "product": "o"},
    )
    script = Script(
        error(404, "ResourceNotFound", "no"),
        Response.of_json(201, {"name": "web", **_answer(wanted)}),
    )
    compute = Compute(Token(), "https://management.azure.com", transport(script), identity=Identity.RESTORE)
    RestoredMachines(compute).begin(wanted, OPERATION)
    put = script.requests[1]
    assert put.headers["if-none-match"] == "*"
    body = put.json()
    assert body["plan"] == {"name": "n", "publisher": "p", "product": "o"}
    assert body["properties"]["licenseType"] == "RHEL_BYOS"
    assert body["properties"]["securityProfile"] == {"encryptionAtHost": True}
    storage = body["properties"]["storageProfile"]
    assert storage["diskControllerType"] == "NVMe"
    assert storage["osDisk"]["createOption"] == "Attach"
    assert {"osProfile", "imageReference"}.isdisjoint({*body["properties"], *storage})


def _answer(plan):
    storage = {"osDisk": {"managedDisk": {"id": plan.disks[0].disk_id}}}
    properties = {"provisioningState": "Creating", "hardwareProfile": {"vmSize": plan.size}}
    return {"location": plan.region, "properties": {**properties, "storageProfile": storage}}
