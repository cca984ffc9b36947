"""Virtual networks, subnets and network interfaces, as far as a restored machine needs them.

Only what a client can see of them is there: addresses are handed out in order and nothing is connected to
anything. Security groups, public addresses, load balancers and everything else of Microsoft.Network is not
simulated; references to them in an interface are kept and not checked.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any

from simulator.arm.errors import ArmError
from simulator.arm.owner import Owner
from simulator.arm.resources import Resource

NETWORK = "Microsoft.Network/virtualNetworks"
SUBNET = "Microsoft.Network/virtualNetworks/subnets"
INTERFACE = "Microsoft.Network/networkInterfaces"
RESERVED_ADDRESSES = 4


@dataclass(eq=False, kw_only=True)
class Subnet(Resource):
    """One subnet; the address after the last one handed out is the next."""

    prefix: str
    handed_out: int = RESERVED_ADDRESSES

    def document(self) -> dict[str, Any]:
        return {
            "name": self.id.name,
            "id": self.id.text,
            "type": self.id.kind,
            "properties": {"addressPrefix": self.prefix, "provisioningState": self.provisioning_state},
        }

    def next_address(self) -> str:
        """Hand out the next private address; raises ArmError 400 when there is none left."""
        network = ipaddress.ip_network(self.prefix)
        if self.handed_out >= network.num_addresses - 1:
            raise ArmError(
                400, "SubnetIsFull", f"Subnet {self.id.name} with address prefix {self.prefix} is full."
            )
        address = network[self.handed_out]
        self.handed_out += 1
        return str(address)


@dataclass(eq=False, kw_only=True)
class VirtualNetwork(Resource):
    """One virtual network with its subnets."""

    subnets: list[Subnet] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        properties = {
            **self.properties,
            "subnets": [subnet.document() for subnet in self.subnets],
            "provisioningState": self.provisioning_state,
        }
        return self.heading() | {"properties": properties}


@dataclass(eq=False, kw_only=True)
class NetworkInterface(Resource):
    """One network interface, and the machine that has it."""

    configurations: list[dict[str, Any]] = field(default_factory=list)
    machine: Owner | None = None

    def is_in(self, subnet: Subnet) -> bool:
        """Tell whether the interface has an address of a subnet."""
        return any(
            each["properties"]["subnet"]["id"].lower() == subnet.id.key for each in self.configurations
        )

    def document(self) -> dict[str, Any]:
        properties: dict[str, Any] = {
            **self.properties,
            "ipConfigurations": self.configurations,
            "provisioningState": self.provisioning_state,
        }
        if self.machine is not None:
            properties["virtualMachine"] = {"id": self.machine.id.text}
        return self.heading() | {"properties": properties}
