"""The policy file of a local system: three locations, one with page blobs, and a backup every night."""

from __future__ import annotations

import json
from collections.abc import Mapping

HOME, RECOVERY, VAULT = "westeurope", "northeurope", "francecentral"
HOME_LOCATION, RECOVERY_LOCATION, VAULT_LOCATION = "west", "north", "vault"
VAULT_GROUP = "storage-vault"  # of the storage account that keeps the page blobs
POLICY = "daily"
CRON = "0 2 * * *"
RESOURCE_GROUPS = {
    "production": HOME,
    "snapshots-west": HOME,
    "restored-west": HOME,
    "snapshots-north": RECOVERY,
    "restored-north": RECOVERY,
    "snapshots-vault": VAULT,
    "restored-vault": VAULT,
    VAULT_GROUP: VAULT,
}
# One a location, for VMs that come back.
NETWORKS = {HOME_LOCATION: HOME, RECOVERY_LOCATION: RECOVERY, VAULT_LOCATION: VAULT}


def network_name(location: str) -> str:
    """Return the name of the network of a location; it is in the group that is restored into."""
    return f"network-{location}"


def policy_file(subscription: str, manifests: Mapping[str, str], pages: str, account: str) -> str:
    """Return the text of the file; `manifests` are URLs of containers by their location.

    The vault keeps its page blobs in the container `pages`, a URL, of the storage account with the ARM id
    `account`.
    """

    def location(name: str, region: str) -> dict[str, str]:
        group = f"/subscriptions/{subscription}/resourceGroups/restored-{name}"
        network = f"{group}/providers/Microsoft.Network/virtualNetworks/{network_name(name)}"
        return {
            "region": region,
            "subscription": subscription,
            "resource_group": f"snapshots-{name}",
            "manifests": manifests[name],
            "restore_resource_group": f"restored-{name}",
            "subnet": f"{network}/subnets/default",
        }

    document = {
        "subscriptions": [{"id": subscription}],
        "locations": {
            HOME_LOCATION: location(HOME_LOCATION, HOME),
            RECOVERY_LOCATION: location(RECOVERY_LOCATION, RECOVERY),
            VAULT_LOCATION: location(VAULT_LOCATION, VAULT)
            | {"method": "pages", "pages": pages, "account": account},
        },
        "policies": {
            POLICY: {
                "schedule": {"cron": CRON},
                "home": HOME_LOCATION,
                "recovery": [RECOVERY_LOCATION, VAULT_LOCATION],
                "keep_last": {HOME_LOCATION: 7, RECOVERY_LOCATION: 30, VAULT_LOCATION: 30},
            }
        },
    }
    return json.dumps(document, indent=2)  # JSON is YAML
