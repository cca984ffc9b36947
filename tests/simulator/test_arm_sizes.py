"""Sizes of machines: the list of them, where they are offered, what they take (azure-semantics §8)."""

from __future__ import annotations

import json

import pytest

from simulator.world_handles import DiskSpec
from tests.simulator.conftest import GIB, HOME, RECOVERY
from tests.simulator.machines import PATH, create, interface, machine_body, refused, restored_os

SIZE = "Standard_D4s_v5"


def listed(azure, region=HOME, name=SIZE):
    found = azure.sdk.resource_skus.list(filter=f"location eq '{region}'")
    return next((each for each in found if each.name == name), None)


class TestTheList:
    def test_it_tells_what_a_size_has(self, azure):
        sku = listed(azure)
        assert (sku.resource_type, sku.tier, sku.size) == ("virtualMachines", "Standard", "D4s_v5")
        assert (sku.family, sku.locations, sku.restrictions) == ("standardDSv5Family", [HOME], [])
        assert [(each.location, each.zones) for each in sku.location_info] == [(HOME, ["1", "2", "3"])]
        told = {each.name: each.value for each in sku.capabilities}
        assert told["vCPUs"] == "4"
        assert told["MemoryGB"] == "16"
        assert (told["MaxDataDiskCount"], told["PremiumIO"], told["HyperVGenerations"]) == (
            "8",
            "True",
            "V1,V2",
        )

    def test_without_a_filter_it_tells_every_region(self, azure):
        regions = {each.locations[0] for each in azure.sdk.resource_skus.list() if each.name == SIZE}
        assert {HOME, RECOVERY, "ukwest"} <= regions
        assert listed(azure, "UK West").location_info[0].zones == []

    def test_other_filters_are_refused(self, azure):
        path = "providers/Microsoft.Compute/skus?$filter=name%20eq%20'x'"
        assert json.loads(azure.ask("GET", path).body)["error"]["code"] == "BadRequest"

    def test_it_needs_its_own_right(self, azure):
        azure.cloud.roles.grant("reader", ["Microsoft.Compute/disks/read"])
        assert azure.ask("GET", "providers/Microsoft.Compute/skus", token="development:reader").status == 403
        azure.cloud.roles.grant("reader", ["Microsoft.Compute/skus/read"])
        assert azure.ask("GET", "providers/Microsoft.Compute/skus", token="development:reader").status == 200

    def test_a_size_that_a_region_does_not_have_is_not_in_it(self, azure):
        azure.cloud.offers.withdraw(SIZE, HOME)
        assert listed(azure) is None
        assert listed(azure, RECOVERY) is not None

    def test_a_restricted_size_says_where(self, azure):
        azure.cloud.offers.restrict(SIZE, HOME, "2")
        (zone,) = listed(azure).restrictions
        assert (zone.type, zone.values_property, zone.reason_code) == (
            "Zone",
            [HOME],
            "NotAvailableForSubscription",
        )
        assert (zone.restriction_info.locations, zone.restriction_info.zones) == ([HOME], ["2"])
        azure.cloud.offers.restrict(SIZE, HOME)
        assert [each.type for each in listed(azure).restrictions] == ["Location", "Zone"]
        assert listed(azure).restrictions[1].restriction_info.zones == ["1", "2", "3"]


class TestAMachineOfASize:
    def asked(self, azure, size=SIZE, **more):
        body = machine_body(restored_os(azure), interface(azure), **more)
        body["properties"]["hardwareProfile"]["vmSize"] = size
        return body

    def test_that_no_region_knows_is_refused(self, azure):
        """ansible-collections/azure issue 1243 has the words."""
        status, code, message = refused(azure, self.asked(azure, "Standard_Z4s_v5"))
        assert (status, code) == (400, "InvalidParameter")
        assert message.startswith("The value Standard_Z4s_v5 provided for the VM size is not valid.")

    def test_that_its_region_does_not_have_is_refused(self, azure):
        """Azure/azure-quickstart-templates issue 7147 has the words."""
        azure.cloud.offers.withdraw(SIZE, HOME)
        status, code, message = refused(azure, self.asked(azure))
        assert (status, code) == (400, "InvalidParameter")
        assert message.startswith(f"The requested VM size {SIZE} is not available in the current region.")
        assert SIZE not in message.split("are: ")[1].split(".")[0].split(",")

    def test_that_is_restricted_in_its_region_is_refused(self, azure):
        """MicrosoftDocs/azure-docs-cli issue 599 has the words."""
        azure.cloud.offers.restrict(SIZE, HOME)
        status, code, message = refused(azure, self.asked(azure))
        assert (status, code) == (409, "SkuNotAvailable")
        assert message == (
            f"The requested size for resource '{azure.id('virtualMachines', 'new')}' is currently not "
            f"available in location '{HOME}' zones '' for subscription '{azure.cloud.subscription}'. Please "
            "try another size or deploy to a different location or zones. See "
            "https://aka.ms/azureskunotavailable for details."
        )

    def test_that_is_restricted_in_a_zone_is_refused_there_alone(self, azure):
        azure.cloud.offers.restrict(SIZE, HOME, "1")
        zonal = azure.make_disk("zonal", disk_of(azure, zones=["1"])).id
        nic = interface(azure)
        status, code, message = refused(azure, machine_body(zonal, nic, zones=["1"]))
        assert (status, code) == (409, "SkuNotAvailable")
        assert "zones '1'" in message
        assert create(azure, "new", machine_body(restored_os(azure), nic)).provisioning_state == "Succeeded"

    def test_without_trusted_launch_says_so_and_refuses_it(self, azure):
        """Azure/azure-cli issue 28005 has the words."""
        told = {each.name: each.value for each in listed(azure, name="Standard_A4_v2").capabilities}
        assert told["TrustedLaunchDisabled"] == "True"
        assert "TrustedLaunchDisabled" not in {each.name for each in listed(azure).capabilities}
        secured = {"securityType": "TrustedLaunch"}
        spec = DiskSpec(GIB, "Standard_LRS", {"osType": "Linux", "securityProfile": secured})
        os_disk = azure.cloud.add_disk("secured", HOME, "production", spec).id
        body = machine_body(os_disk, interface(azure), securityProfile=secured)
        body["properties"]["hardwareProfile"]["vmSize"] = "Standard_A4_v2"
        assert refused(azure, body) == (
            400,
            "BadRequest",
            "The VM size 'Standard_A4_v2' is not supported for creation of VMs and Virtual Machine Scale Set "
            "with 'TrustedLaunch' security type.",
        )
        body["properties"]["hardwareProfile"]["vmSize"] = SIZE
        assert create(azure, "new", body).provisioning_state == "Succeeded"

    def test_that_it_has_already_is_not_asked_for_again(self, azure):
        azure.cloud.offers.restrict(SIZE, HOME)
        body = json.loads(azure.ask("GET", f"{PATH}/web").body)
        assert azure.ask("PUT", f"{PATH}/web", body).status == 200

    def test_takes_so_many_disks(self, azure):
        """kubernetes-sigs/azuredisk-csi-driver issue 879 has the words."""
        disks = [azure.cloud.add_disk(f"d{each}", HOME, "production", GIB).id for each in range(9)]
        body = machine_body(restored_os(azure), interface(azure), disks)
        status, code, message = refused(azure, body)
        assert (status, code) == (409, "OperationNotAllowed")
        assert message.endswith("allowed to be attached to a VM of this size is 8.")
        more = {"dataDisksToAttach": [{"diskId": each} for each in disks[:8]]}
        answer = azure.ask("POST", f"{PATH}/web/attachDetachDataDisks", more)
        assert (answer.status, json.loads(answer.body)["error"]["code"]) == (409, "OperationNotAllowed")
        assert azure.sdk.disks.get("production", "d0").disk_state == "Unattached"


def disk_of(azure, **more):
    source = {"createOption": "Copy", "sourceResourceId": azure.take("of-zonal", disk="os").id}
    return {"location": HOME, "sku": {"name": "Premium_LRS"}, "properties": {"creationData": source}, **more}


class TestUltraAndPremiumV2Disks:
    """§5; "Azure managed disk types"."""

    def fast(self, azure, sku):
        return azure.cloud.add_disk("fast", HOME, "production", DiskSpec(4 * GIB, sku)).id

    def test_an_ultra_disk_needs_a_machine_that_is_made_for_it(self, azure):
        """Microsoft's "Fail to mount an Azure disk volume" has the words."""
        body = machine_body(restored_os(azure), interface(azure), [self.fast(azure, "UltraSSD_LRS")])
        status, code, message = refused(azure, body)
        assert (status, code) == (400, "InvalidParameter")
        assert "can be used only when additionalCapabilities.ultraSSDEnabled is set." in message
        body["properties"]["additionalCapabilities"] = {"ultraSSDEnabled": True}
        assert create(azure, "new", body).provisioning_state == "Succeeded"

    def test_a_premium_v2_disk_needs_none(self, azure):
        body = machine_body(restored_os(azure), interface(azure), [self.fast(azure, "PremiumV2_LRS")])
        assert create(azure, "new", body).provisioning_state == "Succeeded"

    @pytest.mark.parametrize("caching", ["ReadOnly", "ReadWrite"])
    def test_they_are_not_cached(self, azure, caching):
        """kubernetes-sigs/azuredisk-csi-driver issue 1131 has the words."""
        body = machine_body(restored_os(azure), interface(azure), [self.fast(azure, "PremiumV2_LRS")])
        body["properties"]["storageProfile"]["dataDisks"][0]["caching"] = caching
        status, code, message = refused(azure, body)
        assert (status, code) == (400, "InvalidParameter")
        assert message == (
            f"Storage Account type PremiumV2_LRS is not supported with caching type {caching}. Please use "
            "caching type None."
        )

    def test_they_are_no_os_disks(self, azure):
        spec = DiskSpec(4 * GIB, "PremiumV2_LRS", {"osType": "Linux"})
        disk = azure.cloud.add_disk("fast", HOME, "production", spec).id
        assert refused(azure, machine_body(disk, interface(azure)))[1] == "SimulatorNotOfThisSku"


class TestWhatAMachineSaysOfItsDisks:
    def web(self, azure):
        return json.loads(azure.ask("GET", f"{PATH}/web").body)

    def said(self, azure, **entry):
        body = self.web(azure)
        body["properties"]["storageProfile"]["dataDisks"][0] |= entry
        return refused(azure, body, "web")

    def test_their_type_is_changed_at_the_disk(self, azure):
        """hashicorp/terraform-provider-azurerm issue 921 has the words."""
        status, code, message = self.said(azure, managedDisk={"id": azure.web.disk("data").id} | STANDARD)
        assert (status, code) == (409, "OperationNotAllowed")
        assert message.startswith("Managed disk storage account type change through Virtual Machine 'web'")

    def test_their_size_is(self, azure):
        assert self.said(azure, diskSizeGB=128)[:2] == (400, "SimulatorNotSimulated")

    def test_their_performance_is(self, azure):
        """kubernetes-sigs/azuredisk-csi-driver issue 3403 has the words."""
        status, code, message = self.said(azure, diskIOPSReadWrite=500)
        assert (status, code) == (400, "InvalidParameter")
        assert "only on VMs in a Virtual Machine Scale Set" in message

    def test_no_two_have_one_lun(self, azure):
        """openshift/openshift-azure issue 83 has the words."""
        disks = [azure.cloud.add_disk(name, HOME, "production", GIB).id for name in ("d1", "d2")]
        body = machine_body(restored_os(azure), interface(azure), disks)
        body["properties"]["storageProfile"]["dataDisks"][1]["lun"] = 0
        assert refused(azure, body) == (400, "InvalidParameter", "A disk at LUN 0 already exists.")


STANDARD = {"storageAccountType": "Standard_LRS"}
