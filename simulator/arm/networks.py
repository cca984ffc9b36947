"""The routes of virtual networks and their subnets."""

from __future__ import annotations

import ipaddress

from simulator.arm import fields
from simulator.arm.call import Call
from simulator.arm.errors import ArmError
from simulator.arm.identifiers import ResourceId
from simulator.arm.listing import list_resources
from simulator.arm.network_models import NETWORK, SUBNET, NetworkInterface, Subnet, VirtualNetwork
from simulator.arm.operations import DELETING, OPERATIONS, Work
from simulator.arm.resources import Resource
from simulator.arm.routing import resource_routes
from simulator.arm.throttling import UNLIMITED
from simulator.wire import Response


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
    return accepted(call, network, is_new)


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
    return accepted(call, _put_subnet(call, network, call.id.name, call.body), is_new)


def get_network(call: Call) -> Response:
    """Answer what is known of a network."""
    return Response.of_json(200, call.estate.shelf.get(VirtualNetwork, call.id).document())


def get_subnet(call: Call) -> Response:
    """Answer what is known of a subnet."""
    return Response.of_json(200, call.estate.shelf.get(Subnet, call.id).document())


def delete_network(call: Call) -> Response:
    """Delete a virtual network with its subnets, unless one of them is in use."""
    network = call.estate.shelf.find(VirtualNetwork, call.id)
    if network is None:
        return Response(204)
    for subnet in network.subnets:
        _require_unused(call, subnet)
    return begin_delete(call, network, *network.subnets)


def delete_subnet(call: Call) -> Response:
    """Delete a subnet that no interface is in."""
    subnet = call.estate.shelf.find(Subnet, call.id)
    if subnet is None:
        return Response(204)
    _require_unused(call, subnet)
    network = call.estate.shelf.find(VirtualNetwork, _network_of(call.id))
    if network is not None:
        network.subnets.remove(subnet)
    return begin_delete(call, subnet)


def begin_delete(call: Call, resource: Resource, *inside: Resource) -> Response:
    """Accept the deletion of a network resource and of what is inside it."""
    resource.require_idle()

    def finish(_: object) -> None:
        for each in (resource, *inside):
            call.estate.shelf.remove(each)

    work = Work(call.estate.tempo.network, finish, states=DELETING)
    return call.accepted(call.begin(resource, work, OPERATIONS))


def accepted(call: Call, resource: Resource, is_new: bool) -> Response:
    """Accept a network resource that was created or changed."""
    work = Work(call.estate.tempo.network, lambda _: None)
    operation = call.begin(resource, work, OPERATIONS)
    return call.accepted(operation, 201 if is_new else 200, resource.document(), monitor=False)


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


def _require_unused(call: Call, subnet: Subnet) -> None:
    """Refuse (400 InUseSubnetCannotBeDeleted) while an interface is in the subnet."""
    for resource in call.estate.shelf.under(f"/subscriptions/{subnet.id.subscription.lower()}/"):
        if isinstance(resource, NetworkInterface) and resource.is_in(subnet):
            raise ArmError(
                400,
                "InUseSubnetCannotBeDeleted",
                f"Subnet {subnet.id.name} is in use by {resource.id} and cannot be deleted. In order to "
                "delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
            )


def _network_of(subnet: ResourceId) -> ResourceId:
    return ResourceId(subnet.subscription, subnet.group, NETWORK, subnet.names[:1])


ROUTES = (
    *resource_routes(
        NETWORK,
        ("PUT", "/{}", put_network, "write", UNLIMITED),
        ("GET", "/{}", get_network, "read", UNLIMITED),
        ("DELETE", "/{}", delete_network, "delete", UNLIMITED),
        ("GET", "", list_resources, "read", UNLIMITED),
    ),
    *resource_routes(
        SUBNET,
        ("PUT", "/{}", put_subnet, "write", UNLIMITED),
        ("GET", "/{}", get_subnet, "read", UNLIMITED),
        ("DELETE", "/{}", delete_subnet, "delete", UNLIMITED),
    ),
)
