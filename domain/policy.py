"""What to protect how: policies and the locations that they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from domain.schedule import Schedule


@dataclass(frozen=True)
class Location:
    """Where replicas are kept: snapshots in a resource group of one region, and manifests that describe them.

    `manifests` is the URL of a blob container in an account of its own. Disks are restored into
    `restore_resource_group`.
    """

    name: str
    region: str
    subscription: str
    resource_group: str
    manifests: str
    restore_resource_group: str
    encryption_set_id: str | None = None

    @property
    def group_id(self) -> str:
        """The ARM id of the resource group that holds the snapshots."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"

    @property
    def restore_group_id(self) -> str:
        """The ARM id of the resource group that restored disks are made in."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.restore_resource_group}"

    def snapshot_id(self, name: str) -> str:
        """The ARM id of a snapshot of that name in this location."""
        return f"{self.group_id}/providers/Microsoft.Compute/snapshots/{name}"


@dataclass(frozen=True)
class Policy:
    """One way to protect VMs: when, from which home location, to which recovery locations, for how long.

    `keep_last` says how many of the newest restore points each location keeps.
    """

    name: str
    schedule: Schedule
    home: Location
    recovery: tuple[Location, ...] = ()
    keep_last: Mapping[str, int] = field(default_factory=dict)
    max_skew: timedelta = timedelta(seconds=60)

    @property
    def locations(self) -> tuple[Location, ...]:
        """All locations, home first."""
        return (self.home, *self.recovery)


@dataclass(frozen=True)
class Policies:
    """All that the policy file says. VMs are looked for in `subscriptions`."""

    subscriptions: tuple[str, ...]
    locations: Mapping[str, Location]
    policies: Mapping[str, Policy]
