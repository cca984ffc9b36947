"""Why a VM cannot have its size where it is brought back, and what to do about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.machine_sizes import SizeOffer, size_faults, wanted_size
from domain.manifests import home_manifest
from tests.domain.samples import SUBSCRIPTION, WEST, available_point, disk, machine
from tests.domain.test_restored_machines import HERE, STORAGE, THERE, in_the_north

SIZE = "Standard_E8s_v5"
CAPABILITIES = {
    "MaxDataDiskCount": "2",
    "HyperVGenerations": "V1,V2",
    "PremiumIO": "True",
    "CpuArchitectureType": "x64",
    "DiskControllerTypes": "SCSI, NVMe",
    "EncryptionAtHostSupported": "True",
}
OFFER = SizeOffer(SIZE, ("1", "2", "3"), capabilities=CAPABILITIES)
TRAITS = {
    "osType": "Linux",
    "hyperVGeneration": "V2",
    "supportedCapabilities": {"architecture": "x64"},
    "securityProfile": {"securityType": "TrustedLaunch"},
}
PROPERTIES = {
    "hardwareProfile": {"vmSize": "Standard_D4s_v5"},
    "storageProfile": STORAGE | {"diskControllerType": "NVMe"},
    "securityProfile": {"securityType": "TrustedLaunch", "encryptionAtHost": True},
}


def web() -> Any:
    """A VM in zone 2, of which the sample location makes zone 3, that asks much of its size."""
    disks = (disk("os", traits=TRAITS), disk("data", lun=5), disk("logs", lun=6, sku="StandardSSD_LRS"))
    return machine(*disks, model={"zones": ["2"], "properties": PROPERTIES})


def faults(offer: SizeOffer | None, vm: Any = None, location: Any = THERE) -> list[str]:
    known = vm or web()
    manifest = home_manifest(available_point(known), WEST) if location is HERE else in_the_north(known)
    found = list(size_faults(manifest, location, offer))
    assert {fault.field for fault in found} <= {"location"}
    return [fault.message for fault in found]


def lacking(**capabilities: str) -> SizeOffer:
    return replace(OFFER, capabilities=CAPABILITIES | capabilities)


def test_a_size_that_has_everything_is_no_fault():
    assert faults(OFFER) == []


def test_the_size_that_is_asked_for_is_the_one_of_the_map():
    assert wanted_size(in_the_north(web()), THERE) == SIZE


def test_a_size_that_the_region_does_not_have_is_told_with_the_map_to_change():
    assert faults(None) == [
        "northeurope does not offer VM size Standard_E8s_v5; give location 'north' another size that stands "
        "for Standard_D4s_v5 in its sizes, or restore the disks alone"
    ]


def test_at_home_where_nothing_is_mapped_another_location_is_named_as_the_way_out():
    assert faults(None, location=HERE) == [
        "westeurope does not offer VM size Standard_D4s_v5; restore the VM from another location, or its "
        "disks alone"
    ]


def test_a_restricted_size_is_told_with_the_subscription_and_azures_word_for_it():
    [told] = faults(replace(OFFER, restricted="QuotaId", restricted_zones={"3": "QuotaId"}))
    assert told.startswith(
        f"subscription {SUBSCRIPTION} cannot have VM size Standard_E8s_v5 in northeurope (QuotaId); give "
    )


def test_a_zone_that_is_restricted_is_told_with_the_maps_to_change():
    assert faults(replace(OFFER, restricted_zones={"3": "NotAvailableForSubscription"})) == [
        f"subscription {SUBSCRIPTION} cannot have VM size Standard_E8s_v5 in zone 3 of northeurope "
        "(NotAvailableForSubscription); give location 'north' another zone that stands for zone 2 of "
        "westeurope in its zones, or another size that stands for Standard_D4s_v5 in its sizes"
    ]


def test_a_zone_that_does_not_have_the_size_is_told():
    [told] = faults(replace(OFFER, zones=("1", "2")))
    assert told.startswith("northeurope does not offer VM size Standard_E8s_v5 in zone 3; give location")


def test_a_zone_that_is_not_asked_for_may_be_restricted():
    assert (
        faults(replace(OFFER, zones=("2", "3"), restricted_zones={"2": "NotAvailableForSubscription"})) == []
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HyperVGenerations", "V1", "does not start disks of generation V2, and the OS disk is one"),
        ("PremiumIO", "False", "takes no premium disks, and these are: os, data"),
        ("MaxDataDiskCount", "1", "takes 1 data disks, and the restore point has 2"),
        ("TrustedLaunchDisabled", "True", "has no Trusted Launch, which the VM was made with"),
        ("CpuArchitectureType", "Arm64", "has processors Arm64, and the OS disk is for x64"),
        ("DiskControllerTypes", "SCSI", "has no disk controller NVMe, which the VM was made with"),
        ("EncryptionAtHostSupported", "False", "cannot encrypt at the host, which the VM was made to do"),
    ],
)
def test_what_a_size_lacks_is_told(name, value, said):
    [told] = faults(lacking(**{name: value}))
    assert told == (
        f"VM size Standard_E8s_v5 {said}; give location 'north' another size that stands for "
        "Standard_D4s_v5 in its sizes, or restore the disks alone"
    )


def test_everything_is_told_at_once():
    poor = replace(lacking(PremiumIO="False", MaxDataDiskCount="0"), zones=(), restricted="QuotaId")
    assert len(faults(poor)) == 4


def test_what_azure_does_not_tell_of_a_size_is_no_fault():
    assert faults(replace(OFFER, capabilities={})) == []


def test_a_vm_that_asks_for_nothing_of_it_may_have_a_poor_size():
    plain = machine(
        disk("os", sku="Standard_LRS"),
        model={"properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v5"}, "storageProfile": STORAGE}},
    )
    poor = {
        "PremiumIO": "False", "MaxDataDiskCount": "0", "TrustedLaunchDisabled": "True",
        "HyperVGenerations": "V1", "CpuArchitectureType": "Arm64", "EncryptionAtHostSupported": "False",
    }  # fmt: skip
    assert faults(SizeOffer(SIZE, capabilities=poor), plain) == []
