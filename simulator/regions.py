"""The regions of the simulated cloud, and what it is like when one is lost.

Azure documents no wire behaviour for a lost region; what follows is the simulator's own choice. Requests for
resources in a lost region, or in a resource group located there, are answered 503 or not at all (which of the
two, the seed decides). Operations there never end, its SAS hosts refuse, lists that span several regions
leave its resources out, and copies out of it stop where they are without an error. Restoring the region lets
all of that go on.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from simulator.arm.errors import ArmError
from simulator.wire import ConnectionDropped


@dataclass(frozen=True)
class Region:
    """One region: whether it has availability zones, and so zone-redundant storage."""

    name: str
    display_name: str
    has_zones: bool = True


REGIONS = {
    region.name: region
    for region in (
        Region("australiaeast", "Australia East"),
        Region("brazilsouth", "Brazil South"),
        Region("canadacentral", "Canada Central"),
        Region("centralindia", "Central India"),
        Region("centralus", "Central US"),
        Region("eastasia", "East Asia"),
        Region("eastus", "East US"),
        Region("eastus2", "East US 2"),
        Region("francecentral", "France Central"),
        Region("germanywestcentral", "Germany West Central"),
        Region("italynorth", "Italy North"),
        Region("japaneast", "Japan East"),
        Region("japanwest", "Japan West"),
        Region("northcentralus", "North Central US", has_zones=False),
        Region("northeurope", "North Europe"),
        Region("norwayeast", "Norway East"),
        Region("polandcentral", "Poland Central"),
        Region("southcentralus", "South Central US"),
        Region("southeastasia", "Southeast Asia"),
        Region("spaincentral", "Spain Central"),
        Region("swedencentral", "Sweden Central"),
        Region("switzerlandnorth", "Switzerland North"),
        Region("uksouth", "UK South"),
        Region("ukwest", "UK West", has_zones=False),
        Region("westcentralus", "West Central US", has_zones=False),
        Region("westeurope", "West Europe"),
        Region("westus", "West US", has_zones=False),
        Region("westus2", "West US 2"),
        Region("westus3", "West US 3"),
    )
}


def normalized(location: str) -> str:
    """Return a location as Azure stores it: "West Europe" is "westeurope"."""
    return location.replace(" ", "").lower()


class Regions:
    """Which regions are lost, and how they fail."""

    def __init__(self, seed: int) -> None:
        self._lost: set[str] = set()
        self._random = random.Random(seed)

    def is_lost(self, location: str) -> bool:
        return location in self._lost

    def lose(self, location: str) -> None:
        self._lost.add(known_region(location))

    def restore(self, location: str) -> None:
        self._lost.discard(known_region(location))

    def check(self, *locations: str) -> None:
        """Fail as a lost region does if one of `locations` is lost.

        Raises ArmError (503 ServiceUnavailable) or ConnectionDropped.
        """
        for location in locations:
            if location in self._lost:
                self._fail(location)

    def _fail(self, location: str) -> None:
        if self._random.random() < 0.5:
            raise ConnectionDropped()
        raise ArmError(
            503, "ServiceUnavailable", f"The service in location '{location}' is temporarily unavailable."
        )


def known_region(location: str) -> str:
    """Return a location as Azure stores it; raises ValueError if there is no such region."""
    name = normalized(location)
    if name not in REGIONS:
        raise ValueError(f"{location!r} is not a region of the simulated cloud; it has {', '.join(REGIONS)}")
    return name
