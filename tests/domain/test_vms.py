"""VMs and their disks: what is protected, and why some cannot be."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from domain.policy import Unsupported
from domain.vms import EXCLUDE_TAG, POLICY_TAG, vm_address
from tests.domain.samples import DAILY, GROUP, NORTH, SUBSCRIPTION, WEST, disk, machine


def test_all_disks_are_protected_but_those_that_are_left_out_by_their_tag():
    vm = machine(
        disk("os"),
        disk("data", lun=0, tags={EXCLUDE_TAG: "false"}),
        disk("scratch", lun=1, tags={EXCLUDE_TAG: "true"}),
        disk("swap", lun=2, tags={"Tidemark-Exclude": "True"}),  # Azure keeps the case that was typed
        disk("logs", lun=3, tags={"exclude": "true"}),
    )
    assert [part.name for part in vm.protected_disks] == ["os", "data", "logs"]


@pytest.mark.parametrize(
    ("tags", "is_excluded"),
    [
        ({}, False),
        ({EXCLUDE_TAG: "true"}, True),
        ({"TIDEMARK-EXCLUDE": "True"}, True),  # Azure keeps the case that was typed
        ({EXCLUDE_TAG: "false"}, False),
        ({"exclude": "true"}, False),
    ],
)
def test_a_vm_is_left_out_by_its_tag(tags, is_excluded):
    assert machine(tags=tags).is_excluded is is_excluded


def test_the_os_disk_is_the_one_without_a_lun():
    os, data = machine().disks
    assert os.is_os_disk
    assert not data.is_os_disk  # LUN 0 is a LUN


@pytest.mark.parametrize(
    ("tags", "policy"),
    [
        ({}, None),
        ({POLICY_TAG: "daily"}, "daily"),
        ({"TIDEMARK-POLICY": "daily"}, "daily"),  # names of tags have no case in Azure
        ({POLICY_TAG: "Daily"}, "Daily"),  # their values have
        ({POLICY_TAG: ""}, None),
        ({"policy": "daily"}, None),
    ],
)
def test_a_vm_asks_for_its_policy_by_a_tag(tags, policy):
    assert machine(tags=tags).policy == policy


OTHER = "22222222-2222-2222-2222-222222222222"
KEYS = f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/keys"
AT_HOME_ONLY = replace(DAILY, recovery=())
WITH_KEYS = replace(DAILY, recovery=(replace(NORTH, encryption_set_id=KEYS),))
LEAVING_OUT = replace(DAILY, unsupported=Unsupported.LEAVE_OUT)
EXCLUDED = disk(tags={EXCLUDE_TAG: "true"})
ENCRYPTED = machine(disk("os"), disk("data", lun=0, encryption_set_id=KEYS))


@pytest.mark.parametrize(
    ("vm", "policy"),
    [
        (machine(), DAILY),
        (machine(region="WestEurope"), DAILY),
        (machine(), None),  # nobody knows yet which it is to be
        (machine(id=machine().id.upper()), DAILY),
        (ENCRYPTED, AT_HOME_ONLY),  # its key serves its own region
        (ENCRYPTED, WITH_KEYS),
        (machine(disk("os"), replace(EXCLUDED, encryption_set_id=KEYS)), DAILY),  # it goes nowhere
        (machine(disk("data", lun=0), has_ephemeral_os_disk=True), LEAVING_OUT),
    ],
)
def test_a_vm_that_can_be_protected_has_no_faults(vm, policy):
    assert vm.protection_faults(policy) == []


@pytest.mark.parametrize(
    ("vm", "policy", "what"),
    [
        (machine(has_ephemeral_os_disk=True), DAILY, "VM 'web' has an ephemeral OS disk"),
        (machine(has_ephemeral_os_disk=True), None, "VM 'web' has an ephemeral OS disk"),
        (
            machine(),
            replace(DAILY, home=replace(WEST, region="francecentral")),
            "VM 'web' is in region westeurope, but .* is in francecentral",
        ),
        (
            machine(),
            replace(DAILY, home=replace(WEST, subscription=OTHER)),
            f"VM 'web' is in subscription {SUBSCRIPTION}, but .* is in {OTHER}",
        ),
        (
            ENCRYPTED,
            DAILY,
            "disk 'data' of VM 'web' is encrypted .*; give location 'north' an encryption_set",
        ),
        (machine(EXCLUDED), DAILY, f"VM 'web' has no disk left to protect; take the tag {EXCLUDE_TAG} off"),
        (
            replace(machine(), disks=(), has_ephemeral_os_disk=False),
            DAILY,
            "VM 'web' has no disk left to protect; attach a managed disk",
        ),
    ],
)
def test_why_a_vm_cannot_be_protected_is_said(vm, policy, what):
    (fault,) = vm.protection_faults(policy)
    assert re.search(what, fault.message)


def test_a_vm_with_one_disk_that_is_not_managed_is_refused_under_every_policy():
    blob = {"name": "old", "lun": 1, "vhd": {"uri": "https://account.blob.example/vhds/old.vhd"}}
    managed = {"name": "os", "managedDisk": {"id": "…/disks/os"}}
    storage = {"osDisk": managed, "dataDisks": [blob]}
    vm = machine(model={"properties": {"storageProfile": storage}})
    for policy in (DAILY, LEAVING_OUT, None):
        (fault,) = vm.protection_faults(policy)
        assert fault.message.startswith("disk 'old' of VM 'web' is not a managed disk")


def test_all_reasons_are_said_at_once():
    home = replace(WEST, region="francecentral", subscription=OTHER)
    vm = machine(EXCLUDED, has_ephemeral_os_disk=True)
    assert len(vm.protection_faults(replace(DAILY, home=home))) == 4


def test_what_is_left_out_must_leave_something():
    vm = machine(EXCLUDED, has_ephemeral_os_disk=True)
    assert [fault.field for fault in vm.protection_faults(LEAVING_OUT)] == ["vm", "vm"]


LISTED_DISKS = {"properties": {"storageProfile": {"osDisk": {"name": "web-os"}, "dataDisks": [{"lun": 0}]}}}


@pytest.mark.parametrize(
    ("known", "policy", "fields"),
    [
        ({}, DAILY, []),  # its disks are not known yet, which is no fault
        ({"has_ephemeral_os_disk": True}, DAILY, ["vm"]),
        ({"has_ephemeral_os_disk": True}, LEAVING_OUT, ["vm"]),  # it has no other
        ({"has_ephemeral_os_disk": True, "model": LISTED_DISKS}, DAILY, ["vm"]),
        ({"has_ephemeral_os_disk": True, "model": LISTED_DISKS}, LEAVING_OUT, []),
        ({"region": "francecentral"}, DAILY, ["policy"]),
        ({}, replace(DAILY, home=replace(WEST, subscription=OTHER)), ["policy"]),
    ],
)
def test_what_a_list_of_vms_tells_is_told_without_looking_at_the_disks(known, policy, fields):
    listed = replace(machine(), disks=(), **known)
    assert [fault.field for fault in listed.faults_at_sight(policy)] == fields


def test_the_disks_that_are_left_out_are_named_an_ephemeral_os_disk_too():
    vm = machine(disk("data", lun=0), replace(EXCLUDED, name="scratch"), model=LISTED_DISKS)
    assert vm.left_out == ("scratch",)
    assert replace(vm, has_ephemeral_os_disk=True).left_out == ("web-os", "scratch")


def test_a_vms_id_is_taken_apart_whatever_its_case():
    vm_id = f"{GROUP}/providers/microsoft.compute/VIRTUALMACHINES/Web"
    address = vm_address(vm_id)
    assert (address.subscription, address.resource_group, address.name) == (SUBSCRIPTION, "production", "Web")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "web",
        GROUP,
        f"{GROUP}/providers/Microsoft.Compute/disks/web",
        f"{GROUP}/providers/Microsoft.Compute/virtualMachines/",
        f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web/extensions/agent",
        f"https://management.azure.com{GROUP}/providers/Microsoft.Compute/virtualMachines/web",
    ],
)
def test_what_is_no_id_of_a_vm_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match="is not the id of a VM; one looks like"):
        vm_address(wrong)
