"""Everything that exists in the simulated cloud, and the one way to change it over time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from clock import Clock
from simulator.arm.identifiers import UniqueIds
from simulator.arm.machine_sizes import Offers
from simulator.arm.operations import Operations
from simulator.arm.resources import Resource, Shelf
from simulator.arm.roles import Roles
from simulator.arm.timeline import Timeline
from simulator.meter import Meter
from simulator.regions import Regions
from simulator.tempo import Tempo

if TYPE_CHECKING:
    from simulator.arm.snapshot_families import Families
    from simulator.arm.snapshot_model import Snapshot
    from simulator.data_plane.access import AccessTable
    from simulator.images import ImageStore
    from simulator.page_blobs.accounts import StorageAccounts


@dataclass
class ResourceGroup:
    """A resource group; its location is where its list of resources is kept, so it can be lost with a
    region."""

    subscription: str
    name: str
    location: str
    tags: dict[str, str] = field(default_factory=dict)
    provisioning_state: str = "Succeeded"


@dataclass
class Subscription:
    """A subscription and its resource groups, by lower-case name."""

    id: str
    name: str
    groups: dict[str, ResourceGroup] = field(default_factory=dict)


@dataclass
class Estate:
    """Everything that exists; whoever looks or changes holds `lock`."""

    clock: Clock
    tempo: Tempo
    regions: Regions
    timeline: Timeline
    unique_ids: UniqueIds
    images: ImageStore
    accesses: AccessTable
    families: Families
    storage: StorageAccounts
    base_url: str | None
    roles: Roles = field(default_factory=Roles)
    offers: Offers = field(default_factory=Offers)
    meter: Meter = field(default_factory=Meter)
    shelf: Shelf = field(default_factory=Shelf)
    operations: Operations = field(default_factory=Operations)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    copying: list[Snapshot] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def management_url(self) -> str:
        """Where the management endpoint is reached, without a slash at the end."""
        return self.base_url or "https://management.azure.com"

    @property
    def now(self) -> datetime:
        """The moment up to which everything has happened."""
        return self.timeline.now

    def authorize(self, identity: str, action: str, scope: str) -> bool:
        """Tell whether an identity may do something, and note that it was asked."""
        self.meter.right(identity, action)
        return self.roles.allow(identity, action, scope)

    def group_of(self, resource: Resource) -> ResourceGroup:
        """Return the resource group that a resource is in."""
        return self.subscriptions[resource.id.subscription.lower()].groups[resource.id.group.lower()]

    def is_reachable(self, resource: Resource) -> bool:
        """Tell whether neither the resource's region nor that of its group is lost."""
        return not any(
            self.regions.is_lost(location)
            for location in (resource.location, self.group_of(resource).location)
        )

    def after(self, span: timedelta) -> datetime:
        """Return the moment that is `span` from now."""
        return self.now + span
