"""Disks through the real SDK against the simulated cloud.

What the simulated cloud does is held to azure-semantics.md by its own tests; these hold the gateway to it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import Absent, Refused, Transient
from domain.manifests import home_manifest
from domain.restores import plan_disks
from tests.gateways.simulated import OPERATION


def test_disks_made_from_a_point_hold_its_bytes_in_either_region(azure, web):
    written = {"os": b"boot" * 1024, "data": b"rows" * 1024}
    for name, content in written.items():
        web.disk(name).image.write(1024 * 1024, content)
    point = azure.taken(web)
    for name in written:
        web.disk(name).image.write(1024 * 1024, b"later" * 1024)
    away = azure.copied(point)

    for manifest, location in ((home_manifest(point, azure.west), azure.west), (away, azure.north)):
        for plan, name in zip(plan_disks(OPERATION, manifest, location), written, strict=True):
            azure.disks.begin(plan)
            azure.pass_time()
            disk = azure.disks.find(plan.id)
            assert disk is not None
            assert disk.is_ready
            assert (disk.source_id, disk.size_bytes) == (plan.snapshot_id, plan.size_bytes)
            image = azure.cloud.disk(plan.id).image
            assert image.read(1024 * 1024, len(written[name])) == written[name]


def test_disks_come_back_after_the_region_is_lost(azure, web):
    web.disk("os").image.write(0, b"kept")
    manifest = azure.copied(azure.taken(web))
    azure.cloud.lose_region("westeurope")
    with pytest.raises(Transient):
        azure.machines.describe(web.id)

    plan = plan_disks(OPERATION, manifest, azure.north)[0]
    azure.disks.begin(plan)
    azure.pass_time()
    assert azure.cloud.disk(plan.id).image.read(0, 4) == b"kept"


def test_a_disk_is_given_again_what_the_snapshot_does_not_hold(azure, web):
    keys = azure.cloud.add_disk_encryption_set(
        "keys", azure.west.region, "restored-west", with_platform_key=True
    )
    plan = replace(
        plan_disks(OPERATION, home_manifest(azure.taken(web), azure.west), azure.west)[1],
        sku="UltraSSD_LRS",
        zones=("2",),
        encryption_set_id=keys,
        traits={
            "diskIOPSReadWrite": 4000,
            "diskMBpsReadWrite": 200,
            "maxShares": 2,
            "creationData": {"logicalSectorSize": 512},
            "encryption": {"type": "EncryptionAtRestWithPlatformAndCustomerKeys"},
        },
    )
    azure.disks.begin(plan)
    azure.pass_time()
    made = azure.disk_model(plan.id)
    properties = made["properties"]
    assert (made["sku"]["name"], made["zones"]) == ("UltraSSD_LRS", ["2"])
    assert (properties["diskIOPSReadWrite"], properties["diskMBpsReadWrite"]) == (4000, 200)
    assert properties["maxShares"] == 2
    assert properties["creationData"]["logicalSectorSize"] == 512
    assert properties["creationData"]["sourceResourceId"] == plan.snapshot_id
    assert properties["encryption"] == {
        "type": "EncryptionAtRestWithPlatformAndCustomerKeys",
        "diskEncryptionSetId": keys,
    }


def test_a_disk_whose_key_stays_behind_is_not_asked_to_be_encrypted_with_it(azure, web):
    plan = plan_disks(OPERATION, home_manifest(azure.taken(web), azure.west), azure.west)[1]
    azure.disks.begin(replace(plan, traits={"encryption": {"type": "EncryptionAtRestWithCustomerKey"}}))
    azure.pass_time()
    assert azure.disk_model(plan.id)["properties"]["encryption"] == {
        "type": "EncryptionAtRestWithPlatformKey"
    }


def test_beginning_a_disk_twice_makes_one(azure, web):
    point = azure.taken(web)
    plan = plan_disks(OPERATION, home_manifest(point, azure.west), azure.west)[0]
    azure.disks.begin(plan)
    azure.pass_time()
    azure.cloud.disk(plan.id).image.write(0, b"in use")
    assert azure.disks.begin(plan).is_ready
    assert azure.cloud.disk(plan.id).image.read(0, 6) == b"in use"


def test_a_disk_of_another_snapshot_under_the_name_is_refused(azure, web):
    plans = plan_disks(OPERATION, home_manifest(azure.taken(web), azure.west), azure.west)
    azure.disks.begin(plans[0])
    with pytest.raises(Refused, match=r"was made of .* instead of") as refused:
        azure.disks.begin(replace(plans[1], id=plans[0].id))
    assert refused.value.code == "NameTaken"


def test_a_disk_that_is_not_there_is_not_found(azure):
    group = azure.west.restore_group_id
    assert azure.disks.find(f"{group}/providers/Microsoft.Compute/disks/none") is None
    with pytest.raises(Absent, match="ResourceGroupNotFound"):
        azure.disks.find(f"{group}-nowhere/providers/Microsoft.Compute/disks/none")
