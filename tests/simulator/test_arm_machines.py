"""Virtual machines (azure-semantics §4.1, §6.4, §7.2 to §7.4)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)

from simulator.world_handles import DiskSpec
from tests.simulator.conftest import GIB, HOME, RECOVERY, code_of, disk_body, snapshot_body

PATH = "resourceGroups/production/providers/Microsoft.Compute/virtualMachines"


def interface(azure, name="nic", region=HOME, group="production"):
    subnet = azure.cloud.add_network(f"net-{region}", region, group)
    path = f"resourceGroups/{group}/providers/Microsoft.Network/networkInterfaces/{name}"
    configuration = {"name": "primary", "properties": {"subnet": {"id": subnet}}}
    body = {"location": region, "properties": {"ipConfigurations": [configuration]}}
    answer = azure.ask("PUT", path, body)
    assert answer.status == 201
    azure.pass_time(seconds=1)
    return json.loads(answer.body)["id"]


def machine_body(os_disk: str, nic: str, data: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """Return the body of a machine from specialized disks."""
    storage = {
        "osDisk": {"osType": "Linux", "createOption": "Attach", "managedDisk": {"id": os_disk}},
        "dataDisks": [
            {"lun": lun, "createOption": "Attach", "managedDisk": {"id": disk}}
            for lun, disk in enumerate(data or [])
        ],
    }
    properties = {
        "hardwareProfile": {"vmSize": "Standard_D4s_v5"},
        "storageProfile": storage,
        "networkProfile": {"networkInterfaces": [{"id": nic}]},
    }
    body: dict[str, Any] = {"location": HOME, "properties": properties}
    for name, value in more.items():
        (body if name in ("location", "zones", "tags", "plan") else properties)[name] = value
    return body


def restored_os(azure, name="os-restored", **more):
    return azure.make_disk(name, disk_body(azure.take(f"of-{name}", disk="os").id, **more)).id


def create(azure, name, body, group="production"):
    return azure.sdk.virtual_machines.begin_create_or_update(group, name, body).result()


def refused(azure, body, name="new"):
    answer = azure.ask("PUT", f"{PATH}/{name}", body)
    error = json.loads(answer.body)["error"]
    return answer.status, error["code"], error["message"]


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
        ({"zones": ["1"]}, "SimulatorZoneMismatch", "zone"),
        ({"availabilitySet": {"id": "/a/set"}}, "SimulatorNotSimulated", "availabilitySet"),
    ],
)
def test_a_machine_that_cannot_be_is_refused(azure, change, code, words):
    """§7.4; a zone that does not fit has no published code."""
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


class TestSwappingTheOsDisk:
    """§7.2."""

    def read(self, azure):
        return json.loads(azure.ask("GET", f"{PATH}/web").body)

    def swapped(self, azure, disk, **change):
        body = self.read(azure)
        os_disk = body["properties"]["storageProfile"]["osDisk"]
        os_disk["managedDisk"] = {"id": disk}
        os_disk["name"] = disk.rsplit("/", 1)[-1]
        os_disk |= change
        return body

    def test_id_and_name_change_and_the_create_option_stays(self, azure):
        disk = restored_os(azure)
        azure.sdk.virtual_machines.begin_deallocate("production", "web").result()
        vm = create(azure, "web", self.swapped(azure, disk))
        assert vm.storage_profile.os_disk.managed_disk.id == disk
        assert vm.storage_profile.os_disk.create_option == "FromImage"
        assert azure.sdk.disks.get("production", "web-os").disk_state == "Unattached"
        assert azure.sdk.disks.get("production", "os-restored").disk_state == "Reserved"
        azure.sdk.virtual_machines.begin_start("production", "web").result()

    @pytest.mark.parametrize(
        ("change", "code", "words"),
        [
            ({"createOption": "Attach"}, "PropertyChangeNotAllowed", "osDisk.createOption"),
            ({"name": "web-os"}, "PropertyChangeNotAllowed", "osDisk.name"),
        ],
    )
    def test_anything_else_is_refused(self, azure, change, code, words):
        status, found, message = refused(azure, self.swapped(azure, restored_os(azure), **change), "web")
        assert (status, found) == (409, code)
        assert words in message

    def test_the_storage_type_must_be_cleared_or_fit(self, azure):
        disk = restored_os(azure, sku="StandardSSD_LRS")
        body = self.swapped(azure, disk, managedDisk={"id": disk, "storageAccountType": "Premium_LRS"})
        assert refused(azure, body, "web")[:2] == (409, "OperationNotAllowed")

    def test_the_new_disk_must_be_unattached(self, azure):
        other = azure.cloud.add_virtual_machine("other", HOME, "production", {"os": GIB})
        body = self.swapped(azure, other.disk("os").id)
        assert refused(azure, body, "web")[:2] == (409, "ConflictingUserInput")

    def test_encryption_must_stay_the_same(self, azure):
        key = {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": "/a/set"}
        disk = azure.make_disk("secret", disk_body(None, encryption=key, osType="Linux")).id
        assert refused(azure, self.swapped(azure, disk), "web")[1] == "SimulatorEncryptionMismatch"


class TestDataDisks:
    """§7.3."""

    def model(self, azure):
        return json.loads(azure.ask("GET", f"{PATH}/web").body)

    def luns(self, azure):
        found = self.model(azure)["properties"]["storageProfile"]["dataDisks"]
        return {each["lun"]: each["managedDisk"]["id"].rsplit("/", 1)[-1] for each in found}

    def test_a_put_attaches_what_it_adds_and_detaches_what_it_leaves_out(self, azure):
        new = azure.cloud.add_disk("new", HOME, "production", GIB).id
        body = self.model(azure)
        entry = {"lun": 5, "createOption": "Attach", "managedDisk": {"id": new}, "caching": "ReadOnly"}
        body["properties"]["storageProfile"]["dataDisks"] = [entry]
        vm = create(azure, "web", body)
        assert self.luns(azure) == {5: "new"}
        assert vm.storage_profile.data_disks[0].caching == "ReadOnly"
        assert azure.sdk.disks.get("production", "web-data").disk_state == "Unattached"
        assert azure.sdk.disks.get("production", "new").disk_state == "Attached"

    def test_to_be_detached_detaches(self, azure):
        body = self.model(azure)
        body["properties"]["storageProfile"]["dataDisks"][0]["toBeDetached"] = True
        create(azure, "web", body)
        assert self.luns(azure) == {}

    def test_a_model_put_back_as_it_was_changes_nothing(self, azure):
        create(azure, "web", self.model(azure))
        assert self.luns(azure) == {0: "web-data"}

    def test_attach_and_detach_without_a_put(self, azure):
        new = azure.cloud.add_disk("new", HOME, "production", GIB).id
        change: Any = {
            "dataDisksToAttach": [{"diskId": new}],
            "dataDisksToDetach": [{"diskId": azure.web.disk("data").id}],
        }
        azure.sdk.virtual_machines.begin_attach_detach_data_disks("production", "web", change).result()
        assert self.luns(azure) == {0: "new"}
        assert azure.sdk.disks.get("production", "web-data").disk_state == "Unattached"

    def test_a_lun_is_used_once(self, azure):
        new = azure.cloud.add_disk("new", HOME, "production", GIB).id
        body = self.model(azure)
        body["properties"]["storageProfile"]["dataDisks"].append(
            {"lun": 0, "createOption": "Attach", "managedDisk": {"id": new}}
        )
        assert refused(azure, body, "web")[:2] == (400, "InvalidParameter")

    def test_an_open_disk_is_not_attached(self, azure):
        """§4.1: an active SAS on a disk blocks attach."""
        azure.cloud.add_disk("new", HOME, "production", GIB)
        read = {"access": "Read", "durationInSeconds": 600}
        azure.sdk.disks.begin_grant_access("production", "new", read).result()
        change: Any = {"dataDisksToAttach": [{"diskId": azure.id("disks", "new")}]}
        with pytest.raises(ResourceExistsError, match="shared access signature"):
            azure.sdk.virtual_machines.begin_attach_detach_data_disks("production", "web", change)


class TestPower:
    """§6.4."""

    def power(self, azure):
        view = azure.sdk.virtual_machines.instance_view("production", "web")
        return [each.code for each in view.statuses][1]

    @pytest.mark.parametrize(
        ("action", "meanwhile", "then"),
        [
            ("deallocate", "PowerState/deallocating", "PowerState/deallocated"),
            ("powerOff", "PowerState/stopping", "PowerState/stopped"),
            ("start", "PowerState/running", "PowerState/running"),
            ("restart", "PowerState/running", "PowerState/running"),
        ],
    )
    def test_a_running_machine_turns(self, azure, action, meanwhile, then):
        azure.ask("POST", f"{PATH}/web/{action}")
        assert self.power(azure) == meanwhile
        azure.pass_time(minutes=1)
        assert self.power(azure) == then

    def test_a_deallocated_machine_starts_again(self, azure):
        azure.sdk.virtual_machines.begin_deallocate("production", "web").result()
        azure.ask("POST", f"{PATH}/web/start")
        assert self.power(azure) == "PowerState/starting"
        azure.pass_time(minutes=1)
        assert self.power(azure) == "PowerState/running"

    def test_a_start_can_fail_for_want_of_capacity(self, azure):
        """§6.4: AllocationFailed; the machine stays deallocated."""
        azure.sdk.virtual_machines.begin_deallocate("production", "web").result()
        azure.cloud.faults.fail_operation("POST", "/start$", code="AllocationFailed")
        with pytest.raises(HttpResponseError) as raised:
            azure.sdk.virtual_machines.begin_start("production", "web").result()
        assert code_of(raised) == "AllocationFailed"
        assert self.power(azure) == "PowerState/deallocated"

    def test_one_action_at_a_time(self, azure):
        azure.ask("POST", f"{PATH}/web/deallocate")
        with pytest.raises(ResourceExistsError) as raised:
            azure.sdk.virtual_machines.begin_start("production", "web")
        assert code_of(raised) == "Conflict"

    def test_type_and_size_of_disks_are_told_only_while_allocated(self, azure):
        def told():
            disk = json.loads(azure.ask("GET", f"{PATH}/web").body)["properties"]["storageProfile"]["osDisk"]
            return set(disk["managedDisk"]), "diskSizeGB" in disk

        assert told() == ({"id", "storageAccountType"}, True)
        azure.sdk.virtual_machines.begin_deallocate("production", "web").result()
        assert told() == ({"id"}, False)

    def test_a_machine_on_an_ephemeral_disk_cannot_be_deallocated(self, azure):
        azure.cloud.add_virtual_machine("brief", HOME, "production", {"os": GIB}, has_ephemeral_os_disk=True)
        model = azure.sdk.virtual_machines.get("production", "brief")
        assert model.storage_profile.os_disk.diff_disk_settings.option == "Local"
        with pytest.raises(ResourceExistsError) as raised:
            azure.sdk.virtual_machines.begin_deallocate("production", "brief")
        assert code_of(raised) == "OperationNotAllowed"


class TestChangingAndDeleting:
    def test_tags_are_patched(self, azure):
        vm = azure.sdk.virtual_machines.begin_update(
            "production", "web", {"tags": {"tidemark": "gold"}}
        ).result()
        assert vm.tags == {"tidemark": "gold"}

    def test_a_put_with_a_stale_etag_is_refused(self, azure):
        """§7.3: etag and match_condition guard against lost updates."""
        vms = azure.sdk.virtual_machines
        vm = vms.get("production", "web")
        vms.begin_update("production", "web", {"tags": {"changed": "meanwhile"}}).result()
        model: Any = vm.as_dict()
        with pytest.raises(ResourceModifiedError):
            vms.begin_create_or_update(
                "production", "web", model, etag=vm.etag, match_condition=MatchConditions.IfNotModified
            )
        fresh = vms.get("production", "web")
        done = vms.begin_create_or_update(
            "production", "web", model, etag=fresh.etag, match_condition=MatchConditions.IfNotModified
        ).result()
        assert done.tags == {"team": "shop"}

    def test_disks_and_interfaces_outlive_their_machine(self, azure):
        nic = azure.web.machine.interfaces[0]
        azure.sdk.virtual_machines.begin_delete("production", "web").result()
        with pytest.raises(ResourceNotFoundError):
            azure.sdk.virtual_machines.get("production", "web")
        assert azure.sdk.disks.get("production", "web-os").disk_state == "Unattached"
        assert azure.ask("DELETE", nic.id.text).status == 202

    def test_a_disk_with_delete_option_delete_goes_with_its_machine(self, azure):
        body = machine_body(restored_os(azure), interface(azure))
        body["properties"]["storageProfile"]["osDisk"]["deleteOption"] = "Delete"
        create(azure, "new", body)
        azure.sdk.virtual_machines.begin_delete("production", "new").result()
        with pytest.raises(ResourceNotFoundError):
            azure.sdk.disks.get("production", "os-restored")

    def test_a_machine_whose_disk_would_go_with_it_waits_for_that_disk(self, azure):
        """A snapshot under way needs the disk; afterwards nothing keeps the two from going."""
        azure.web.machine.data[0].settings["deleteOption"] = "Delete"
        azure.ask("PUT", azure.id("snapshots", "s1"), snapshot_body(azure.web.disk("data").id))
        assert azure.ask("DELETE", azure.web.id).status == 409
        azure.pass_time(seconds=1)
        assert azure.ask("DELETE", azure.web.id).status == 202
        late = azure.ask("PUT", azure.id("snapshots", "s2"), snapshot_body(azure.web.disk("data").id))
        assert late.status == 409
        azure.pass_time(minutes=1)
        assert azure.ask("GET", azure.id("disks", "web-data")).status == 404

    def test_hibernation_is_not_simulated_and_says_so(self, azure):
        answer = azure.ask("POST", f"{PATH}/web/deallocate?hibernate=true")
        assert json.loads(answer.body)["error"]["code"] == "SimulatorNotSimulated"

    def test_run_command_is_not_there_yet(self, azure):
        answer = azure.ask("POST", f"{PATH}/web/runCommand", {"commandId": "RunShellScript"})
        assert (answer.status, json.loads(answer.body)["error"]["code"]) == (404, "InvalidResourceType")
