"""The routes of network interfaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.arm import errors, fields
from simulator.arm.call import Call
from simulator.arm.errors import ArmError
from simulator.arm.identifiers import ResourceId
from simulator.arm.listing import list_resources
from simulator.arm.network_models import INTERFACE, NetworkInterface, Subnet
from simulator.arm.networks import accepted, begin_delete
from simulator.arm.routing import resource_routes
from simulator.arm.throttling import UNLIMITED
from simulator.wire import Response

if TYPE_CHECKING:
    from simulator.arm.machine_model import VirtualMachine


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
    return accepted(call, interface, is_new)


def get_interface(call: Call) -> Response:
    """Answer what is known of an interface."""
    return Response.of_json(200, call.estate.shelf.get(NetworkInterface, call.id).document())


def delete_interface(call: Call) -> Response:
    """Delete a network interface that no machine has."""
    interface = call.estate.shelf.find(NetworkInterface, call.id)
    if interface is None:
        return Response(204)
    require_free(interface, None)
    return begin_delete(call, interface)


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


ROUTES = resource_routes(
    INTERFACE,
    ("PUT", "/{}", put_interface, "write", UNLIMITED),
    ("GET", "/{}", get_interface, "read", UNLIMITED),
    ("DELETE", "/{}", delete_interface, "delete", UNLIMITED),
    ("GET", "", list_resources, "read", UNLIMITED),
)
