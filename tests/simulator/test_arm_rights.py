"""What an identity may do: roles, scopes, and rights on linked resources (azure-semantics §4.1, §8)."""

from __future__ import annotations

import json

import pytest
from azure.core.exceptions import HttpResponseError

from tests.simulator.conftest import HOME, code_of, copy_body, snapshot_body

DISK = "resourceGroups/production/providers/Microsoft.Compute/disks/web-data"
SNAPSHOT = "resourceGroups/production/providers/Microsoft.Compute/snapshots/s1"


def refusal(answer):
    return answer.status, json.loads(answer.body)["error"]["code"]


class TestRights:
    """Design §12 and azure-semantics §4.1, last item."""

    def test_without_roles_everybody_may_do_everything_and_the_meter_notes_it(self, azure):
        azure.client("backup").snapshots.begin_create_or_update(
            "production", "s1", snapshot_body(azure.web.disk("data").id)
        ).result()
        used = {action for identity, action in azure.cloud.meter.rights if identity == "backup"}
        assert used == {
            "Microsoft.Compute/snapshots/write",
            "Microsoft.Compute/snapshots/read",
            "Microsoft.Compute/disks/beginGetAccess/action",
            "Microsoft.Compute/locations/diskOperations/read",
        }

    def test_with_roles_an_identity_may_do_what_they_say(self, azure):
        azure.cloud.roles.grant("reader", ["*/read"])
        sdk = azure.client("reader")
        assert sdk.disks.get("production", "web-data").name == "web-data"
        with pytest.raises(
            HttpResponseError, match="does not have authorization to perform action"
        ) as raised:
            sdk.disks.begin_delete("production", "web-data")
        assert (raised.value.status_code, code_of(raised)) == (403, "AuthorizationFailed")
        assert refusal(azure.ask("GET", DISK, token="some-other-token"))[0] == 403

    def test_a_role_reaches_as_far_as_its_scope(self, azure):
        scope = f"/subscriptions/{azure.cloud.subscription}/resourceGroups/recovery"
        azure.cloud.roles.grant("reader", ["Microsoft.Compute/*"], scope)
        sdk = azure.client("reader")
        assert list(sdk.disks.list_by_resource_group("recovery")) == []
        with pytest.raises(HttpResponseError) as raised:
            list(sdk.disks.list_by_resource_group("production"))
        assert code_of(raised) == "AuthorizationFailed"

    def test_a_snapshot_needs_the_right_to_read_its_source(self, azure):
        """§4.1: disks/beginGetAccess/action on the source."""
        azure.cloud.roles.grant("backup", ["Microsoft.Compute/snapshots/*"])
        with pytest.raises(HttpResponseError) as raised:
            azure.client("backup").snapshots.begin_create_or_update(
                "production", "s1", snapshot_body(azure.web.disk("data").id)
            )
        assert (raised.value.status_code, code_of(raised)) == (403, "LinkedAuthorizationFailed")
        azure.cloud.roles.grant(
            "backup",
            [
                "Microsoft.Compute/disks/beginGetAccess/action",
                "Microsoft.Compute/locations/diskOperations/read",
            ],
        )
        azure.client("backup").snapshots.begin_create_or_update(
            "production", "s1", snapshot_body(azure.web.disk("data").id)
        ).result()
        answer = azure.ask(
            "PUT",
            SNAPSHOT.replace("production", "recovery"),
            copy_body(azure.id("snapshots", "s1")),
            token="development:backup",
        )
        assert answer.status == 202

    def test_what_a_role_leaves_out_another_role_may_still_give(self, azure):
        azure.cloud.roles.grant("reader", ["*/READ"], not_actions=["Microsoft.Compute/disks/*"])
        assert refusal(azure.ask("GET", DISK, token="development:reader"))[0] == 403
        azure.cloud.roles.grant("reader", ["microsoft.compute/Disks/read"], f"/{azure.cloud.subscription}")
        assert refusal(azure.ask("GET", DISK, token="development:reader"))[0] == 403
        azure.cloud.roles.grant(
            "reader", ["microsoft.compute/Disks/read"], f"/SUBSCRIPTIONS/{azure.cloud.subscription}"
        )
        assert azure.ask("GET", DISK, token="development:reader").status == 200

    def test_a_linked_refusal_names_both_actions_in_the_words_of_azure(self, azure):
        """Azure/azure-cli issue 28742."""
        azure.cloud.roles.grant("backup", ["Microsoft.Compute/snapshots/*"])
        source = azure.web.disk("data").id
        answer = azure.ask("PUT", SNAPSHOT, snapshot_body(source), token="development:backup")
        assert json.loads(answer.body)["error"]["message"] == (
            "The client 'backup' with object id 'backup' has permission to perform action "
            f"'Microsoft.Compute/snapshots/write' on scope '{azure.id('snapshots', 's1')}'; however, it does "
            "not have permission to perform action(s) 'Microsoft.Compute/disks/beginGetAccess/action' on the "
            f"linked scope(s) '{source}' (respectively) or the linked scope(s) are invalid."
        )

    @pytest.mark.parametrize(
        ("kind", "body"), [("disks", {"diskSizeGB": 1}), ("snapshots", {"diskSizeGB": 1})]
    )
    def test_an_encryption_set_is_used_by_those_who_may_read_it(self, azure, kind, body):
        """kubernetes-sigs/azuredisk-csi-driver issue 2609."""
        key = azure.cloud.add_disk_encryption_set("key", HOME, "production")
        properties = {
            **body,
            "creationData": {"createOption": "Empty"},
            "encryption": {"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": key},
        }
        path = f"resourceGroups/production/providers/Microsoft.Compute/{kind}/encrypted"
        asked = {"location": HOME, "properties": properties}
        azure.cloud.roles.grant("maker", [f"Microsoft.Compute/{kind}/write"])
        refused = azure.ask("PUT", path, asked, token="development:maker")
        assert refusal(refused) == (403, "LinkedAuthorizationFailed")
        azure.cloud.roles.grant("maker", ["Microsoft.Compute/diskEncryptionSets/read"], key)
        assert azure.ask("PUT", path, asked, token="development:maker").status == 202

    def test_following_an_operation_needs_the_right_to_read_operations(self, azure):
        azure.cloud.roles.grant("backup", ["Microsoft.Compute/snapshots/*", "Microsoft.Compute/disks/*"])
        source = azure.web.disk("data").id
        begun = azure.ask("PUT", SNAPSHOT, snapshot_body(source), token="development:backup")
        followed = begun.headers["azure-asyncoperation"].removeprefix("https://management.azure.com")
        refused = azure.ask("GET", followed, version=None, token="development:backup")
        assert refusal(refused) == (403, "AuthorizationFailed")
        assert f"over scope '/subscriptions/{azure.cloud.subscription}'" in refused.body.decode()
        azure.cloud.roles.grant("backup", ["Microsoft.Compute/locations/diskOperations/read"])
        assert azure.ask("GET", followed, version=None, token="development:backup").status == 200

    def test_a_machine_is_written_by_those_who_may_write_its_disks_and_join_its_interfaces(self, azure):
        """Azure/azure-cli issue 28742."""
        path = "resourceGroups/production/providers/Microsoft.Compute/virtualMachines/web"
        asked = json.loads(azure.ask("GET", path).body)
        for needed in ("virtualMachines/write", "disks/write"):
            azure.cloud.roles.grant("tagger", [f"Microsoft.Compute/{needed}"])
            refused = azure.ask("PUT", path, asked, token="development:tagger")
            assert refusal(refused) == (403, "LinkedAuthorizationFailed")
        azure.cloud.roles.grant("tagger", ["Microsoft.Network/networkInterfaces/join/action"])
        assert azure.ask("PUT", path, asked, token="development:tagger").status == 200

    def test_the_refused_do_not_learn_what_exists(self, azure):
        azure.cloud.roles.grant("nobody", [])
        azure.cloud.roles.grant("somebody", ["*"])
        for path in (DISK, f"{DISK}x"):
            assert refusal(azure.ask("GET", path, token="development:nobody"))[0] == 403
