"""What a region offers a subscription of VM sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from domain.machine_sizes import SizeOffer
from gateways.compute import Compute
from gateways.failures import translated


@dataclass(frozen=True)
class MachineSizes:
    """Reads the list of what Compute offers."""

    compute: Compute

    def find(self, subscription: str, region: str, size: str) -> SizeOffer | None:
        """Return what a region offers a subscription of a size; None where it does not have that size.

        Azure filters its list by region alone. What is left are some thousand entries on several pages, so
        they are read one after the other, none is kept, and no page is asked for behind the one that has it.
        """
        with translated(f"the VM sizes that {region} offers subscription {subscription}"):
            listed = self.compute.client(subscription).resource_skus.list(filter=f"location eq '{region}'")
            for entry in listed:
                if entry.resource_type == "virtualMachines" and str(entry.name).lower() == size.lower():
                    return _offer(entry.as_dict(), region)
        return None


def _offer(entry: Mapping[str, Any], region: str) -> SizeOffer:
    zones = [
        zone
        for info in entry.get("locationInfo") or ()
        if _is_same(info.get("location"), region)
        for zone in info.get("zones") or ()
    ]
    restrictions = [
        each
        for each in entry.get("restrictions") or ()
        if any(_is_same(place, region) for place in _places(each))
    ]
    everywhere = [each for each in restrictions if each.get("type") == "Location"]
    return SizeOffer(
        name=entry["name"],
        zones=tuple(sorted(zones)),
        restricted=next((_reason(each) for each in everywhere), None),
        restricted_zones=dict(_restricted_zones(restrictions)),
        capabilities={each["name"]: each["value"] for each in entry.get("capabilities") or ()},
    )


def _places(restriction: Mapping[str, Any]) -> list[str]:
    """Return the regions of a restriction; newer versions of the API tell them apart from its values."""
    told = (restriction.get("restrictionInfo") or {}).get("locations")
    return list(told or restriction.get("values") or ())


def _restricted_zones(restrictions: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for each in restrictions:
        if each.get("type") == "Zone":
            for zone in (each.get("restrictionInfo") or {}).get("zones") or ():
                yield zone, _reason(each)


def _reason(restriction: Mapping[str, Any]) -> str:
    return str(restriction.get("reasonCode", "Azure gives no reason"))


def _is_same(told: str | None, region: str) -> bool:
    """Whether Azure means a region; here it also writes names as people see them, such as 'West Europe'."""
    return told is not None and told.replace(" ", "").lower() == region.replace(" ", "").lower()
