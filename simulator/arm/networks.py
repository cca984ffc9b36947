"""Virtual networks, subnets and network interfaces, as far as a restored machine needs them.

Only what a client can see of them is there: addresses are handed out in order and nothing is connected to
anything. Security groups, public addresses, load balancers and everything else of Microsoft.Network is not
simulated; references to them in an interface are kept and not checked.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulator.arm import errors, fields
from simulator.arm.call import Call
from simulator.arm.errors import ArmError
from simulator.arm.identifiers import ResourceId
from simulator.arm.listing import list_resources
from simulator.arm.operations import DELETING, OPERATIONS, Work
from simulator.arm.resources import Resource
from simulator.arm.routing import resource_routes
from simulator.arm.throttling import UNLIMITED
from simulator.wire import Response

if TYPE_CHECKING:
    from simulator.arm.machine_model import VirtualMachine

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
    machine: VirtualMachine | None = None

    def document(self) -> dict[str, Any]:
        properties: dict[str, Any] = {
            **self.properties,
            "ipConfigurations": self.configurations,
            "provisioningState": self.provisioning_state,
        }
        if self.machine is not None:
            properties["virtualMachine"] = {"id": self.machine.id.text}
        return self.heading() | {"properties": properties}


def put_network(call: Call) -> Response:
    """Create a virtual network with the subnets in its body, or change one."""
    fields.check_network_name(call.id.name)
    network = call.estate.shelf.find(VirtualNetwork, call.id)
    is_new = network is None
    if network is None:
        network = VirtualNetwork(
            id=call.id, location=fields.location(call.body, NETWORK), created=call.estate.now
        )
        call.estate.regions.check(network.location)
    network.require_idle()
    properties = fields.section(call.body, "properties")
    network.tags = fields.tags(call.body)
    network.properties = {"addressSpace": dict(fields.section(properties, "addressSpace"))}
    call.estate.shelf.put(network)
    for asked in fields.items(properties, "subnets"):
        _put_subnet(call, network, fields.required_text(asked, "name", "subnets."), asked)
    return _accepted(call, network, is_new)


def put_subnet(call: Call) -> Response:
    """Create one subnet of a network, or change it."""
    network = call.estate.shelf.find(VirtualNetwork, _network_of(call.id))
    if network is None:
        raise ArmError(
            404,
            "ParentResourceNotFound",
            f"Failed to perform 'write' on resource(s) of type 'virtualNetworks/subnets', because the parent "
            f"resource '{_network_of(call.id)}' could not be found.",
        )
    network.require_idle()
    is_new = call.estate.shelf.find(Subnet, call.id) is None
    return _accepted(call, _put_subnet(call, network, call.id.name, call.body), is_new)


def put_interface(call: Call) -> Response:
    """Create a network interface in a subnet of its region, or change one."""
    fields.check_network_name(call.id.name)
    interface = call.estate.shelf.find(NetworkInterface, call.id)
    is_new = interface is None
    if interface is None:
        interface = NetworkInterface(
            id=call.id, location=fields.location(call.body, INTERFACE), created=call.estate.now
        )
        call.estate.regions.check(interface.location)
    interface.require_idle()
    properties = fields.section(call.body, "properties")
    interface.configurations = _configurations(call, interface, properties)
    interface.tags = fields.tags(call.body)
    interface.properties |= {
        name: value
        for name, value in properties.items()
        if name not in ("ipConfigurations", "provisioningState", "virtualMachine")
    }
    call.estate.shelf.put(interface)
    return _accepted(call, interface, is_new)


def get_network(call: Call) -> Response:
    """Answer what is known of a network, a subnet or an interface."""
    kinds = {NETWORK: VirtualNetwork, SUBNET: Subnet, INTERFACE: NetworkInterface}
    return Response.of_json(200, call.estate.shelf.get(kinds[call.kind], call.id).document())


def delete_interface(call: Call) -> Response:
    """Delete a network interface that no machine has."""
    interface = call.estate.shelf.find(NetworkInterface, call.id)
    if interface is None:
        return Response(204)
    interface.require_idle()
    require_free(interface, None)
    work = Work(
        call.estate.tempo.network,
        lambda _: call.estate.shelf.remove(interface),
        states=DELETING,
    )
    return call.accepted(call.begin(interface, work, OPERATIONS))


def require_free(interface: NetworkInterface, machine: VirtualMachine | None) -> None:
    """Refuse an interface that another machine than `machine` has; raises ArmError 400 NicInUse."""
    if interface.machine is not None and interface.machine is not machine:
        raise ArmError(
            400,
            "NicInUse",
            f"Network Interface {interface.id} is used by existing resource {interface.machine.id}. In "
            "order to delete the network interface, it must be dissociated from the resource. To learn "
            "more, see aka.ms/deletenic.",
        )


def _configurations(call: Call, interface: NetworkInterface, properties: fields.Json) -> list[dict[str, Any]]:
    asked = fields.items(properties, "ipConfigurations")
    if not asked:
        raise errors.missing_parameter("properties.ipConfigurations")
    return [_configuration(call, interface, each) for each in asked]


def _configuration(call: Call, interface: NetworkInterface, asked: fields.Json) -> dict[str, Any]:
    name = fields.required_text(asked, "name", "ipConfigurations.")
    wanted: Mapping[str, Any] = fields.section(asked, "properties")
    subnet = _subnet(call, interface, fields.section(wanted, "subnet"))
    before = next((each for each in interface.configurations if each["name"] == name), None)
    address = wanted.get("privateIPAddress") or (before or {"properties": {}})["properties"].get(
        "privateIPAddress"
    )
    return {
        "name": name,
        "id": f"{interface.id}/ipConfigurations/{name}",
        "properties": {
            **wanted,
            "subnet": {"id": subnet.id.text},
            "privateIPAddress": address or subnet.next_address(),
            "privateIPAllocationMethod": wanted.get("privateIPAllocationMethod", "Dynamic"),
            "provisioningState": "Succeeded",
        },
    }


def _subnet(call: Call, interface: NetworkInterface, asked: fields.Json) -> Subnet:
    text = fields.required_text(asked, "id", "ipConfigurations.subnet.")
    call.require_linked("Microsoft.Network/virtualNetworks/subnets/join/action", text)
    subnet_id = ResourceId.parse(text)
    subnet = call.estate.shelf.find(Subnet, subnet_id) if subnet_id else None
    if subnet is None or subnet.location != interface.location:
        raise reference_missing(text, interface.id)
    return subnet


def reference_missing(text: str, referrer: ResourceId) -> ArmError:
    """Return the refusal of a reference to what does not exist, or exists in another region."""
    return ArmError(
        400,
        "InvalidResourceReference",
        f"Resource {text} referenced by resource {referrer} was not found. Please make sure that the "
        "referenced resource exists, and that both resources are in the same region.",
    )


def _put_subnet(call: Call, network: VirtualNetwork, name: str, asked: fields.Json) -> Subnet:
    fields.check_network_name(name)
    properties = fields.section(asked, "properties")
    prefix = properties.get("addressPrefix") or next(iter(properties.get("addressPrefixes") or []), None)
    try:
        ipaddress.ip_network(str(prefix))
    except ValueError as error:
        raise ArmError(
            400, "InvalidAddressPrefixFormat", f"Address prefix {prefix} of subnet {name} is not valid."
        ) from error
    subnet_id = ResourceId(network.id.subscription, network.id.group, SUBNET, (network.id.name, name))
    subnet = call.estate.shelf.find(Subnet, subnet_id)
    if subnet is None:
        subnet = Subnet(id=subnet_id, location=network.location, created=call.estate.now, prefix=str(prefix))
        call.estate.shelf.put(subnet)
        network.subnets.append(subnet)
    subnet.prefix = str(prefix)
    return subnet


def _network_of(subnet: ResourceId) -> ResourceId:
    return ResourceId(subnet.subscription, subnet.group, NETWORK, subnet.names[:1])


def _accepted(call: Call, resource: Resource, is_new: bool) -> Response:
    work = Work(call.estate.tempo.network, lambda _: None)
    operation = call.begin(resource, work, OPERATIONS)
    return call.accepted(operation, 201 if is_new else 200, resource.document(), monitor=False)


ROUTES = (
    *resource_routes(
        NETWORK,
        ("PUT", "/{}", put_network, "write", UNLIMITED),
        ("GET", "/{}", get_network, "read", UNLIMITED),
        ("GET", "", list_resources, "read", UNLIMITED),
    ),
    *resource_routes(
        SUBNET,
        ("PUT", "/{}", put_subnet, "write", UNLIMITED),
        ("GET", "/{}", get_network, "read", UNLIMITED),
    ),
    *resource_routes(
        INTERFACE,
        ("PUT", "/{}", put_interface, "write", UNLIMITED),
        ("GET", "/{}", get_network, "read", UNLIMITED),
        ("DELETE", "/{}", delete_interface, "delete", UNLIMITED),
        ("GET", "", list_resources, "read", UNLIMITED),
    ),
)
