"""The policy file of a local system: two locations, and a backup every night."""

from __future__ import annotations

import json
from collections.abc import Mapping

HOME, RECOVERY = "westeurope", "northeurope"
HOME_LOCATION, RECOVERY_LOCATION = "west", "north"
POLICY = "daily"
CRON = "0 2 * * *"
RESOURCE_GROUPS = {
    "production": HOME,
    "snapshots-west": HOME,
    "restored-west": HOME,
    "snapshots-north": RECOVERY,
    "restored-north": RECOVERY,
}
NETWORKS = {HOME_LOCATION: HOME, RECOVERY_LOCATION: RECOVERY}  # one a location, for VMs that come back


def network_name(location: str) -> str:
    """Return the name of the network of a location; it is in the group that is restored into."""
    return f"network-{location}"


def policy_file(subscription: str, home_manifests: str, recovery_manifests: str) -> str:
    """Return the text of the file; the manifests are URLs of containers."""

    def location(name: str, region: str, manifests: str) -> Mapping[str, str]:
        group = f"/subscriptions/{subscription}/resourceGroups/restored-{name}"
        network = f"{group}/providers/Microsoft.Network/virtualNetworks/{network_name(name)}"
        return {
            "region": region,
            "subscription": subscription,
            "resource_group": f"snapshots-{name}",
            "manifests": manifests,
            "restore_resource_group": f"restored-{name}",
            "subnet": f"{network}/subnets/default",
        }

    document = {
        "subscriptions": [{"id": subscription}],
        "locations": {
            HOME_LOCATION: location(HOME_LOCATION, HOME, home_manifests),
            RECOVERY_LOCATION: location(RECOVERY_LOCATION, RECOVERY, recovery_manifests),
        },
        "policies": {
            POLICY: {
                "schedule": {"cron": CRON},
                "home": HOME_LOCATION,
                "recovery": [RECOVERY_LOCATION],
                "keep_last": {HOME_LOCATION: 7, RECOVERY_LOCATION: 30},
            }
        },
    }
    return json.dumps(document, indent=2)  # JSON is YAML
