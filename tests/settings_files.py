"""The settings and the policy file of an app under test, which every kind of test needs alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from settings import Development, Settings
from tests.conftest import Account

HOME, RECOVERY = "westeurope", "northeurope"
TOKEN = "a token for the tests"


def location_entry(name: str, region: str, subscription: str, manifests: str) -> dict[str, Any]:
    """Return a location as the policy file has it; `manifests` is the blob endpoint of its account."""
    restores = f"/subscriptions/{subscription}/resourceGroups/restored-{name}"
    return {
        "region": region,
        "subscription": subscription,
        "resource_group": f"snapshots-{name}",
        "manifests": f"{manifests}/manifests",
        "restore_resource_group": f"restored-{name}",
        "subnet": f"{restores}/providers/Microsoft.Network/virtualNetworks/network-{name}/subnets/default",
    }


def policy_entry(*recovery: str, cron: str = "0 2 * * *", **more: Any) -> dict[str, Any]:
    """Return a policy as the policy file has it: from the west to these locations."""
    return {
        "schedule": {"cron": cron},
        "home": "west",
        "recovery": recovery,
        "keep_last": {"west": 7, **dict.fromkeys(recovery, 30)},
        **more,
    }


def settings_in(
    directory: Path, policies: Mapping[str, Any], catalogue: Account, *others: Account
) -> Settings:
    """Write the policy file and return the settings of an app that has it, and may use these accounts."""
    file = directory / "policies.yaml"
    file.write_text(json.dumps(policies))  # JSON is YAML
    return Settings(
        catalogue=catalogue.table_endpoint,
        policies=file,
        management_endpoint="https://management.azure.com",
        is_sign_in_enforced=False,
        development=Development(
            token=TOKEN, storage_keys={account.name: account.key for account in (catalogue, *others)}
        ),
    )
