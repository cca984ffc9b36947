"""Virtual machines through the real SDK against the simulated cloud.

What the simulated cloud does is held to azure-semantics.md by its own tests; these hold the gateway to it.
"""

from __future__ import annotations

import pytest

from domain.errors import Absent, Refused
from domain.vms import POLICY_TAG
from gateways.compute import Compute
from gateways.virtual_machines import VirtualMachines
from simulator.transport import transport
from simulator.wire import Response
from tests.gateways.scripted import COMPUTE, SUBSCRIPTION, Script, Token
from tests.gateways.simulated import GIB


def test_a_vm_is_described_with_all_its_disks(azure, web):
    vm = azure.machines.describe(web.id)
    assert (vm.name, vm.region, vm.policy, vm.has_ephemeral_os_disk) == ("web", "westeurope", "daily", False)
    os, data = vm.disks
    assert (os.name, os.lun, os.size_bytes, os.sku) == ("web-os", None, 8 * GIB, "Premium_LRS")
    assert (data.name, data.lun, data.size_bytes, data.sku) == ("web-data", 0, 64 * GIB, "StandardSSD_LRS")
    assert os.unique_id == web.disk("os").unique_id
    assert os.traits["osType"] == "Linux"
    assert vm.model["properties"]["storageProfile"]["dataDisks"][0]["lun"] == 0


def test_a_vm_has_one_key_however_its_id_is_written(azure, web):
    assert azure.machines.describe(web.id.upper()).key == azure.machines.describe(web.id).key


def test_a_vm_that_is_not_there_is_absent(azure, web):
    for wrong in (
        web.id + "-gone",
        web.id.replace("production", "nowhere"),
        web.id.replace(SUBSCRIPTION, "0" * 8),
    ):
        with pytest.raises(Absent, match=r"VM .*not.*found"):
            azure.machines.describe(wrong)


def test_an_ephemeral_os_disk_is_told_and_is_not_among_the_disks(azure):
    machine = azure.cloud.add_virtual_machine(
        "scratch", "westeurope", "production", {"os": 8 * GIB, "data": GIB}, has_ephemeral_os_disk=True
    )
    vm = azure.machines.describe(machine.id)
    assert vm.has_ephemeral_os_disk
    assert [disk.lun for disk in vm.disks] == [0]
    assert "ephemeral OS disk" in str(vm.protection_faults("westeurope")[0])


def test_all_vms_of_a_subscription_are_listed_whatever_the_case_of_their_tags(azure, web):
    policies = {"web": "daily"}
    for number in range(120):  # more than two pages
        tags = {POLICY_TAG.title(): "daily"} if number % 3 == 0 else {"other": "tag"}
        name = f"vm{number:03d}"
        azure.cloud.add_virtual_machine(name, "westeurope", "production", {"os": GIB}, tags=tags)
        policies[name] = "daily" if number % 3 == 0 else None
    found = list(azure.machines.listed(SUBSCRIPTION))
    assert {vm.name: vm.policy for vm in found} == policies
    assert len(found) == len(policies)
    assert {vm.disks for vm in found} == {()}  # a list costs one request a page, each disk one of its own


def test_a_disk_that_is_not_managed_is_refused_and_never_left_out():
    blob = {"name": "old", "lun": 0, "vhd": {"uri": "https://account.blob.example/vhds/old.vhd"}}
    model = {
        "id": f"{COMPUTE}/virtualMachines/web",
        "name": "web",
        "location": "westeurope",
        "properties": {"storageProfile": {"osDisk": {"name": "os", "vhd": blob["vhd"]}, "dataDisks": [blob]}},
    }
    script = Script(Response.of_json(200, model))
    machines = VirtualMachines(Compute(Token(), "https://management.azure.com", transport(script)))
    with pytest.raises(Refused, match="disk 'os' of VM 'web' is not a managed disk"):
        machines.describe(f"{COMPUTE}/virtualMachines/web")
