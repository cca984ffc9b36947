"""The list of what Compute offers a subscription: sizes of machines, with their zones and restrictions.

The form is that of azure-mgmt-compute's `ResourceSku`. Of Azure's resource types only `virtualMachines` is
listed, one entry for each size and region, all on one page; quotas (`usages`) are not simulated. A lost
region is listed still: what Azure does then is unknown.
"""

from __future__ import annotations

import re
from typing import Any

from simulator.arm.call import Call
from simulator.arm.errors import ArmError
from simulator.arm.machine_sizes import Offers, Size, zones_of
from simulator.arm.routing import SUBSCRIPTION, Route
from simulator.arm.throttling import LIST
from simulator.regions import REGIONS, normalized
from simulator.wire import Response

_FILTER = re.compile(r"\s*location\s+eq\s+'([^']*)'\s*", re.IGNORECASE)


def list_skus(call: Call) -> Response:
    """Answer the sizes of all regions, or of the one that `$filter` names."""
    offers = call.estate.offers
    found = [_document(size, region, offers) for region in _regions(call) for size in offers.offered(region)]
    return Response.of_json(200, {"value": found})


def _regions(call: Call) -> list[str]:
    asked = call.request.query.get("$filter")
    if asked is None:
        return list(REGIONS)
    named = _FILTER.fullmatch(asked)
    if not named:
        raise ArmError(400, "BadRequest", f"The filter '{asked}' is not supported: only location eq '…' is.")
    return [region for region in REGIONS if region == normalized(named[1])]


def _document(size: Size, region: str, offers: Offers) -> dict[str, Any]:
    tier, _, rest = size.name.partition("_")
    return {
        "resourceType": "virtualMachines",
        "name": size.name,
        "tier": tier,
        "size": rest,
        "family": size.family,
        "locations": [region],
        "locationInfo": [{"location": region, "zones": list(zones_of(region)), "zoneDetails": []}],
        "capabilities": [{"name": name, "value": value} for name, value in _capabilities(size).items()],
        "restrictions": _restrictions(size, region, offers),
    }


def _capabilities(size: Size) -> dict[str, str]:
    told = {
        "vCPUs": str(size.cores),
        "MemoryGB": f"{size.memory_gib:g}",
        "MaxDataDiskCount": str(size.data_disks),
        "HyperVGenerations": size.generations,
        "PremiumIO": str(size.has_premium),
        "CpuArchitectureType": "x64",
    }
    # Azure tells this one only of sizes that it is true of (Microsoft's article "Trusted launch").
    return told if size.has_trusted_launch else told | {"TrustedLaunchDisabled": "True"}


def _restrictions(size: Size, region: str, offers: Offers) -> list[dict[str, Any]]:
    taken = offers.restricted_zones(size, region)
    if not taken:
        return []
    found = []
    if "" in taken:
        found.append(_restriction("Location", region, {"locations": [region]}))
    zones = [zone for zone in taken if zone]
    if zones:
        found.append(_restriction("Zone", region, {"locations": [region], "zones": zones}))
    return found


def _restriction(kind: str, region: str, where: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": kind,
        "values": [region],
        "restrictionInfo": where,
        "reasonCode": "NotAvailableForSubscription",
    }


ROUTES = (
    Route(
        "GET",
        f"{SUBSCRIPTION}/providers/Microsoft.Compute/skus",
        list_skus,
        "Microsoft.Compute/skus/read",
        LIST,
    ),
)
