"""The sizes of virtual machines that the simulated world knows, and where they are offered.

They are some of Azure's, with their documented numbers; Azure has many more. All of them are offered in
every region and zone, until a test takes one away (`cloud.offers`): `withdraw` lets a region not have it,
`restrict` lets subscriptions not get it there, or not in some zones. Those are the two ways in which Azure
says no before it looks for room.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from simulator.arm import errors
from simulator.arm.errors import ArmError
from simulator.arm.identifiers import ResourceId
from simulator.regions import REGIONS

ZONES = ("1", "2", "3")


@dataclass(frozen=True)
class Size:
    """One size; `generations` are those of Hyper-V that it boots, as Azure writes them.

    Sizes that boot V1 alone have no Trusted Launch either, so of them `has_trusted_launch` tells nothing.
    """

    name: str
    family: str
    cores: int
    memory_gib: float
    data_disks: int
    has_premium: bool
    generations: str = "V1,V2"
    has_trusted_launch: bool = True


@dataclass(frozen=True)
class _Series:
    """Sizes of one series: their names with `{}` for the number of cores."""

    pattern: str
    family: str
    memory_per_core: float
    data_disks: dict[int, int]  # by cores
    has_premium: bool = True
    generations: str = "V1,V2"

    def sizes(self) -> list[Size]:
        return [
            Size(
                self.pattern.format(cores),
                self.family,
                cores,
                cores * self.memory_per_core,
                most,
                self.has_premium,
                self.generations,
            )
            for cores, most in self.data_disks.items()
        ]


_USUAL = {2: 4, 4: 8, 8: 16, 16: 32, 32: 32, 48: 32, 64: 32}
_SERIES = (
    _Series("Standard_B{}ms", "standardBSFamily", 4, {2: 4, 4: 8, 8: 16}),
    _Series("Standard_D{}_v3", "standardDv3Family", 4, _USUAL, has_premium=False, generations="V1"),
    _Series("Standard_D{}s_v3", "standardDSv3Family", 4, _USUAL),
    _Series("Standard_D{}s_v4", "standardDSv4Family", 4, _USUAL),
    _Series("Standard_D{}_v5", "standardDv5Family", 4, _USUAL, has_premium=False),
    _Series("Standard_D{}s_v5", "standardDSv5Family", 4, {**_USUAL, 96: 32}),
    _Series("Standard_D{}ds_v5", "standardDDSv5Family", 4, {**_USUAL, 96: 32}),
    _Series("Standard_D{}as_v5", "standardDASv5Family", 4, {**_USUAL, 96: 32}),
    _Series("Standard_E{}s_v3", "standardESv3Family", 8, _USUAL),
    _Series("Standard_E{}s_v4", "standardESv4Family", 8, _USUAL),
    _Series("Standard_E{}s_v5", "standardESv5Family", 8, {**_USUAL, 96: 32}),
    _Series("Standard_E{}ds_v5", "standardEDSv5Family", 8, {**_USUAL, 96: 32}),
    _Series("Standard_E{}as_v5", "standardEASv5Family", 8, {**_USUAL, 96: 32}),
    _Series("Standard_F{}s_v2", "standardFSv2Family", 2, _USUAL),
)
_OTHERS = (
    Size("Standard_B1s", "standardBSFamily", 1, 1, 2, True),
    Size("Standard_B1ms", "standardBSFamily", 1, 2, 2, True),
    Size("Standard_B2s", "standardBSFamily", 2, 4, 4, True),
    Size("Standard_A4_v2", "standardAv2Family", 4, 8, 8, False, has_trusted_launch=False),
    Size("Standard_D2_v2", "standardDv2Family", 2, 7, 8, False, "V1"),
    Size("Standard_D4_v2", "standardDv2Family", 8, 28, 32, False, "V1"),
    Size("Standard_DS2_v2", "standardDSv2Family", 2, 7, 8, True),
    Size("Standard_DS4_v2", "standardDSv2Family", 8, 28, 32, True),
)
SIZES = {
    size.name.lower(): size for size in (*(each for series in _SERIES for each in series.sizes()), *_OTHERS)
}


@dataclass
class Offers:
    """Where sizes are not offered; by lower-case size and region."""

    withdrawn: set[tuple[str, str]] = field(default_factory=set)
    restricted: defaultdict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def offered(self, region: str) -> list[Size]:
        """Return the sizes that a region has, restricted or not."""
        return [size for key, size in SIZES.items() if (key, region) not in self.withdrawn]

    def restricted_zones(self, size: Size, region: str) -> list[str]:
        """Return the zones of a region in which a size is not to be had; "" stands for no zone."""
        return sorted(self.restricted.get((size.name.lower(), region), ()))

    def size(self, name: str, region: str) -> Size:
        """Return a size that a region has; raises ArmError 400 InvalidParameter.

        The words are quoted in many reports, ansible-collections/azure issue 1243 among them.
        """
        found = SIZES.get(name.lower())
        there = ",".join(size.name for size in self.offered(region))
        if found is None:
            raise errors.invalid_parameter(
                f"The value {name} provided for the VM size is not valid. The valid sizes in the current "
                f"region are: {there}. Find out more on the valid VM sizes in each region at "
                "https://aka.ms/azure-regions.",
                "vmSize",
            )
        if (name.lower(), region) in self.withdrawn:
            raise errors.invalid_parameter(
                f"The requested VM size {name} is not available in the current region. The sizes available "
                f"in the current region are: {there}. Find out more on the available VM sizes in each region "
                "at https://aka.ms/azure-regions.",
                "vmSize",
            )
        return found

    def require(self, name: str, region: str, zones: list[str], machine: ResourceId) -> None:
        """Refuse a size that the subscription cannot get there; raises ArmError 400 or 409 SkuNotAvailable.

        The words are quoted in MicrosoftDocs/azure-docs-cli issue 599 and others.
        """
        size = self.size(name, region)
        taken = self.restricted_zones(size, region)
        if any(zone in taken for zone in (zones or [""])):
            raise ArmError(
                409,
                "SkuNotAvailable",
                f"The requested size for resource '{machine}' is currently not available in location "
                f"'{region}' zones '{','.join(zones)}' for subscription '{machine.subscription}'. Please try "
                "another size or deploy to a different location or zones. See "
                "https://aka.ms/azureskunotavailable for details.",
            )

    def withdraw(self, name: str, region: str) -> None:
        """Let a region not have a size."""
        self.withdrawn.add((name.lower(), region))

    def restrict(self, name: str, region: str, *zones: str) -> None:
        """Let a size not be had in some zones of a region, or nowhere in it if none are given."""
        self.restricted[(name.lower(), region)] |= set(zones) or {"", *zones_of(region)}


def zones_of(region: str) -> tuple[str, ...]:
    """Return the availability zones of a region."""
    return ZONES if REGIONS[region].has_zones else ()
