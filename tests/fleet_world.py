"""A world with VMs in two subscriptions and several resource groups, chosen by tags and by selectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.world_handles import DiskSpec
from tests.settings_files import location_entry, policy_entry
from tests.world import HOME, MIB, RECOVERY, World

OTHER_LOCATIONS = {"west-2": HOME, "north-2": RECOVERY}


class FleetWorld(World):
    """A world with a second subscription, which has locations of its own.

    There policy `shops` takes what is in the groups `shop` and `shop-test` by its selector, and `second` what
    is tagged so. At home `critical` takes by the tag `tier`, `keyed` copies to the north with an encryption
    set, and `lenient` leaves out what Azure takes no snapshot of. `keys` has each region's encryption set.
    """

    def _build(self) -> None:
        super()._build()
        self.other = self.cloud.add_subscription(name="Second")
        for name, region in OTHER_LOCATIONS.items():
            self._add_location(name, region, self.other)
        self.keys = {
            region: self.cloud.add_disk_encryption_set("keys", region, group)
            for region, group in ((HOME, "production"), (RECOVERY, "restored-north"))
        }

    def _told(self) -> dict[str, Any]:
        told = super()._told()
        told["subscriptions"].append({"id": self.other})
        told["locations"] |= {
            name: location_entry(name, region, self.other, self.manifests[name].blob_endpoint)
            for name, region in OTHER_LOCATIONS.items()
        }
        self.manifests["keyed"] = self._account_with_container()
        keyed = location_entry("north", RECOVERY, self.subscription, self.manifests["keyed"].blob_endpoint)
        told["locations"]["keyed"] = keyed | {"encryption_set": self.keys[RECOVERY]}
        there = {**policy_entry("north-2"), "home": "west-2", "keep_last": {"west-2": 7, "north-2": 30}}
        told["policies"] |= {
            "critical": policy_entry("north", selector={"tags": {"tier": "critical"}}),
            "keyed": policy_entry("keyed"),
            "lenient": policy_entry("north", unsupported_disks="leave_out"),
            "second": there,
            "shops": there | {
                "selector": {"subscriptions": [self.other], "resource_groups": ["shop", "Shop-Test"]}
            },
        }  # fmt: skip
        return told

    def add(
        self,
        name: str,
        disks: Mapping[str, bytes],
        *,
        group: str = "production",
        tags: Mapping[str, str] | None = None,
        subscription: str | None = None,
        properties: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> str:
        """Add a VM anywhere, with these properties on all its disks; return its ARM id."""
        spec = DiskSpec(64 * MIB, properties=dict(properties or {}))
        machine = self.cloud.add_virtual_machine(
            name, HOME, group, dict.fromkeys(disks, spec), tags=tags, subscription=subscription, **more
        )
        self.machines[name] = machine
        for disk, content in disks.items():
            self.write(name, disk, content)
        return machine.id
