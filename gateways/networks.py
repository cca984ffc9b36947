"""Virtual networks and network interfaces, by plain calls to Resource Manager.

The SDK of the network service is large and slow to import, and four requests are all that is needed of it;
they go the way of the compute client, with its identity and its rules (gateways/compute.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from azure.core.rest import HttpRequest

from domain.errors import Refused
from domain.networks import InterfacePlan, Network, RestoredInterface, SubnetAddress
from domain.tags import OPERATION_TAG
from domain.vms import tag_value
from gateways.compute import Compute, ResourceId
from gateways.failures import found, translated

_API_VERSION = "2024-05-01"  # of Microsoft.Network


@dataclass(frozen=True)
class Networks:
    """Reads networks; makes network interfaces and reads them; never deletes."""

    compute: Compute

    def find(self, subnet: SubnetAddress) -> Network | None:
        """Return the network that a subnet is in, or None if there is none."""
        model = self._get(f"network {subnet.network_id}", subnet.subscription, subnet.network_id)
        if model is None:
            return None
        subnets = model["properties"].get("subnets") or ()
        return Network(model["id"], model["location"], tuple(known["id"] for known in subnets))

    def find_interface(self, interface_id: str) -> RestoredInterface | None:
        """Return a network interface, or None if there is none; raises Absent if its group is missing."""
        subscription = ResourceId.parse(interface_id).subscription
        model = self._get(f"network interface {interface_id}", subscription, interface_id)
        return _interface(model) if model else None

    def begin_interface(self, plan: InterfacePlan, operation: str) -> RestoredInterface:
        """Begin a network interface, or take up the one that this operation has begun before."""
        there = self.find_interface(plan.id)
        if there is None:
            return self._create(plan)
        if there.operation != operation:
            raise Refused(
                "NameTaken",
                f"network interface {plan.id} exists, but this restore has not made it; remove it or "
                "restore again",
            )
        return there

    def _create(self, plan: InterfacePlan) -> RestoredInterface:
        subscription = ResourceId.parse(plan.id).subscription
        with translated(f"network interface {plan.id}"):
            return _interface(self._send("PUT", subscription, plan.id, _body(plan)))

    def _get(self, what: str, subscription: str, resource: str) -> Mapping[str, Any] | None:
        return found(what, lambda: self._send("GET", subscription, resource))

    def _send(
        self, method: Literal["GET", "PUT"], subscription: str, resource: str, body: Any = None
    ) -> Mapping[str, Any]:
        request = HttpRequest(method, resource, params={"api-version": _API_VERSION}, json=body)
        response = self.compute.client(subscription).send_request(request)
        response.raise_for_status()
        model: Mapping[str, Any] = response.json()
        return model


def _body(plan: InterfacePlan) -> dict[str, Any]:
    configuration = {
        "name": "primary",
        "properties": {"subnet": {"id": plan.subnet_id}, "privateIPAllocationMethod": "Dynamic"},
    }
    return {
        "location": plan.region,
        "tags": dict(plan.tags),
        "properties": {"ipConfigurations": [configuration]},
    }


def _interface(model: Mapping[str, Any]) -> RestoredInterface:
    properties = model["properties"]
    addresses = [
        configuration["properties"].get("privateIPAddress")
        for configuration in properties.get("ipConfigurations") or ()
    ]
    return RestoredInterface(
        id=model["id"],
        provisioning_state=properties["provisioningState"],
        operation=tag_value(model.get("tags") or {}, OPERATION_TAG) or "",
        address=next(filter(None, addresses), None),
    )
