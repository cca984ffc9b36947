"""Disk encryption sets: the customer's keys that disks and snapshots name (azure-semantics §5).

A set is added by the world (`World.add_disk_encryption_set`) and looked at by a client; creating, changing
and deleting one is not simulated, nor are its key vault and identity: a set that exists works.

The refusal of a set that does not exist is quoted in Azure/azure-cli issue 18355, that of a platform key with
a set in Azure/azure-cli pull request 22484. How Azure refuses a set of another region, subscription or type
is not published. That a body without a type means the set's own type is how Terraform's provider uses Azure
(its pull request 14218).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.arm import errors, fields
from simulator.arm.call import Call
from simulator.arm.errors import ArmError
from simulator.arm.identifiers import ResourceId
from simulator.arm.listing import list_resources
from simulator.arm.resources import Resource
from simulator.arm.routing import resource_routes
from simulator.arm.throttling import GET_DISK, LIST
from simulator.wire import Response

KIND = "Microsoft.Compute/diskEncryptionSets"
PLATFORM = "EncryptionAtRestWithPlatformKey"
CUSTOMER = "EncryptionAtRestWithCustomerKey"
BOTH = "EncryptionAtRestWithPlatformAndCustomerKeys"


@dataclass(eq=False, kw_only=True)
class DiskEncryptionSet(Resource):
    """One disk encryption set; `encryption_type` is `CUSTOMER` or `BOTH`."""

    encryption_type: str
    principal_id: str

    def document(self) -> dict[str, Any]:
        vault = f"https://{self.id.name.lower()}.vault.azure.net"
        told = self.heading()
        told["identity"] = {"type": "SystemAssigned", "principalId": self.principal_id}
        told["properties"] = {
            "encryptionType": self.encryption_type,
            "activeKey": {"keyUrl": f"{vault}/keys/{self.id.name}/{self.principal_id.replace('-', '')}"},
            "rotationToLatestKeyVersionEnabled": False,
            "provisioningState": self.provisioning_state,
        }
        return told


def asked_encryption(call: Call, location: str) -> dict[str, Any] | None:
    """Return the `encryption` that a body asks for a disk or snapshot in `location`; None if for none.

    Raises ArmError: 400 for what does not fit or does not exist, 403 without the right to use the set (known
    of disks: kubernetes-sigs/azuredisk-csi-driver issue 2609; that snapshots are alike is our choice).
    """
    asked = fields.section(call.body, "properties", "encryption")
    if not asked:
        return None
    kind, named = fields.text(asked, "type"), fields.text(asked, "diskEncryptionSetId")
    if kind not in (None, PLATFORM, CUSTOMER, BOTH):
        raise errors.invalid_parameter(
            f"The value '{kind}' of parameter 'encryption.type' is invalid.", "encryption.type"
        )
    if not named:
        if kind in (CUSTOMER, BOTH):
            raise errors.missing_parameter("encryption.diskEncryptionSetId")
        return {"type": PLATFORM}
    if kind == PLATFORM:
        raise errors.invalid_parameter(
            f"Resource {call.id.name} encrypted with platform key has disk encryption set id specified.",
            "encryption.diskEncryptionSetId",
        )
    found = _usable_set(call, named, location)
    if kind not in (None, found.encryption_type):
        raise _unfit(f"'{named}' is of type {found.encryption_type}, not {kind}.")
    return {"type": found.encryption_type, "diskEncryptionSetId": named}


def has_customer_key(encryption: fields.Json | None) -> bool:
    """Tell whether a disk or snapshot is encrypted with a key of the customer's."""
    return bool((encryption or {}).get("diskEncryptionSetId"))


def _usable_set(call: Call, named: str, location: str) -> DiskEncryptionSet:
    set_id = ResourceId.parse(named)
    if set_id is None or set_id.kind != KIND:
        raise errors.invalid_parameter(
            f"The value '{named}' is not the id of a disk encryption set.", "encryption.diskEncryptionSetId"
        )
    call.require_linked("Microsoft.Compute/diskEncryptionSets/read", named)
    found = call.estate.shelf.find(DiskEncryptionSet, set_id)
    if found is None:
        raise ArmError(400, "BadRequest", f"DiskEncryptionSet '{named}' was not found.")
    if found.location != location:
        raise _unfit(f"'{named}' is in '{found.location}', '{call.id.name}' in '{location}'.")
    if found.id.subscription.lower() != call.id.subscription.lower():
        raise _unfit(f"'{named}' is in another subscription than '{call.id.name}'.")
    call.estate.regions.check(found.location)
    return found


def _unfit(why: str) -> ArmError:
    return errors.own(400, "SimulatorEncryptionMismatch", f"The disk encryption set does not fit: {why}")


def get_set(call: Call) -> Response:
    """Answer what is known of a set."""
    return Response.of_json(200, call.estate.shelf.get(DiskEncryptionSet, call.id).document())


ROUTES = resource_routes(
    KIND,
    ("GET", "/{}", get_set, "read", GET_DISK),
    ("GET", "", list_resources, "read", LIST),
)
