"""Restores: which snapshots become which disks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.blob_sources import BlobSource
from domain.copies import CopyState, copies_of
from domain.errors import InvalidInput
from domain.manifests import ReplicaBlob, home_manifest, recovery_manifest
from domain.policy import Method
from domain.restores import RestoredDisk, plan_disks
from tests.domain.samples import NORTH, WEST, available_point, disk, machine

OPERATION = "20261122-0123456789abcdef0123"
ENCRYPTION_SET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskEncryptionSets/west"


def replica_in_the_north(vm):
    point = available_point(vm)
    copies = [replace(copy, state=CopyState.AVAILABLE) for copy in copies_of(point)]
    return recovery_manifest(point, NORTH, copies)


def test_every_disk_of_the_replica_is_planned_as_it_was():
    traits = {"osType": "Linux", "hyperVGeneration": "V2"}
    vm = machine(disk("os", traits=traits), disk("data", lun=5, sku="UltraSSD_LRS"))
    manifest = replica_in_the_north(vm)
    os, data = plan_disks(OPERATION, manifest, NORTH)
    assert (os.source_disk, os.lun, os.traits) == ("os", None, traits)
    assert (data.source_disk, data.lun, data.sku) == ("data", 5, "UltraSSD_LRS")
    assert [plan.snapshot_id for plan in (os, data)] == [part.snapshot_id for part in manifest.disks]
    assert all(plan.region == "northeurope" and "/resourceGroups/restored/" in plan.id for plan in (os, data))
    assert os.tags == {"tidemark-point": manifest.point, "tidemark-operation": OPERATION}


PAGES = replace(NORTH, method=Method.PAGES, pages="https://vault.example/replicas")
SECURED = {"securityProfile": {"securityType": "TrustedLaunch"}}
SECTORS = {"creationData": {"logicalSectorSize": 4096}}


def replica_of_blobs(*disks):
    manifest = replica_in_the_north(machine(*disks))
    parts = [
        replace(
            part,
            snapshot_id="",
            blob=ReplicaBlob(f"{part.disk.key}/1.vhd", "t", 1024, "link", None, PAGES.pages),
        )
        for part in manifest.disks
    ]
    return replace(manifest, disks=tuple(parts))


def test_disks_of_page_blobs_are_imported_from_copies_of_this_restore_or_uploaded():
    manifest = replica_of_blobs(disk("os"))
    (uploaded,) = plan_disks(OPERATION, manifest, PAGES)
    (imported,) = plan_disks(OPERATION, manifest, replace(PAGES, account_id="/accounts/vault"))
    key = manifest.disks[0].disk.key
    assert uploaded.blob == BlobSource("https://vault.example/replicas", f"{key}/1.vhd", "t", 1024)
    assert (uploaded.source, uploaded.blob.is_imported) == ("an upload of 1024 bytes", False)
    assert imported.source == f"https://vault.example/replicas/restores/{OPERATION}/{key}.vhd"
    assert (imported.id, imported.sku, imported.tags) == (uploaded.id, uploaded.sku, uploaded.tags)


@pytest.mark.parametrize(
    ("traits", "location", "said"),
    [
        (SECURED, PAGES, "it is secured by TrustedLaunch"),
        (SECTORS, PAGES, "it has sectors of 4096 bytes, and a VHD"),
        ({}, NORTH, "has its pages nowhere any more; give it the former back"),
        (
            {},
            replace(PAGES, pages="https://other.example/replicas"),
            "in https://vault.example/replicas, and",
        ),
    ],
)
def test_what_cannot_be_made_of_a_page_blob_is_told_with_the_reason(traits, location, said):
    manifest = replica_of_blobs(disk("os"), disk("data", lun=0, traits=traits))
    with pytest.raises(InvalidInput, match=said):
        plan_disks(OPERATION, manifest, location)
    if traits:
        assert len(plan_disks(OPERATION, manifest, location, ["os"])) == 1


def test_zones_are_kept_in_their_own_region_only():
    vm = machine(disk("os", zones=("2",)))
    (at_home,) = plan_disks(OPERATION, home_manifest(available_point(vm), WEST), WEST)
    (away,) = plan_disks(OPERATION, replica_in_the_north(vm), NORTH)
    assert (at_home.zones, away.zones) == (("2",), ())


def test_the_same_restore_plans_the_same_disks_and_another_plans_others():
    manifest = replica_in_the_north(machine())
    one, again = (plan_disks(OPERATION, manifest, NORTH) for _ in range(2))
    other = plan_disks("20261122-aaaaaaaaaaaaaaaaaaaa", manifest, NORTH)
    assert one == again
    assert not {plan.id for plan in one} & {plan.id for plan in other}


def test_disks_of_one_name_from_two_groups_become_two_disks():
    group = "/subscriptions/s/resourceGroups/other/providers/Microsoft.Compute/disks"
    vm = machine(disk("data"), disk("data", lun=1, id=f"{group}/data", unique_id="another"))
    plans = plan_disks(OPERATION, replica_in_the_north(vm), NORTH)
    assert len({plan.id for plan in plans}) == len({plan.snapshot_id for plan in plans}) == 2


def test_an_encryption_set_serves_its_own_region():
    vm = machine(disk("os", encryption_set_id=ENCRYPTION_SET))
    (at_home,) = plan_disks(OPERATION, home_manifest(available_point(vm), WEST), WEST)
    assert at_home.encryption_set_id == ENCRYPTION_SET
    keyed = replace(NORTH, encryption_set_id="north's own")
    (away,) = plan_disks(OPERATION, replica_in_the_north(vm), keyed)
    assert away.encryption_set_id == "north's own"
    with pytest.raises(InvalidInput, match="give location 'north' an encryption_set"):
        plan_disks(OPERATION, replica_in_the_north(vm), NORTH)


def test_a_disk_without_a_key_of_its_own_gets_none():
    keyed = replace(NORTH, encryption_set_id="north's own")
    plans = plan_disks(OPERATION, replica_in_the_north(machine()), keyed)
    assert [plan.encryption_set_id for plan in plans] == [None, None]


def test_a_manifest_of_another_location_or_region_is_refused():
    manifest = replica_in_the_north(machine())
    with pytest.raises(InvalidInput, match=r"it describes north \(northeurope\), not west"):
        plan_disks(OPERATION, manifest, WEST)
    with pytest.raises(InvalidInput, match="it describes north"):
        plan_disks(OPERATION, manifest, replace(NORTH, region="uksouth"))
    assert plan_disks(OPERATION, manifest, replace(NORTH, region="NorthEurope"))


def test_only_the_disks_that_are_named_are_planned_and_asked_about():
    vm = machine(disk("os", encryption_set_id=ENCRYPTION_SET), disk("data", lun=0), disk("logs", lun=1))
    plans = plan_disks(OPERATION, replica_in_the_north(vm), NORTH, ("DATA", "logs"))
    assert [plan.source_disk for plan in plans] == ["data", "logs"]


def test_every_fault_of_every_disk_is_told_at_once():
    vm = machine(
        disk("os", encryption_set_id=ENCRYPTION_SET), disk("data", lun=0, sku="UltraSSD_LRS", zones=("1",))
    )
    with pytest.raises(InvalidInput) as refused:
        plan_disks(OPERATION, replica_in_the_north(vm), NORTH, ("os", "data", "none"))
    fields = [fault.field for fault in refused.value.faults]
    assert fields == ["disks", "location", "location"]
    assert "no disk 'none'; it has os, data" in refused.value.faults[0].message
    assert "zone 1 of westeurope" in refused.value.faults[2].message


def sectors(size, **known):
    return disk("data", lun=0, traits={"creationData": {"logicalSectorSize": size}}, **known)


@pytest.mark.parametrize("sku", ["Premium_LRS", "Premium_ZRS", "StandardSSD_LRS", "Standard_LRS"])
def test_a_disk_with_sectors_that_its_type_has_not_is_refused_with_what_to_do(sku):
    vm = machine(disk("os"), sectors(4096, sku=sku))
    with pytest.raises(InvalidInput) as refused:
        plan_disks(OPERATION, replica_in_the_north(vm), NORTH)
    [fault] = refused.value.faults
    assert fault.field == "disks"
    assert (
        "disk 'data' has sectors of 4096 bytes, and of its snapshot Azure makes no disk of" in fault.message
    )
    assert "restore the other disks by name, and make a Premium SSD v2 or Ultra disk" in fault.message
    [other] = plan_disks(OPERATION, replica_in_the_north(vm), NORTH, ("os",))
    assert other.source_disk == "os"


@pytest.mark.parametrize("sku", ["PremiumV2_LRS", "UltraSSD_LRS"])
@pytest.mark.parametrize("size", [512, 4096])
def test_a_disk_whose_type_has_such_sectors_is_asked_for_with_them(sku, size):
    vm = machine(disk("os"), sectors(size, sku=sku))
    _, data = plan_disks(OPERATION, replica_in_the_north(vm), NORTH)
    assert data.traits == {"creationData": {"logicalSectorSize": size}}


def test_the_usual_sectors_are_not_asked_for_of_a_type_that_has_no_others():
    vm = machine(disk("os"), sectors(512))
    _, data = plan_disks(OPERATION, replica_in_the_north(vm), NORTH)
    assert data.traits == {}


def test_a_confidential_disk_with_a_key_of_its_owner_comes_back_at_home_only():
    secure = {"securityProfile": {"secureVMDiskEncryptionSetId": ENCRYPTION_SET}}
    vm = machine(disk("os", traits=secure))
    with pytest.raises(InvalidInput, match="serves westeurope only; restore it at home"):
        plan_disks(OPERATION, replica_in_the_north(vm), NORTH)
    [os] = plan_disks(OPERATION, home_manifest(available_point(vm), WEST), WEST)
    assert os.traits == secure


def test_tags_of_a_disk_come_along():
    vm = machine(disk("os", tags={"owner": "shop", "tidemark-point": "of an older restore"}))
    manifest = replica_in_the_north(vm)
    (plan,) = plan_disks(OPERATION, manifest, NORTH)
    assert plan.tags == {
        "owner": "shop", "tidemark-point": manifest.point, "tidemark-operation": OPERATION,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "is_ready", "has_failed"),
    [
        ("Updating", False, False),
        ("Creating", False, False),
        ("Succeeded", True, False),
        ("Failed", False, True),
        ("Canceled", False, True),
    ],
)
def test_what_azure_says_of_a_restored_disk_means(state, is_ready, has_failed):
    restored = RestoredDisk("id", "name", state, "snapshot")
    assert (restored.is_ready, restored.has_failed) == (is_ready, has_failed)


def test_a_restored_disk_is_told_as_what_it_was():
    plan = plan_disks(OPERATION, replica_in_the_north(machine()), NORTH)[1]
    restored = RestoredDisk(plan.id, "name", "Succeeded", plan.snapshot_id).of(plan)
    assert (restored.source_disk, restored.lun) == ("data", 0)
