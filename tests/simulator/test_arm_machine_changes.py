"""Virtual machines that exist: their disks are swapped, attached and detached, they stop, start and go
(azure-semantics §4.1, §6.4, §7.2 to §7.4).
"""

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

from tests.simulator.conftest import GIB, HOME, code_of, disk_body, snapshot_body
from tests.simulator.machines import PATH, create, interface, machine_body, refused, restored_os


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
        key = {"diskEncryptionSetId": azure.cloud.add_disk_encryption_set("key", HOME, "production")}
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
