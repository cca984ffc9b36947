"""A virtual machine and its disks, as far as a backup must know them and a restore must bring them back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import Fault
from domain.names import disk_key, vm_key

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
    def is_os_disk(self) -> bool:
        """Whether the VM starts from this disk."""
        return self.lun is None

    @property
    def is_excluded(self) -> bool:
        """Whether its tag leaves it out of backups."""
        return (tag_value(self.tags, EXCLUDE_TAG) or "").lower() == "true"


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
    def protected_disks(self) -> tuple[Disk, ...]:
        """The disks that a restore point must hold, all of them."""
        return tuple(disk for disk in self.disks if not disk.is_excluded)

    def protection_faults(self, home_region: str) -> list[Fault]:
        """Say why no restore point of this VM can be taken with a home location in `home_region`."""
        faults = []
        if self.has_ephemeral_os_disk:
            faults.append(
                Fault("vm", f"VM '{self.name}' has an ephemeral OS disk, of which Azure takes no snapshot; "
                            "rebuild it on a managed OS disk, or take the policy's tag off it")
            )  # fmt: skip
        if self.region.lower() != home_region.lower():
            faults.append(
                Fault("policy", f"VM '{self.name}' is in region {self.region}, but the home location of its "
                                f"policy is in {home_region}; use a policy whose home is {self.region}")
            )  # fmt: skip
        if not self.protected_disks:
            faults.append(
                Fault("vm", f"VM '{self.name}' has no disk left to protect; "
                            f"take the tag {EXCLUDE_TAG} off at least one")
            )  # fmt: skip
        return faults


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
