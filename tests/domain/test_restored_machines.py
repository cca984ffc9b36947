"""VMs that are brought back: what is asked for again, what is left behind, and what is said of both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.copies import CopyState, copies_of
from domain.manifests import Manifest, home_manifest, recovery_manifest
from domain.not_carried import not_carried
from domain.requests import RestoreRequest, Wanted
from domain.restored_machines import Attachment, RestoredMachine, machine_faults, plan_machine
from domain.restores import plan_disks
from tests.domain.samples import NORTH, SUBSCRIPTION, WEST, available_point, disk, machine

OPERATION = "20261122-0123456789abcdef0123"
SUBNET = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/n/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
)
THERE = replace(NORTH, subnet_id=SUBNET, sizes={"Standard_D4s_v5": "Standard_E8s_v5"}, zones={"2": "3"})
HERE = replace(WEST, subnet_id=SUBNET)
STORAGE: dict[str, Any] = {
    "osDisk": {"name": "os", "osType": "Linux", "managedDisk": {"id": "os"}},
    "dataDisks": [{"name": "data", "lun": 5, "managedDisk": {"id": "data"}, "writeAcceleratorEnabled": True}],
}


def web(**known: Any) -> Any:
    """A VM in zone 2 with an OS disk and a data disk; `known` are properties of its model."""
    properties = {"hardwareProfile": {"vmSize": "Standard_D4s_v5"}, "storageProfile": STORAGE, **known}
    disks = (
        disk("os", zones=("2",), caching="ReadWrite", traits={"osType": "Linux"}),
        disk("data", lun=5, zones=("2",), caching="ReadOnly"),
    )
    return machine(*disks, model={"zones": ["2"], "properties": properties})


def with_os_disk(**known: Any) -> dict[str, Any]:
    """Properties of a model in which the OS disk is attached with these settings."""
    return {"storageProfile": {**STORAGE, "osDisk": {**STORAGE["osDisk"], **known}}}


def in_the_north(vm: Any) -> Manifest:
    point = available_point(vm)
    copies = [replace(copy, state=CopyState.AVAILABLE) for copy in copies_of(point)]
    return recovery_manifest(point, NORTH, copies)


def planned(vm: Any, location: Any = THERE) -> Any:
    manifest = home_manifest(available_point(vm), WEST) if location is HERE else in_the_north(vm)
    request = RestoreRequest(OPERATION, manifest.point, location, Wanted.VM, (), "web")
    return plan_machine(request, manifest, plan_disks(OPERATION, manifest, location))


def left(vm: Any, location: Any = THERE, **asked: Any) -> dict[str, str]:
    manifest = home_manifest(available_point(vm), WEST) if location is HERE else in_the_north(vm)
    request = RestoreRequest(OPERATION, manifest.point, location, Wanted.VM, (), "web")
    return {each.what: each.why for each in not_carried(replace(request, **asked), manifest)}


def test_a_vm_is_planned_by_the_map_of_the_location():
    plan = planned(web())
    assert (plan.size, plan.zones, plan.region, plan.os_type) == (
        "Standard_E8s_v5", ("3",), "northeurope", "Linux",
    )  # fmt: skip
    assert plan.id.endswith("/resourceGroups/restored/providers/Microsoft.Compute/virtualMachines/web")
    assert [(each.lun, each.caching, each.has_write_accelerator) for each in plan.disks] == [
        (None, "ReadWrite", False),
        (5, "ReadOnly", True),
    ]
    assert (plan.interface.subnet_id, plan.interface.region) == (SUBNET, "northeurope")


def test_at_home_a_vm_is_planned_as_it_was():
    plan = planned(web(), HERE)
    assert (plan.size, plan.zones, plan.region) == ("Standard_D4s_v5", ("2",), "westeurope")


def test_two_restores_of_one_vm_make_two_interfaces():
    other = "20261122-aaaaaaaaaaaaaaaaaaaa"
    manifest = in_the_north(web())
    ids = {
        plan_machine(
            RestoreRequest(operation, manifest.point, THERE, Wanted.VM, (), "web"),
            manifest,
            plan_disks(operation, manifest, THERE),
        ).interface.id
        for operation in (OPERATION, other)
    }
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("known", "settings"),
    [
        ({}, {}),
        ({"licenseType": "Windows_Server"}, {"licenseType": "Windows_Server"}),
        ({"additionalCapabilities": {"ultraSSDEnabled": True, "hibernationEnabled": True}},
         {"additionalCapabilities": {"ultraSSDEnabled": True}}),
        ({"securityProfile": {"securityType": "TrustedLaunch", "encryptionAtHost": False, "more": {}}},
         {"securityProfile": {"securityType": "TrustedLaunch", "encryptionAtHost": False}}),
        ({"diagnosticsProfile": {"bootDiagnostics": {"enabled": True, "storageUri": "https://a"}}},
         {"diagnosticsProfile": {"bootDiagnostics": {"enabled": True}}}),
        ({"diagnosticsProfile": {"bootDiagnostics": {"enabled": False}}}, {}),
        ({"osProfile": {"computerName": "web"}, "priority": "Spot"}, {}),
    ],
)  # fmt: skip
def test_settings_are_asked_for_again_where_that_can_be(known, settings):
    assert planned(web(**known)).settings == settings


def test_the_security_type_is_that_of_the_os_disk_where_the_vm_says_none():
    secure = {"securityProfile": {"securityType": "TrustedLaunch"}, "osType": "Linux"}
    vm = web()
    vm = replace(vm, disks=(replace(vm.disks[0], traits=secure), vm.disks[1]))
    assert planned(vm).settings == {"securityProfile": {"securityType": "TrustedLaunch"}}


def test_a_purchase_plan_comes_from_the_vm_or_from_its_os_disk():
    bought = {"name": "n", "publisher": "p", "product": "o"}
    vm = web()
    on_disk = replace(vm, disks=(replace(vm.disks[0], traits={"purchasePlan": bought}), vm.disks[1]))
    assert planned(on_disk).purchase_plan == bought
    assert planned(replace(vm, model={**vm.model, "plan": bought})).purchase_plan == bought
    assert "marketplace terms of plan n" in left(replace(vm, model={**vm.model, "plan": bought}))
    assert "marketplace terms of plan n" in left(on_disk)


def test_the_tag_of_the_policy_is_left_behind_and_others_come_along():
    vm = replace(web(), tags={"Tidemark-Policy": "daily", "owner": "shop"})
    plan = planned(vm)
    assert plan.tags.keys() == {"owner", "tidemark-point", "tidemark-operation"}
    assert "backed up from its first minute" in left(vm)["tag Tidemark-Policy of the VM"]


def test_tags_that_azure_would_not_take_are_told():
    vm = replace(web(), tags={f"tag{number:02d}": "x" for number in range(50)})
    assert len(planned(vm).tags) == 50
    assert {"tag tag48 of the VM", "tag tag49 of the VM"} <= left(vm).keys()


@pytest.mark.parametrize(
    ("known", "what"),
    [
        ({"availabilitySet": {"id": "a"}}, "availabilitySet"),
        ({"proximityPlacementGroup": {"id": "p"}}, "proximityPlacementGroup"),
        ({"priority": "Spot"}, "priority"),
        ({"osProfile": {"computerName": "web"}}, "osProfile"),
        ({"hardwareProfile": {"vmSize": "Standard_D4s_v5", "vmSizeProperties": {"vCPUsPerCore": 1}}},
         "hardwareProfile.vmSizeProperties"),
        ({"securityProfile": {"proxyAgentSettings": {"enabled": True}}},
         "securityProfile.proxyAgentSettings"),
        ({"additionalCapabilities": {"hibernationEnabled": True}},
         "additionalCapabilities.hibernationEnabled"),
        ({"diagnosticsProfile": {"bootDiagnostics": {"storageUri": "https://a"}}},
         "diagnosticsProfile.bootDiagnostics.storageUri"),
        ({"networkProfile": {"networkInterfaces": [{"id": "/x/one"}, {"id": "/x/two"}]}},
         "network interfaces: one, two"),
        ({"somethingThatAzureAddsTomorrow": {"a": 1}}, "somethingThatAzureAddsTomorrow"),
        ({"storageProfile": {**STORAGE, "imageReference": {"id": "i"}}}, "storageProfile.imageReference"),
        (with_os_disk(deleteOption="Delete"), "deleteOption of disk 'os'"),
        (with_os_disk(encryptionSettings={"enabled": True}), "encryptionSettings of disk 'os'"),
    ],
)  # fmt: skip
def test_what_is_left_behind_is_listed(known, what):
    assert what in left(web(**known))
    assert what not in left(web())


def test_identities_extensions_and_edge_zones_are_left_behind():
    vm = web()
    beside = {"identity": {"type": "SystemAssigned"}, "extendedLocation": {"name": "e"}}
    vm = replace(vm, model={**vm.model, **beside, "resources": [{"name": "agent"}]})
    assert {"identity", "extendedLocation", "extension agent"} <= left(vm).keys()


def test_what_nobody_can_know_is_said_each_time():
    assert {"role assignments and locks", "user data and settings of extensions"} <= left(web()).keys()


def test_an_excluded_disk_and_an_ephemeral_one_are_told():
    vm = web()
    excluded = disk("scratch", lun=9, tags={"tidemark-exclude": "true"})
    told = left(replace(vm, disks=(*vm.disks, excluded), has_ephemeral_os_disk=True))
    assert "does not hold it" in told["disk 'scratch'"]
    assert "ephemeral" in told["the OS disk"]


def test_a_zone_and_a_sku_that_are_lost_are_told_for_disks_alone_too():
    vm = web()
    redundant = replace(vm.disks[1], sku="Premium_ZRS", zones=())
    told = left(replace(vm, disks=(vm.disks[0], redundant)), NORTH, what=Wanted.DISKS)
    assert "does not say which zone" in told["zone 2 of disk 'os'"]
    assert "Premium_LRS" in told["sku Premium_ZRS of disk 'data'"]
    assert "osProfile" not in told
    assert left(vm, NORTH, what=Wanted.DISKS, disks=("data",)).keys() == {
        "zone 2 of disk 'data'",
        "network access of the disks",
    }


def test_keys_inside_a_disk_are_told():
    vm = web()
    encrypted = replace(vm.disks[0], traits={"encryptionSettingsCollection": {"enabled": True}})
    vm = replace(vm, disks=(encrypted, vm.disks[1]))
    name = "keys of Azure Disk Encryption of disk 'os'"
    assert "northeurope" in left(vm)[name]
    assert "same key vault" in left(vm, HERE)[name]


def test_a_point_without_its_os_disk_makes_no_vm():
    vm = web()
    assert list(machine_faults(vm, vm.disks)) == []
    [fault] = machine_faults(vm, vm.disks[1:])
    assert "it was left out" in fault.message
    [fault] = machine_faults(replace(vm, has_ephemeral_os_disk=True), vm.disks[1:])
    assert "ephemeral" in fault.message


def test_a_vm_that_is_not_as_planned_says_in_what():
    plan = planned(web())
    made = RestoredMachine(plan.id, "Succeeded", plan.size.lower(), plan.zones, plan.disks)
    assert made.differences(plan) == []
    os, data = plan.disks
    moved = replace(made, size="Standard_B1s", disks=(os, replace(data, lun=6)))
    found = moved.differences(plan)
    assert any("has size standard_b1s instead of standard_e8s_v5" in each for each in found)
    assert any("has not disk" in each and "LUN 5" in each for each in found)
    assert any("has also disk" in each and "LUN 6" in each for each in found)
    assert "caching None" in str(Attachment("disk", 0, "None"))
