"""What to protect how: policies and the locations that they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from domain.names import snapshot_id
from domain.schedule import Schedule


class Method(StrEnum):
    """How data comes into a location."""

    SNAPSHOT = "snapshot"  # Azure copies the snapshots themselves
    PAGES = "pages"  # Tidemark writes the changed pages into page blobs of any storage account


class SnapshotAccess(StrEnum):
    """Who may read the snapshots of a location over the network, besides Azure itself."""

    DENIED = "denied"  # nobody: whoever must read one, opens it for that moment
    ALLOWED = "allowed"  # whoever gets a SAS of one from Azure


@dataclass(frozen=True)
class Location:
    """Where replicas are kept: snapshots in a resource group of one region, and manifests that describe them.

    `manifests` is the URL of a blob container in an account of its own. Disks and VMs are restored into
    `restore_resource_group`, VMs with a network interface in the subnet `subnet_id`. `sizes` says which VM
    size, and `zones` which availability zone, stands here for one of another location.

    With the method `pages` replicas are page blobs in the container `pages`, a URL, and there are no
    snapshots. `account_id` is the ARM id of its account where disks may be imported from it: it is in the
    location's region then. Without it disks are uploaded, wherever the account is.
    """

    name: str
    region: str
    subscription: str
    resource_group: str
    manifests: str
    restore_resource_group: str
    encryption_set_id: str | None = None
    subnet_id: str | None = None
    sizes: Mapping[str, str] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    method: Method = Method.SNAPSHOT
    pages: str = ""
    account_id: str = ""
    snapshot_access: SnapshotAccess = SnapshotAccess.DENIED

    @property
    def group_id(self) -> str:
        """The ARM id of the resource group that holds the snapshots."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"

    @property
    def restore_group_id(self) -> str:
        """The ARM id of the resource group that restored disks are made in."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.restore_resource_group}"

    @property
    def pool(self) -> str:
        """What Azure counts copies by: their subscription and the region that they go to."""
        return f"{self.subscription.lower()}~{self.region.lower()}"

    def snapshot_id(self, name: str) -> str:
        """The ARM id of a snapshot of that name in this location."""
        return snapshot_id(self.group_id, name)


class Backlog(StrEnum):
    """What becomes of copies that wait behind another one of their disk."""

    EVERY = "every"  # all are sent, oldest first
    NEWEST = "newest"  # only the newest is sent, the others are skipped


class Unsupported(StrEnum):
    """What becomes of a VM that has a disk of which Azure takes no snapshot."""

    REFUSE = "refuse"  # no restore point is taken of it
    LEAVE_OUT = "leave_out"  # its other disks are protected, and the overview says so


@dataclass(frozen=True)
class Selector:
    """The VMs that a policy protects without a tag: those that match all that is given."""

    subscriptions: tuple[str, ...] = ()
    resource_groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """One way to protect VMs: when, from which home location, to which recovery locations, for how long.

    `keep_last` says how many of the newest restore points each location keeps. Pruning stops where it would
    remove more than the share `most_pruned` (0 to 1) of the restore points of a VM at once.
    """

    name: str
    schedule: Schedule
    home: Location
    recovery: tuple[Location, ...] = ()
    keep_last: Mapping[str, int] = field(default_factory=dict)
    max_skew: timedelta = timedelta(seconds=60)
    backlog: Backlog = Backlog.EVERY
    unsupported: Unsupported = Unsupported.REFUSE
    selector: Selector | None = None
    most_pruned: float = 0.5

    @property
    def locations(self) -> tuple[Location, ...]:
        """All locations, home first."""
        return (self.home, *self.recovery)


@dataclass(frozen=True)
class Scope:
    """Where VMs are looked for in one go: a whole subscription, or one resource group of it."""

    subscription: str
    resource_group: str | None = None

    @property
    def id(self) -> str:
        """The ARM id of the subscription or of the resource group."""
        group = f"/resourceGroups/{self.resource_group}" if self.resource_group else ""
        return f"/subscriptions/{self.subscription}{group}"

    @property
    def words(self) -> str:
        """How messages name it."""
        group = f"resource group {self.resource_group} in " if self.resource_group else ""
        return f"{group}subscription {self.subscription}"

    def holds(self, vm_id: str) -> bool:
        """Whether a VM is in it; Azure's names do not tell cases apart."""
        return vm_id.lower().startswith(f"{self.id.lower()}/")


@dataclass(frozen=True)
class Policies:
    """All that the policy file says. VMs are looked for in `scopes`, of which none lies in another."""

    scopes: tuple[Scope, ...]
    locations: Mapping[str, Location]
    policies: Mapping[str, Policy]
