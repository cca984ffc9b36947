"""Subnets and network interfaces, as far as a VM that is brought back needs them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from domain.errors import Fault
from domain.policy import Location
from domain.provisioning import Made

_SUBNET = re.compile(
    r"(?P<network>/subscriptions/(?P<subscription>[^/\s?#%]+)/resourceGroups/[\w().-]*[\w()-]"
    r"/providers/Microsoft\.Network/virtualNetworks/[\w.-]*\w)/subnets/[\w.-]*\w",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SubnetAddress:
    """The ARM id of a subnet, taken apart."""

    id: str
    subscription: str
    network_id: str

    @classmethod
    def parse(cls, subnet_id: str) -> SubnetAddress:
        """Take the id of a subnet apart; raises ValueError if it is not one."""
        match = _SUBNET.fullmatch(subnet_id)
        if match is None:
            raise ValueError(
                f"{subnet_id!r} is not the id of a subnet; one looks like /subscriptions/…/resourceGroups/…"
                "/providers/Microsoft.Network/virtualNetworks/…/subnets/…"
            )
        return cls(subnet_id, match["subscription"], match["network"])


@dataclass(frozen=True)
class Network:
    """A virtual network as Azure describes it."""

    id: str
    region: str
    subnets: tuple[str, ...]

    def faults(self, subnet_id: str, location: Location) -> Iterator[Fault]:
        """Say why no VM of a location can be in one of its subnets."""
        if self.region.lower() != location.region.lower():
            yield Fault(
                "subnet",
                f"subnet {subnet_id} is in {self.region}, and location '{location.name}' in "
                f"{location.region}; name a subnet of that region",
            )
        if subnet_id.lower() not in {known.lower() for known in self.subnets}:
            has = ", ".join(known.rsplit("/", 1)[-1] for known in self.subnets) or "none"
            yield Fault("subnet", f"there is no subnet {subnet_id}; its network has {has}")


@dataclass(frozen=True)
class InterfacePlan:
    """A network interface to be made, with an address of a subnet."""

    id: str
    region: str
    subnet_id: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RestoredInterface(Made):
    """A network interface as Azure describes it; `operation` is what made it, empty if no restore did."""

    id: str
    provisioning_state: str
    operation: str = ""
    address: str | None = None


def subnet_faults(location: Location) -> Iterator[Fault]:
    """Say why a location has no place for a VM, as far as its configuration tells."""
    if location.subnet_id is None:
        yield Fault(
            "subnet",
            f"location '{location.name}' has no subnet in the policy file; name one here, or restore the "
            "disks alone",
        )
        return
    try:
        address = SubnetAddress.parse(location.subnet_id)
    except ValueError as wrong:
        yield Fault("subnet", str(wrong))
        return
    if address.subscription.lower() != location.subscription.lower():
        yield Fault(
            "subnet",
            f"subnet {address.id} is in another subscription than location '{location.name}' "
            f"({location.subscription}), where Azure lets no network interface use it",
        )
