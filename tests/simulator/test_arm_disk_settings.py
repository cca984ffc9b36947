"""What may be set of a disk, by its sku and size (azure-semantics §2.3, §5; "Azure managed disk types")."""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from simulator.world_handles import DiskSpec
from tests.simulator.conftest import GIB, HOME, code_of, disk_body, snapshot_body

PATH = "resourceGroups/production/providers/Microsoft.Compute/disks"


def provisioned(sku, gib=64, **more):
    return disk_body(None, sku=sku, zones=["1"], diskSizeGB=gib, **more)


def refused(azure, body, method="PUT", name="d1"):
    answer = azure.ask(method, f"{PATH}/{name}", body)
    error = json.loads(answer.body)["error"]
    return answer.status, error["code"], error["message"]


class TestPerformance:
    @pytest.mark.parametrize("sku", ["Standard_LRS", "StandardSSD_LRS", "Premium_LRS", "Premium_ZRS"])
    @pytest.mark.parametrize("name", ["diskIOPSReadWrite", "diskMBpsReadWrite"])
    def test_it_is_set_on_ultra_and_premium_v2_disks_only(self, azure, sku, name):
        """SDK docstring of `DiskProperties`: only settable for UltraSSD disks. Own code."""
        body = disk_body(None, sku=sku)
        body["properties"][name] = 500
        assert refused(azure, body)[:2] == (400, "SimulatorNotOfThisSku")

    @pytest.mark.parametrize(
        ("sku", "gib", "operations", "throughput"),
        [
            ("UltraSSD_LRS", 64, 500, 4),
            ("UltraSSD_LRS", 1024, 1024, 4),  # at least one operation for each GiB
            ("PremiumV2_LRS", 64, 3000, 125),
            ("PremiumV2_LRS", 4, 3000, 125),
        ],
    )
    def test_without_it_a_disk_has_its_baseline(self, azure, sku, gib, operations, throughput):
        disk = azure.make_disk("d1", provisioned(sku, gib))
        assert (disk.disk_iops_read_write, disk.disk_m_bps_read_write) == (operations, throughput)

    @pytest.mark.parametrize(
        ("sku", "gib", "operations", "throughput"),
        [
            ("UltraSSD_LRS", 4, 4000, 1000),
            ("UltraSSD_LRS", 512, 400_000, 10_000),
            ("PremiumV2_LRS", 8, 4000, 1000),
            ("PremiumV2_LRS", 160, 80_000, 2000),
        ],
    )
    def test_the_documented_caps_can_be_had(self, azure, sku, gib, operations, throughput):
        asked = {"diskIOPSReadWrite": operations, "diskMBpsReadWrite": throughput}
        disk = azure.make_disk("d1", provisioned(sku, gib, **asked))
        assert (disk.disk_iops_read_write, disk.disk_m_bps_read_write) == (operations, throughput)

    @pytest.mark.parametrize(
        ("sku", "gib", "asked", "range_told"),
        [
            ("UltraSSD_LRS", 512, {"diskIOPSReadWrite": 500}, "between 512 and 400000"),  # CSI issue 1442
            ("UltraSSD_LRS", 4, {"diskIOPSReadWrite": 4001}, "between 100 and 4000"),
            ("UltraSSD_LRS", 4, {"diskMBpsReadWrite": 126}, "between 1 and 125"),  # of 500 operations
            ("PremiumV2_LRS", 8, {"diskIOPSReadWrite": 4001}, "between 3000 and 4000"),
            ("PremiumV2_LRS", 64, {"diskIOPSReadWrite": 2999}, "between 3000 and 32000"),
            ("PremiumV2_LRS", 64, {"diskMBpsReadWrite": 751}, "between 125 and 750"),
        ],
    )
    def test_beyond_the_range_of_its_size_it_is_refused(self, azure, sku, gib, asked, range_told):
        """kubernetes-sigs/azuredisk-csi-driver issue 1442 has the words."""
        status, code, message = refused(azure, provisioned(sku, gib, **asked))
        assert (status, code) == (400, "BadRequest")
        name, value = next(iter(asked.items()))
        assert message == (
            f"The value {value} of parameter disk.{name} is not valid. The supported range for a {sku} disk "
            f"of size {gib} GB is {range_told}."
        )

    def test_growing_an_ultra_disk_needs_the_operations_of_its_new_size(self, azure):
        azure.make_disk("d1", provisioned("UltraSSD_LRS", 64, diskIOPSReadWrite=100))
        assert refused(azure, {"properties": {"diskSizeGB": 128}}, "PATCH")[1] == "BadRequest"
        both = {"properties": {"diskSizeGB": 128, "diskIOPSReadWrite": 200}}
        assert azure.sdk.disks.begin_update("production", "d1", both).result().disk_iops_read_write == 200

    @pytest.mark.parametrize("value", ["4000", True, 4000.5])
    def test_it_is_a_whole_number(self, azure, value):
        body = provisioned("UltraSSD_LRS", diskIOPSReadWrite=value)
        assert refused(azure, body)[:2] == (400, "InvalidRequestContent")


def test_what_a_get_told_can_be_sent_back(azure):
    """`az disk update` reads, changes and puts the whole document."""
    azure.make_disk("d1", disk_body(None))
    told = json.loads(azure.ask("GET", f"{PATH}/d1").body)
    assert told["properties"]["diskIOPSReadWrite"] == 120
    assert azure.ask("PUT", f"{PATH}/d1", {**told, "tags": {"a": "b"}}).status == 202
    azure.pass_time(seconds=2)
    again = json.loads(azure.ask("GET", f"{PATH}/d1").body)
    assert again == {**told, "tags": {"a": "b"}}


class TestSectors:
    @pytest.mark.parametrize("sku", ["Standard_LRS", "Premium_LRS"])
    def test_their_size_is_chosen_on_ultra_and_premium_v2_disks_only(self, azure, sku):
        """SDK docstring of `CreationData.logicalSectorSize`. Own code."""
        body = disk_body(None, sku=sku)
        body["properties"]["creationData"]["logicalSectorSize"] = 512
        assert refused(azure, body)[:2] == (400, "SimulatorNotOfThisSku")

    @pytest.mark.parametrize(("asked", "told"), [(None, 4096), (512, 512), (4096, 4096)])
    def test_they_have_512_or_4096_bytes_and_4096_if_nothing_is_said(self, azure, asked, told):
        body = provisioned("PremiumV2_LRS")
        body["properties"]["creationData"]["logicalSectorSize"] = asked
        assert azure.make_disk("d1", body).creation_data.logical_sector_size == told

    def test_they_have_no_other_size(self, azure):
        body = provisioned("PremiumV2_LRS")
        body["properties"]["creationData"]["logicalSectorSize"] = 1024
        assert refused(azure, body)[:2] == (400, "InvalidParameter")

    @pytest.fixture
    def of_4096(self, azure):
        return self.snapshot_of(azure, DiskSpec(4 * GIB, sku="PremiumV2_LRS"))

    def snapshot_of(self, azure, spec):
        disk = azure.cloud.add_disk("fast", HOME, "production", spec, zones=["1"])
        azure.sdk.snapshots.begin_create_or_update("production", "s1", snapshot_body(disk.id)).result()
        azure.pass_time(hours=1)
        return azure.sdk.snapshots.get("production", "s1")

    def test_a_disk_from_a_snapshot_keeps_those_of_the_source(self, azure, of_4096):
        assert of_4096.creation_data.logical_sector_size == 4096
        body = disk_body(of_4096.id, sku="UltraSSD_LRS", zones=["1"])
        assert azure.make_disk("d1", body).creation_data.logical_sector_size == 4096
        body["properties"]["creationData"]["logicalSectorSize"] = 512
        assert refused(azure, body, name="d2")[:2] == (400, "SimulatorSectorSizeMismatch")

    def test_a_disk_with_sectors_of_4096_bytes_does_not_become_a_premium_disk(self, azure, of_4096):
        """Microsoft's "Change the disk type": the source must have sectors of 512 bytes."""
        assert refused(azure, disk_body(of_4096.id))[:2] == (400, "SimulatorSectorSizeMismatch")

    def test_one_with_sectors_of_512_bytes_does(self, azure):
        small = {"creationData": {"logicalSectorSize": 512}}
        snapshot = self.snapshot_of(azure, DiskSpec(4 * GIB, sku="PremiumV2_LRS", properties=small))
        assert azure.make_disk("d1", disk_body(snapshot.id)).provisioning_state == "Succeeded"

    def test_a_premium_disk_becomes_a_premium_v2_disk_with_512(self, azure):
        body = disk_body(azure.take("s1").id, sku="PremiumV2_LRS", zones=["1"])
        assert azure.make_disk("d1", body).creation_data.logical_sector_size == 512

    def test_4096_bytes_are_not_exported_as_vhd(self, azure, of_4096):
        """§4.5: VHDX; the words are those of Azure/azure-powershell issue 24129."""
        with pytest.raises(HttpResponseError, match="Set the fileFormat property to VHDX"):
            azure.sdk.snapshots.begin_grant_access(
                "production", "s1", {"access": "Read", "durationInSeconds": 60}
            )


class TestTierAndBursting:
    def test_a_premium_disk_has_a_higher_tier_and_its_numbers(self, azure):
        disk = azure.make_disk("d1", disk_body(None, tier="P30"))
        assert (disk.tier, disk.disk_iops_read_write) == ("P30", 5000)

    @pytest.mark.parametrize(
        ("sku", "gib", "asked", "code"),
        [
            ("StandardSSD_LRS", 1024, {"tier": "P30"}, "SimulatorNotOfThisSku"),
            ("Premium_LRS", 1024, {"tier": "P20"}, "InvalidParameter"),  # below the baseline
            ("Premium_LRS", 1024, {"tier": "P60"}, "InvalidParameter"),  # needs more than 4 TiB
            ("Premium_LRS", 1024, {"tier": "E30"}, "InvalidParameter"),
            ("StandardSSD_LRS", 1024, {"burstingEnabled": True}, "SimulatorNotOfThisSku"),
            ("Premium_LRS", 512, {"burstingEnabled": True}, "InvalidParameter"),
            ("Premium_LRS", 1024, {"burstingEnabled": True, "tier": "P40"}, "InvalidParameter"),
            ("Premium_LRS", 1024, {"burstingEnabled": "yes"}, "InvalidRequestContent"),
            ("Standard_LRS", 64, {"maxShares": 2}, "InvalidParameter"),
            ("Premium_LRS", 64, {"maxShares": 4}, "InvalidParameter"),
        ],
    )
    def test_what_a_disk_cannot_have_is_refused(self, azure, sku, gib, asked, code):
        """ "Change the performance of managed disks", "On-demand bursting", "Share an Azure managed disk"."""
        assert refused(azure, disk_body(None, sku=sku, **{"diskSizeGB": gib, **asked}))[:2] == (400, code)

    def test_a_change_is_held_to_the_same_rules(self, azure):
        azure.make_disk("d1", disk_body(None))
        assert refused(azure, {"properties": {"burstingEnabled": True}}, "PATCH")[1] == "InvalidParameter"
        tier_of_another = {"properties": {"tier": "P30"}, "sku": {"name": "Standard_LRS"}}
        assert refused(azure, tier_of_another, "PATCH")[:2] == (400, "SimulatorNotOfThisSku")
        assert azure.sdk.disks.get("production", "d1").sku.name == "Premium_LRS"

    def test_a_disk_that_is_premium_no_more_has_no_tier(self, azure):
        azure.make_disk("d1", disk_body(None, tier="P30"))
        changed = azure.sdk.disks.begin_update("production", "d1", {"sku": {"name": "Standard_LRS"}}).result()
        assert (changed.sku.name, changed.tier) == ("Standard_LRS", None)

    def test_a_standard_disk_does_not_outgrow_32767_gib(self, azure):
        azure.cloud.add_disk("free", HOME, "production", DiskSpec(8192 * GIB))
        assert refused(azure, {"properties": {"diskSizeGB": 32768}}, "PATCH", "free")[1] == "InvalidParameter"


class TestFixedProperties:
    @pytest.mark.parametrize(
        "asked", [{"hyperVGeneration": "V1"}, {"securityProfile": {"securityType": "TrustedLaunch"}}]
    )
    def test_they_do_not_change(self, azure, asked):
        body = disk_body(azure.take("s1", disk="os").id)
        azure.make_disk("d1", body)
        body["properties"] |= asked
        assert refused(azure, body)[:2] == (409, "PropertyChangeNotAllowed")

    def test_an_attached_disk_keeps_its_number_of_shares(self, azure):
        with pytest.raises(ResourceExistsError) as raised:
            azure.sdk.disks.begin_update("production", "web-data", {"properties": {"maxShares": 2}})
        assert code_of(raised) == "OperationNotAllowed"
