"""Virtual machines through the real SDK against the simulated cloud.

What the simulated cloud does is held to azure-semantics.md by its own tests; these hold the gateway to it.
"""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import Absent, Refused, Transient
from domain.policy import Scope
from domain.vms import POLICY_TAG, Disk
from gateways.compute import Compute
from gateways.virtual_machines import VirtualMachines
from settings import Identity
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
    assert "ephemeral OS disk" in str(vm.protection_faults(None)[0])


def test_all_vms_of_a_subscription_are_listed_whatever_the_case_of_their_tags(azure, web):
    policies = {"web": "daily"}
    for number in range(120):  # more than two pages
        tags = {POLICY_TAG.title(): "daily"} if number % 3 == 0 else {"other": "tag"}
        name = f"vm{number:03d}"
        azure.cloud.add_virtual_machine(name, "westeurope", "production", {"os": GIB}, tags=tags)
        policies[name] = "daily" if number % 3 == 0 else None
    found = list(azure.machines.listed(Scope(SUBSCRIPTION)))
    assert {vm.name: vm.policy for vm in found} == policies
    assert len(found) == len(policies)
    assert {vm.disks for vm in found} == {()}  # a list costs one request a page, each disk one of its own


def test_the_vms_of_one_resource_group_are_listed_page_by_page_and_no_others(azure, web):
    azure.cloud.add_resource_group("shop", "westeurope")
    azure.cloud.add_resource_group("shop-test", "westeurope")
    azure.cloud.add_virtual_machine("stranger", "westeurope", "shop-test", {"os": GIB})
    names = {f"vm{number:03d}" for number in range(120)}  # more than two pages
    for name in names:
        azure.cloud.add_virtual_machine(name, "westeurope", "shop", {"os": GIB})
    found = [vm.name for vm in azure.machines.listed(Scope(SUBSCRIPTION, "Shop"))]
    assert sorted(found) == sorted(names)


def test_who_may_read_some_resource_groups_lists_these_and_is_refused_the_whole_subscription(azure, web):
    group = Scope(SUBSCRIPTION, "production")
    azure.cloud.roles.grant("tester", ["Microsoft.Compute/virtualMachines/read"], group.id)
    assert [vm.name for vm in azure.machines.listed(group)] == ["web"]
    for refused in (Scope(SUBSCRIPTION), Scope(SUBSCRIPTION, "snapshots-west")):
        with pytest.raises(Refused, match=r"may not do Microsoft\.Compute/virtualMachines/read on") as raised:
            list(azure.machines.listed(refused))
        assert raised.value.code == "AuthorizationFailed"
        assert f" on {refused.id}" in str(raised.value)


def test_a_resource_group_that_is_not_there_is_told_by_name(azure, web):
    with pytest.raises(
        Absent, match=r"the VMs of resource group nowhere in subscription .* be found"
    ) as raised:
        list(azure.machines.listed(Scope(SUBSCRIPTION, "nowhere")))
    assert raised.value.code == "ResourceGroupNotFound"


def described(disk: dict[str, Any]) -> Disk:
    """Describe a VM whose OS disk Azure describes like this."""
    disk_id = f"{COMPUTE}/disks/web-os"
    heading = {"id": f"{COMPUTE}/virtualMachines/web", "name": "web", "location": "westeurope"}
    storage = {"osDisk": {"name": "web-os", "managedDisk": {"id": disk_id}}}
    model = heading | {"properties": {"storageProfile": storage}}
    common = {"id": disk_id, "name": "web-os", "location": "westeurope", "sku": {"name": "Premium_LRS"}}
    answers = Response.of_json(200, model), Response.of_json(200, common | disk)
    compute = Compute(
        Token(), "https://management.azure.com", transport(Script(*answers)), identity=Identity.BACKUP
    )
    return VirtualMachines(compute).describe(heading["id"]).disks[0]


MADE = {"provisioningState": "Succeeded", "uniqueId": "one", "diskSizeBytes": 64 * GIB}
PROVISIONED = {"diskIOPSReadWrite": 4000, "diskMBpsReadWrite": 200}


@pytest.mark.parametrize(
    ("sku", "properties", "traits"),
    [
        pytest.param("UltraSSD_LRS", PROVISIONED, PROVISIONED, id="what was bought of an Ultra disk"),
        pytest.param("PremiumV2_LRS", PROVISIONED, PROVISIONED, id="what was bought of a Premium SSD v2"),
        pytest.param("Premium_LRS", PROVISIONED | {"tier": "P30"}, {"tier": "P30"}, id="a tier is chosen"),
        pytest.param("StandardSSD_LRS", PROVISIONED, {}, id="told by Azure, and not to be set"),
        pytest.param(
            "Premium_LRS", {"tier": "P30", "burstingEnabled": True}, {"burstingEnabled": True}, id="bursts"
        ),
        pytest.param("Premium_LRS", {"maxShares": 3}, {"maxShares": 3}, id="shared"),
        pytest.param("Premium_LRS", {"maxShares": 1}, {}, id="not shared"),
        pytest.param(
            "UltraSSD_LRS",
            {"creationData": {"createOption": "Empty", "logicalSectorSize": 512}},
            {"creationData": {"logicalSectorSize": 512}},
            id="small sectors: a copy with others could not be read",
        ),
        pytest.param(
            "Premium_LRS",
            {
                "encryption": {
                    "type": "EncryptionAtRestWithPlatformAndCustomerKeys",
                    "diskEncryptionSetId": f"{COMPUTE}/diskEncryptionSets/keys",
                }
            },
            {"encryption": {"type": "EncryptionAtRestWithPlatformAndCustomerKeys"}},
            id="encrypted twice",
        ),
        pytest.param(
            "Premium_LRS",
            {"encryption": {"type": "EncryptionAtRestWithPlatformKey"}},
            {},
            id="Azure's own key",
        ),
    ],
)
def test_a_disk_says_what_one_made_from_its_snapshot_must_be_given_again(sku, properties, traits):
    disk = described({"sku": {"name": sku}, "properties": MADE | properties})
    assert (disk.sku, disk.traits) == (sku, traits)


def test_a_disk_that_is_still_being_made_is_there_later(azure):
    with pytest.raises(Transient, match=r"disk .*web-os is still being made") as raised:
        described({"properties": {"provisioningState": "Updating"}})
    assert raised.value.code == "DiskNotReady"


def test_a_disk_that_is_not_managed_is_named_and_never_left_out_in_silence():
    blob = {"name": "old", "lun": 0, "vhd": {"uri": "https://account.blob.example/vhds/old.vhd"}}
    model = {
        "id": f"{COMPUTE}/virtualMachines/web",
        "name": "web",
        "location": "westeurope",
        "properties": {"storageProfile": {"osDisk": {"name": "os", "vhd": blob["vhd"]}, "dataDisks": [blob]}},
    }
    script = Script(Response.of_json(200, model))
    machines = VirtualMachines(
        Compute(Token(), "https://management.azure.com", transport(script), identity=Identity.BACKUP)
    )
    vm = machines.describe(f"{COMPUTE}/virtualMachines/web")
    assert (vm.disks, vm.unmanaged_disks) == ((), ("os", "old"))
    assert len(script.requests) == 1  # Azure has no disks of them to look at
    os, old = vm.protection_faults(None)
    assert os.message == (
        "disk 'os' of VM 'web' is not a managed disk, and Azure takes snapshots of no other; convert it to a "
        "managed disk"
    )
    assert old.message.startswith("disk 'old' of VM 'web'")


def test_of_extensions_the_names_are_recorded_and_never_their_settings():
    disk = {"name": "os", "managedDisk": {"id": f"{COMPUTE}/disks/os"}}
    model = {
        "id": f"{COMPUTE}/virtualMachines/web",
        "name": "web",
        "location": "westeurope",
        "etag": '"1"',
        "properties": {"storageProfile": {"osDisk": disk, "dataDisks": []}},
        "resources": [{"name": "agent", "properties": {"settings": {"password": "a secret"}}}],
    }
    properties = {"uniqueId": "one", "diskSizeBytes": GIB, "creationData": {}}
    of_disk = {"id": f"{COMPUTE}/disks/os", "name": "os", "location": "westeurope"}
    answer = Response.of_json(200, of_disk | {"sku": {"name": "Premium_LRS"}, "properties": properties})
    compute = Compute(
        Token(), "https://management.azure.com", transport(Script(Response.of_json(200, model), answer)),
        identity=Identity.BACKUP,
    )  # fmt: skip
    vm = VirtualMachines(compute).describe(f"{COMPUTE}/virtualMachines/web")
    assert vm.model["resources"] == [{"name": "agent"}]
    assert "secret" not in str(vm.model)
    assert "etag" not in vm.model
