"""A virtual machine and its disks, as far as a backup must know them and a restore must bring them back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from domain.errors import Fault
from domain.exports import export_fault
from domain.names import disk_key, vm_key
from domain.policy import Method, Policy, Unsupported

POLICY_TAG = "tidemark-policy"
EXCLUDE_TAG = "tidemark-exclude"
_FILLED_LATER = ("UltraSSD_LRS", "PremiumV2_LRS")

_VM_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<resource_group>[\w().-]*[\w()-])"
    r"/providers/Microsoft\.Compute/virtualMachines/(?P<name>[\w.-]*[\w-])",
    re.IGNORECASE,
)


def tag_value(tags: Mapping[str, str], name: str) -> str | None:
    """Return the value of a tag, or None; Azure tells names of tags apart without regard to case."""
    return next((value for known, value in tags.items() if known.lower() == name.lower()), None)


def _is_excluded(tags: Mapping[str, str]) -> bool:
    return (tag_value(tags, EXCLUDE_TAG) or "").lower() == "true"


def _is_unmanaged(entry: Mapping[str, Any]) -> bool:
    return "id" not in (entry.get("managedDisk") or {}) and "diffDiskSettings" not in entry


@dataclass(frozen=True)
class Disk:
    """One managed disk of a VM.

    `lun` is None for the OS disk. `unique_id` tells a disk from another one made later under the same name.
    `traits` are the properties that a disk made from a snapshot must be given again, as ARM spells and nests
    them: what the disk starts (osType, hyperVGeneration, …), what it promises where that can be chosen
    (diskIOPSReadWrite, diskMBpsReadWrite, tier, burstingEnabled), maxShares, creationData.logicalSectorSize,
    and encryption.type where a key of its own encrypts it.
    """

    id: str
    name: str
    unique_id: str
    region: str
    size_bytes: int
    sku: str
    lun: int | None = None
    caching: str = "None"
    zones: tuple[str, ...] = ()
    encryption_set_id: str | None = None
    traits: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The key of the disk in the catalogue."""
        return disk_key(self.name, self.unique_id)

    @property
    def is_filled_later(self) -> bool:
        """Whether Azure fills snapshots of it in the background, after they have been taken.

        Only the percentage that it tells of such a snapshot says when that is over (azure-semantics.md §5).
        """
        return self.sku in _FILLED_LATER

    @property
    def own_encryption(self) -> str | None:
        """How it is encrypted with a key of its owner's, as ARM names it; None where it is the platform's."""
        if self.encryption_set_id is None:
            return None
        return str(self.traits.get("encryption", {}).get("type", "EncryptionAtRestWithCustomerKey"))

    @property
    def is_os_disk(self) -> bool:
        """Whether the VM starts from this disk."""
        return self.lun is None

    @property
    def is_excluded(self) -> bool:
        """Whether its tag leaves it out of backups."""
        return _is_excluded(self.tags)


@dataclass(frozen=True)
class VirtualMachine:
    """One VM with its disks. `model` is the VM as ARM describes it, for the manifest and for a restore."""

    id: str
    name: str
    region: str
    disks: tuple[Disk, ...]
    has_ephemeral_os_disk: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The key of the VM in the catalogue, in ids and in URLs."""
        return vm_key(self.id)

    @property
    def policy(self) -> str | None:
        """The name of the policy that its tag asks for."""
        return tag_value(self.tags, POLICY_TAG) or None

    @property
    def is_excluded(self) -> bool:
        """Whether its tag says that no restore points are taken of it, whatever chooses it."""
        return _is_excluded(self.tags)

    @property
    def protected_disks(self) -> tuple[Disk, ...]:
        """The disks that a restore point must hold, all of them."""
        return tuple(disk for disk in self.disks if not disk.is_excluded)

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of its disks that no restore point holds: an ephemeral OS disk, and those excluded."""
        excluded = tuple(disk.name for disk in self.disks if disk.is_excluded)
        if not self.has_ephemeral_os_disk:
            return excluded
        return (self._storage.get("osDisk", {}).get("name", "the OS disk"), *excluded)

    @property
    def unmanaged_disks(self) -> tuple[str, ...]:
        """The names of its disks that lie as blobs in a storage account; they are not among its `disks`."""
        entries = (self._storage.get("osDisk"), *(self._storage.get("dataDisks") or ()))
        return tuple(str(entry.get("name")) for entry in entries if entry and _is_unmanaged(entry))

    @property
    def _storage(self) -> Mapping[str, Any]:
        """Its disks as the VM itself names them, which a list of VMs tells too."""
        storage: Mapping[str, Any] = self.model.get("properties", {}).get("storageProfile", {})
        return storage

    def faults_at_sight(self, policy: Policy) -> list[Fault]:
        """Say what keeps restore points from being taken, as far as a list of VMs tells it.

        There a VM has no `disks` yet: what depends on them only `protection_faults` can say.
        """
        has_others = self.has_ephemeral_os_disk and bool(self._storage.get("dataDisks"))
        return [*self._fault_of_os_disk(policy, has_others), *self._faults_of_home(policy)]

    def protection_faults(self, policy: Policy | None) -> list[Fault]:
        """Say all that keeps restore points of this VM from being taken under a policy.

        Where it is None, because nobody knows yet which one it is to be, what depends on it is left out.
        """
        faults = [*self._fault_of_os_disk(policy, bool(self.protected_disks)), *self._faults_of_unmanaged()]
        if not self.protected_disks and not self.unmanaged_disks:
            advice = f"take the tag {EXCLUDE_TAG} off at least one" if self.disks else "attach a managed disk"
            faults.append(Fault("vm", f"VM '{self.name}' has no disk left to protect; {advice}"))
        if policy is None:
            return faults
        of_policy = (self._faults_of_home, self._faults_of_keys, self._faults_of_exports)
        return [*faults, *(fault for find in of_policy for fault in find(policy))]

    def _fault_of_os_disk(self, policy: Policy | None, has_others: bool) -> Iterator[Fault]:
        may_leave_out = policy is not None and policy.unsupported is Unsupported.LEAVE_OUT
        if self.has_ephemeral_os_disk and not (may_leave_out and has_others):
            yield Fault(
                "vm",
                f"VM '{self.name}' has an ephemeral OS disk, of which Azure takes no snapshot; rebuild it on "
                "a managed OS disk, or take the policy's tag off it",
            )

    def _faults_of_unmanaged(self) -> Iterator[Fault]:
        for name in self.unmanaged_disks:  # left out in silence they would be missing from every point
            yield Fault(
                "vm",
                f"disk '{name}' of VM '{self.name}' is not a managed disk, and Azure takes snapshots of no "
                "other; convert it to a managed disk",
            )

    def _faults_of_home(self, policy: Policy) -> Iterator[Fault]:
        home = policy.home
        if self.region.lower() != home.region.lower():
            yield Fault(
                "policy",
                f"VM '{self.name}' is in region {self.region}, but the home location of its policy is in "
                f"{home.region}; use a policy whose home is {self.region}",
            )
        subscription = vm_address(self.id).subscription
        if subscription.lower() != home.subscription.lower():  # azure-semantics.md §3
            yield Fault(
                "policy",
                f"VM '{self.name}' is in subscription {subscription}, but the home location of its policy is "
                f"in {home.subscription}, and Azure takes incremental snapshots in the disk's only; use a "
                f"policy whose home is in {subscription}",
            )

    def _faults_of_keys(self, policy: Policy) -> Iterator[Fault]:
        for disk, location in product(self.protected_disks, policy.recovery):
            if disk.encryption_set_id and not location.encryption_set_id:
                yield Fault(
                    "policy",
                    f"disk '{disk.name}' of VM '{self.name}' is encrypted with a key of its own, which does "
                    f"not reach {location.region}; give location '{location.name}' an encryption_set",
                )

    def _faults_of_exports(self, policy: Policy) -> Iterator[Fault]:
        for disk, location in product(self.protected_disks, policy.recovery):
            reason = export_fault(disk.size_bytes, disk.traits)
            if location.method is Method.PAGES and reason:
                yield Fault(
                    "policy",
                    f"disk '{disk.name}' of VM '{self.name}' cannot be kept as a page blob in location "
                    f"'{location.name}': {reason}; use a policy whose locations have the method snapshot",
                )


@dataclass(frozen=True)
class VmAddress:
    """An ARM id of a VM, taken apart."""

    subscription: str
    resource_group: str
    name: str


def vm_address(vm_id: str) -> VmAddress:
    """Take the ARM id of a VM apart; raises ValueError if it is not one."""
    match = _VM_ID.fullmatch(vm_id)
    if match is None:
        raise ValueError(
            f"{vm_id!r} is not the id of a VM; one looks like /subscriptions/…/resourceGroups/…"
            "/providers/Microsoft.Compute/virtualMachines/…"
        )
    return VmAddress(match["subscription"], match["resource_group"], match["name"])
