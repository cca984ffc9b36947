"""Virtual machines are made of disks and an interface, as Azure makes them; what cannot be is refused
(azure-semantics §4.1, §6.4, §7.2 to §7.4).
"""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import (
    HttpResponseError,
)

from simulator.world_handles import DiskSpec
from tests.simulator.conftest import GIB, HOME, RECOVERY, code_of, disk_body
from tests.simulator.machines import PATH, create, interface, machine_body, refused, restored_os


def test_a_machine_is_made_of_specialized_disks(azure):
    """§7.4: osDisk Attach, dataDisks Attach, no osProfile, no imageReference; §1.2: 201, no Location."""
    os_disk = restored_os(azure)
    data = azure.make_disk("data-restored", disk_body(azure.take("sd").id)).id
    answer = azure.ask("PUT", f"{PATH}/new", machine_body(os_disk, interface(azure), [data]))
    assert answer.status == 201
    assert json.loads(answer.body)["properties"]["provisioningState"] == "Creating"
    assert "azure-asyncoperation" in answer.headers
    assert "location" not in answer.headers
    azure.pass_time(minutes=1)
    vm = azure.sdk.virtual_machines.get("production", "new", expand="instanceView")
    assert vm.provisioning_state == "Succeeded"
    assert [each.code for each in vm.instance_view.statuses] == [
        "ProvisioningState/succeeded",
        "PowerState/running",
    ]
    assert vm.storage_profile.data_disks[0].managed_disk.id == data
    assert azure.sdk.disks.get("production", "os-restored").disk_state == "Attached"


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"osProfile": {"computerName": "x"}}, "InvalidParameter", "osProfile"),
        ({"networkProfile": None}, "InvalidParameter", "networkProfile"),
        ({"storageProfile": None}, "InvalidParameter", "storageProfile"),
        ({"hardwareProfile": {}}, "InvalidParameter", "vmSize"),
        ({"hardwareProfile": {"vmSize": "Standard_D4_v2"}}, "InvalidParameter", "Premium storage"),
        ({"hardwareProfile": {"vmSize": "huge"}}, "InvalidParameter", "VM size"),
        ({"securityProfile": {"securityType": "TrustedLaunch"}}, "BadRequest", "Security type"),
        ({"zones": ["1"]}, "BadRequest", "VM zone: '1'. Disk zone: ''."),
        ({"availabilitySet": {"id": "/a/set"}}, "SimulatorNotSimulated", "availabilitySet"),
    ],
)
def test_a_machine_that_cannot_be_is_refused(azure, change, code, words):
    """§7.4; the words for zones: jenkins-infra/azure pull request 1406."""
    body = machine_body(restored_os(azure), interface(azure), **change)
    status, found, message = refused(azure, body)
    assert (status, found) == (400, code)
    assert words in message
    assert azure.ask("GET", f"{PATH}/new").status == 404
    assert azure.sdk.disks.get("production", "os-restored").disk_state == "Unattached"


def test_what_a_machine_refers_to_has_to_exist_in_its_region(azure):
    nic, os_disk = interface(azure), restored_os(azure)
    far = interface(azure, "far", RECOVERY, "recovery")
    assert refused(azure, machine_body(os_disk, f"{nic}x"))[:2] == (400, "InvalidResourceReference")
    assert refused(azure, machine_body(os_disk, far))[:2] == (400, "InvalidResourceReference")
    assert refused(azure, machine_body(f"{os_disk}x", nic))[:2] == (404, "NotFound")
    there = azure.cloud.add_disk("there", RECOVERY, "recovery", GIB).id
    assert refused(azure, machine_body(there, nic))[:2] == (400, "SimulatorRegionMismatch")


def test_the_security_type_and_generation_follow_the_disk(azure):
    """§7.4: securityType equal to the disk's, generation follows the disk."""
    trusted = DiskSpec(
        GIB, "Standard_LRS", {"osType": "Linux", "hyperVGeneration": "V2"}
        | {"securityProfile": {"securityType": "TrustedLaunch"}},
    )  # fmt: skip
    disk = azure.cloud.add_disk("trusted", HOME, "production", trusted).id
    nic = interface(azure)
    assert refused(azure, machine_body(disk, nic))[1] == "BadRequest"
    secured = machine_body(disk, nic, securityProfile={"securityType": "TrustedLaunch"})
    secured["properties"]["hardwareProfile"]["vmSize"] = "Standard_D2_v2"
    assert "Hypervisor Generation '2'" in refused(azure, secured)[2]
    secured["properties"]["hardwareProfile"]["vmSize"] = "Standard_D2s_v3"
    assert create(azure, "new", secured).provisioning_state == "Succeeded"


def test_the_controller_of_its_disks_is_kept(azure):
    body = machine_body(restored_os(azure), interface(azure))
    body["properties"]["storageProfile"]["diskControllerType"] = "NVMe"
    create(azure, "new", body)
    told = json.loads(azure.ask("GET", f"{PATH}/new").body)["properties"]["storageProfile"]
    assert told["diskControllerType"] == "NVMe"


def test_a_purchase_plan_has_to_be_given_again(azure):
    """§7.4: plan if the disk has purchasePlan."""
    plan = {"name": "n", "publisher": "p", "product": "q"}
    spec = DiskSpec(GIB, "Standard_LRS", {"osType": "Linux", "purchasePlan": plan})
    disk, nic = azure.cloud.add_disk("bought", HOME, "production", spec).id, interface(azure)
    assert refused(azure, machine_body(disk, nic))[1] == "VMMarketplaceInvalidInput"
    assert create(azure, "new", machine_body(disk, nic, plan=plan)).plan.product == "q"


def test_a_zonal_machine_takes_disks_of_its_zone_and_zone_redundant_ones(azure):
    """§7.1: a zonal VM takes disks of its own zone (or ZRS)."""
    linux = {"osType": "Linux"}
    add = azure.cloud.add_disk
    zonal = add("zonal", HOME, "production", DiskSpec(GIB, properties=linux), zones=["2"]).id
    shared = add("shared", HOME, "production", DiskSpec(GIB, "Premium_ZRS")).id
    body = machine_body(zonal, interface(azure), [shared], zones=["2"])
    assert create(azure, "new", body).zones == ["2"]


def test_a_disk_is_attached_to_one_machine_only(azure):
    """Public reports: ConflictingUserInput, "A disk can be attached to only one VM at a time."."""
    body = machine_body(restored_os(azure), interface(azure), [azure.web.disk("data").id])
    status, code, message = refused(azure, body)
    assert (status, code) == (409, "ConflictingUserInput")
    assert "already attached to VM" in message


def test_two_machines_that_want_one_disk_do_not_both_get_it(azure):
    os_disk = restored_os(azure)
    first = azure.ask("PUT", f"{PATH}/one", machine_body(os_disk, interface(azure, "n1")))
    assert first.status == 201
    assert refused(azure, machine_body(os_disk, interface(azure, "n2")), "two")[:2] == (
        409,
        "ConflictingUserInput",
    )


def test_an_interface_serves_one_machine_only(azure):
    nic = azure.web.machine.interfaces[0].id.text
    assert refused(azure, machine_body(restored_os(azure), nic))[:2] == (400, "NicInUse")


def test_a_machine_for_which_there_is_no_room_is_left_failed_with_its_disks(azure):
    """§6.4: AllocationFailed."""
    azure.cloud.faults.fail_operation("PUT", "/virtualMachines/", code="AllocationFailed")
    with pytest.raises(HttpResponseError) as raised:
        create(azure, "new", machine_body(restored_os(azure), interface(azure)))
    assert code_of(raised) == "AllocationFailed"
    assert azure.sdk.virtual_machines.get("production", "new").provisioning_state == "Failed"
    assert azure.sdk.disks.get("production", "os-restored").disk_state == "Reserved"
    azure.sdk.virtual_machines.begin_delete("production", "new").result()
    assert azure.sdk.disks.get("production", "os-restored").disk_state == "Unattached"
