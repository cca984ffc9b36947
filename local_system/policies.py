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


def policy_file(subscription: str, home_manifests: str, recovery_manifests: str) -> str:
    """Return the text of the file; the manifests are URLs of containers."""

    def location(name: str, region: str, manifests: str) -> Mapping[str, str]:
        return {
            "region": region,
            "subscription": subscription,
            "resource_group": f"snapshots-{name}",
            "manifests": manifests,
            "restore_resource_group": f"restored-{name}",
        }

    document = {
        "subscriptions": [subscription],
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
