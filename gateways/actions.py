"""Which actions of Azure each identity needs, where, and for which calls of a gateway.

Pure data, to read and to check against. Tests hold the gateways to it: each is opened for the identity that
its calls stand under, needs nothing that is not here, and nothing here is superfluous. The roles of a
deployment, `infra/roles.json`, are checked against it both ways, and the simulated cloud has those roles.

Resource Manager checks the right to a request itself, and *linked* rights on other resources that the request
names. What was inferred, or is not known, is said with its row.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.policy import Policies
from settings import Identity

# learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
_LISTED = "Azure's list of actions"
_LINKED_SNAPSHOT = "linked, on the source snapshot; inferred from disks, not verified on Azure"
_ADDRESS = f"{_LISTED}; only an operation tells the address of what was opened"
_LINKED_KEY = "linked, on the encryption set; kubernetes-sigs/azuredisk-csi-driver issue 2609"


class Where(StrEnum):
    """What an action is granted on."""

    PROTECTED = "the subscriptions and resource groups whose VMs are protected"
    SNAPSHOTS = "the resource group that holds the snapshots of a location"
    SNAPSHOT_SUBSCRIPTIONS = "the subscription that holds the snapshots of a location"
    RESTORES = "the resource group that a location restores into"
    RESTORE_SUBSCRIPTIONS = "the subscription that a location restores into"
    NETWORKS = "the virtual network that VMs restored in a location join"
    SUBNETS = "the subnet that VMs restored in a location join"
    ENCRYPTION_SETS = "the disk encryption set of a location"
    CATALOGUE = "the storage account of the catalogue"
    MANIFESTS = "the container that holds the manifests of a location"
    REPLICAS = "the container that holds the page blobs of a location"
    IMPORT_ACCOUNTS = "the storage account that a location imports disks from"


class OptIn(StrEnum):
    """What a deployment allows only where it is asked to. The values are those of infra/roles.json."""

    VM_RESTORE = "vmRestore"  # without it disks alone come back

    @property
    def words(self) -> str:
        """What is allowed, in words."""
        return {OptIn.VM_RESTORE: "VM restore"}[self]

    @property
    def parameter(self) -> str:
        """The parameter of the deployment that allows it."""
        return f"allow{self.value[0].upper()}{self.value[1:]}"


@dataclass(frozen=True)
class Action:
    """One action: where it is needed, for which calls, how that is known, and what alone needs it."""

    name: str
    where: Where
    calls: tuple[str, ...]
    source: str = _LISTED
    opt_in: OptIn | None = None

    @property
    def is_of_storage(self) -> bool:
        """Whether a storage account checks it: Azurite knows no roles, so nothing here has tried it."""
        return self.name.startswith("Microsoft.Storage/") and self.where is not Where.IMPORT_ACCOUNTS


_TABLES = "Microsoft.Storage/storageAccounts/tableServices/tables"
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
_NETWORK = "Microsoft.Network/virtualNetworks"
_INTERFACES = "Microsoft.Network/networkInterfaces"

_RUNTIME = (
    Action(f"{_TABLES}/write", Where.CATALOGUE, ("Table",)),  # a table is made when it is first written to
    Action(f"{_TABLES}/entities/read", Where.CATALOGUE, ("Table.get", "Table.query", "Table.change")),
    Action(f"{_TABLES}/entities/add/action", Where.CATALOGUE, ("Table.add", "Table.insert", "Table.put")),
    Action(
        f"{_TABLES}/entities/update/action", Where.CATALOGUE, ("Table.put", "Table.replace", "Table.change")
    ),
    Action(f"{_TABLES}/entities/delete", Where.CATALOGUE, ("Table.delete",)),
    Action(f"{_BLOBS}/read", Where.MANIFESTS, ("Manifests.read", "Manifests.write")),
    Action(
        f"{_BLOBS}/write",
        Where.MANIFESTS,
        ("Manifests.write",),
        f"{_LISTED}; blobs/add/action makes new blobs too and overwrites none, but whether writing the same "
        "again is then answered with 409 or 403 is not known",
    ),
)

_READS = ("length", "metadata", "ranges", "sealed", "opened", "begin_copy", "copy_status")
_WRITES = ("create", "resize", "fenced", "put", "put_from_url", "clear", "seal", "begin_copy")
_PAGE_BLOB_READS = tuple(f"PageBlob.{name}" for name in _READS)
_PAGE_BLOB_WRITES = tuple(f"PageBlob.{name}" for name in _WRITES)

_BACKUP = (
    Action(
        "Microsoft.Compute/virtualMachines/read",
        Where.PROTECTED,
        ("VirtualMachines.describe", "VirtualMachines.listed"),
    ),
    Action("Microsoft.Compute/disks/read", Where.PROTECTED, ("VirtualMachines.describe",)),
    Action(
        "Microsoft.Compute/disks/beginGetAccess/action",
        Where.PROTECTED,
        ("Snapshots.begin",),
        "linked, on the source disk; Azure/OpenShift issue 186",
    ),
    Action(
        "Microsoft.Compute/snapshots/read",
        Where.SNAPSHOTS,
        ("Snapshots.find", "Snapshots.begin", "Snapshots.begin_copy", "DiskData.open", "DiskData.close"),
    ),
    Action(
        "Microsoft.Compute/snapshots/write",
        Where.SNAPSHOTS,
        ("Snapshots.begin", "Snapshots.begin_copy", "DiskData.open", "DiskData.close"),
    ),
    Action(
        "Microsoft.Compute/snapshots/beginGetAccess/action",
        Where.SNAPSHOTS,
        # The three reads are by the address that opening gave.
        (
            "Snapshots.begin_copy",
            *(f"DiskData.{name}" for name in ("open", "length", "page_ranges", "read_into")),
        ),
        f"{_LISTED}; for a copy {_LINKED_SNAPSHOT}",
    ),
    Action("Microsoft.Compute/snapshots/endGetAccess/action", Where.SNAPSHOTS, ("DiskData.close",)),
    Action(
        "Microsoft.Compute/locations/diskOperations/read",
        Where.SNAPSHOT_SUBSCRIPTIONS,
        ("DiskData.open", "DiskData.close"),
        _ADDRESS,
    ),
    Action(
        "Microsoft.Compute/diskEncryptionSets/read",
        Where.ENCRYPTION_SETS,
        ("Snapshots.begin_copy",),
        f"{_LINKED_KEY}; for snapshots inferred, not verified on Azure",
    ),
    Action(f"{_BLOBS}/read", Where.REPLICAS, _PAGE_BLOB_READS),  # of a container's list, too
    Action(f"{_BLOBS}/write", Where.REPLICAS, _PAGE_BLOB_WRITES),
)

_RETENTION = (
    Action("Microsoft.Compute/snapshots/read", Where.SNAPSHOTS, ("Deletions.delete_snapshot",)),
    Action("Microsoft.Compute/snapshots/delete", Where.SNAPSHOTS, ("Deletions.delete_snapshot",)),
    Action(f"{_BLOBS}/delete", Where.MANIFESTS, ("Deletions.delete_manifest",)),
    Action(
        f"{_BLOBS}/read",
        Where.REPLICAS,
        # Whose it is, and which seals there are.
        ("PageBlobDeletions.delete", "PageBlobDeletions.delete_snapshot", "PageBlobDeletions.delete_blob"),
    ),
    Action(
        f"{_BLOBS}/delete",
        Where.REPLICAS,
        ("PageBlobDeletions.delete_snapshot", "PageBlobDeletions.delete_blob", "PageBlob.remove"),
    ),
)

_UPLOADS = ("DiskUploads.open", "DiskUploads.end")

_RESTORE_DISKS = (
    Action("Microsoft.Compute/disks/read", Where.RESTORES, ("Disks.find", "Disks.begin", *_UPLOADS)),
    Action(
        "Microsoft.Compute/disks/write",
        Where.RESTORES,
        ("Disks.begin", "DiskUploads.end", "RestoredMachines.begin"),
        f"{_LISTED}; for a VM linked, on each of its disks: Azure/azure-cli issue 28742",
    ),
    Action(
        "Microsoft.Compute/snapshots/beginGetAccess/action",
        Where.SNAPSHOTS,
        ("Disks.begin",),
        _LINKED_SNAPSHOT,
    ),
    Action("Microsoft.Compute/diskEncryptionSets/read", Where.ENCRYPTION_SETS, ("Disks.begin",), _LINKED_KEY),
    Action("Microsoft.Compute/disks/beginGetAccess/action", Where.RESTORES, ("DiskUploads.open",)),
    Action("Microsoft.Compute/disks/endGetAccess/action", Where.RESTORES, ("DiskUploads.end",)),
    Action(
        "Microsoft.Compute/locations/diskOperations/read", Where.RESTORE_SUBSCRIPTIONS, _UPLOADS, _ADDRESS
    ),
    Action(
        f"{_BLOBS}/read",
        Where.REPLICAS,
        tuple(f"RestoreBlobs.{name}" for name in ("length", "opened", "page_ranges", "find_import")),
    ),
    Action(f"{_BLOBS}/write", Where.REPLICAS, ("RestoreBlobs.begin_import",)),
    Action(
        "Microsoft.Storage/storageAccounts/listKeys/action",
        Where.IMPORT_ACCOUNTS,
        ("Disks.begin",),
        "linked, on the account of the imported blob; inferred, not verified on Azure. Whoever has it may do "
        "anything in the account; a location without an account does without, by uploads",
    ),
)

_RESTORE_VMS = (
    Action("Microsoft.Compute/skus/read", Where.RESTORE_SUBSCRIPTIONS, ("MachineSizes.find",)),
    Action(f"{_NETWORK}/read", Where.NETWORKS, ("Networks.find",)),
    Action(
        f"{_NETWORK}/subnets/join/action",
        Where.SUBNETS,
        ("Networks.begin_interface",),
        f"{_LISTED}; linked, on the subnet",
    ),
    Action(f"{_INTERFACES}/read", Where.RESTORES, ("Networks.find_interface", "Networks.begin_interface")),
    Action(f"{_INTERFACES}/write", Where.RESTORES, ("Networks.begin_interface",)),
    Action(
        f"{_INTERFACES}/join/action",
        Where.RESTORES,
        ("RestoredMachines.begin",),
        f"{_LISTED}; linked, on the network interface",
    ),
    Action(
        "Microsoft.Compute/virtualMachines/read",
        Where.RESTORES,
        ("RestoredMachines.find", "RestoredMachines.begin"),
    ),
    Action("Microsoft.Compute/virtualMachines/write", Where.RESTORES, ("RestoredMachines.begin",)),
    Action(
        "Microsoft.Compute/virtualMachines/instanceView/read",
        Where.RESTORES,
        ("RestoredMachines.find",),  # says why a VM has failed
    ),
)

_RESTORE = _RESTORE_DISKS + tuple(replace(action, opt_in=OptIn.VM_RESTORE) for action in _RESTORE_VMS)

ACTIONS: Mapping[Identity, tuple[Action, ...]] = {
    Identity.RUNTIME: _RUNTIME,
    Identity.BACKUP: _BACKUP,
    Identity.RETENTION: _RETENTION,
    Identity.RESTORE: _RESTORE,
}


def opt_in_of(identity: Identity, name: str) -> OptIn | None:
    """Return what must be allowed for an identity to have an action; None for what every deployment gives."""
    wanted = (action for action in ACTIONS[identity] if action.name.lower() == name.lower())
    return next((action.opt_in for action in wanted), None)


@dataclass(frozen=True, order=True)
class Assignment:
    """An action that an identity is to have on one scope, an ARM id, and on all below it."""

    identity: Identity
    action: str
    scope: str


def assignments(policies: Policies, opted_in: Collection[OptIn] = tuple(OptIn)) -> list[Assignment]:
    """Return what each identity is to have in Resource Manager for these policies, and what is allowed.

    What storage accounts check is left out: a policy names them by URLs, which do not tell their ARM ids.
    """
    return sorted(
        {
            Assignment(identity, action.name, scope)
            for identity, actions in ACTIONS.items()
            for action in actions
            if action.opt_in is None or action.opt_in in opted_in
            for scope in scopes(action.where, policies)
        }
    )


def scopes(where: Where, policies: Policies) -> Iterator[str]:
    """Yield the ARM ids that a place stands for; none for storage, and for what a location has not."""
    if where is Where.PROTECTED:
        yield from (scope.id for scope in policies.scopes)
    for location in policies.locations.values():
        subnet = location.subnet_id or ""
        scope = {
            Where.SNAPSHOTS: location.group_id,
            Where.RESTORES: location.restore_group_id,
            Where.SNAPSHOT_SUBSCRIPTIONS: f"/subscriptions/{location.subscription}",
            Where.RESTORE_SUBSCRIPTIONS: f"/subscriptions/{location.subscription}",
            Where.NETWORKS: re.sub("/subnets/[^/]+$", "", subnet, flags=re.IGNORECASE),
            Where.SUBNETS: subnet,
            Where.ENCRYPTION_SETS: location.encryption_set_id or "",
            Where.IMPORT_ACCOUNTS: location.account_id,
        }.get(where)
        if scope:
            yield scope
