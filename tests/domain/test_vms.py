"""VMs and their disks: what is protected, and why some cannot be."""

from __future__ import annotations

import pytest

from domain.vms import EXCLUDE_TAG, POLICY_TAG, vm_address
from tests.domain.samples import GROUP, SUBSCRIPTION, disk, machine


def test_all_disks_are_protected_but_those_that_are_left_out_by_their_tag():
    vm = machine(
        disk("os"),
        disk("data", lun=0, tags={EXCLUDE_TAG: "false"}),
        disk("scratch", lun=1, tags={EXCLUDE_TAG: "true"}),
        disk("swap", lun=2, tags={"Tidemark-Exclude": "True"}),  # Azure keeps the case that was typed
        disk("logs", lun=3, tags={"exclude": "true"}),
    )
    assert [part.name for part in vm.protected_disks] == ["os", "data", "logs"]


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


def test_a_vm_that_can_be_protected_has_no_faults():
    assert machine().protection_faults("westeurope") == []
    assert machine().protection_faults("WestEurope") == []


@pytest.mark.parametrize(
    ("vm", "home", "what"),
    [
        (machine(has_ephemeral_os_disk=True), "westeurope", "VM 'web' has an ephemeral OS disk"),
        (machine(), "northeurope", "VM 'web' is in region westeurope, but .* is in northeurope"),
        (machine(disk(tags={EXCLUDE_TAG: "true"})), "westeurope", "VM 'web' has no disk left to protect"),
    ],
)
def test_why_a_vm_cannot_be_protected_is_said(vm, home, what):
    (fault,) = vm.protection_faults(home)
    with pytest.raises(ValueError, match=what):
        raise ValueError(fault.message)


def test_all_reasons_are_said_at_once():
    vm = machine(disk(tags={EXCLUDE_TAG: "true"}), has_ephemeral_os_disk=True)
    assert len(vm.protection_faults("northeurope")) == 3


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
