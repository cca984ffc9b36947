"""The routes of virtual machines: create from disks that are there, look, change, delete. Starting and
stopping is in `machine_power`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from simulator.arm import errors, fields
from simulator.arm.call import Call
from simulator.arm.disk_model import Disk
from simulator.arm.disks import remove as remove_disk
from simulator.arm.disks import require_unused
from simulator.arm.estate import Estate
from simulator.arm.identifiers import ResourceId
from simulator.arm.listing import list_resources
from simulator.arm.machine_checks import (
    check_disks,
    check_generation,
    check_place,
    check_plan,
    check_security,
)
from simulator.arm.machine_model import KIND, AttachedDisk, VirtualMachine
from simulator.arm.machine_power import ROUTES as POWER_ROUTES
from simulator.arm.machine_sizes import SIZES, Size
from simulator.arm.machine_storage import changed_os_disk, check_free, read_data_disks, read_os_disk
from simulator.arm.network_interfaces import reference_missing, require_free
from simulator.arm.network_models import NetworkInterface
from simulator.arm.operations import CREATING, DELETING, OPERATIONS, Work
from simulator.arm.preconditions import check_precondition
from simulator.arm.routing import resource_routes
from simulator.arm.throttling import DELETE_MACHINE, GET_MACHINE, LIST, PUT_MACHINE, UPDATE_MACHINE
from simulator.wire import Response

KEPT = (
    "hardwareProfile",
    "networkProfile",
    "securityProfile",
    "diagnosticsProfile",
    "licenseType",
    "priority",
    "userData",
    "additionalCapabilities",
    "applicationProfile",
    "extensionsTimeBudget",
)
KEPT_BESIDE = ("plan", "identity")
NOT_SIMULATED = (
    "availabilitySet",
    "virtualMachineScaleSet",
    "proximityPlacementGroup",
    "host",
    "hostGroup",
    "capacityReservation",
)


def put_machine(call: Call) -> Response:
    """Create a machine from specialized disks (azure-semantics §7.4), or change the one that is there."""
    machine = call.estate.shelf.find(VirtualMachine, call.id)
    check_precondition(call.request, machine.etag if machine else None)
    return _create(call) if machine is None else _change(call, machine)


def _create(call: Call) -> Response:
    fields.check_machine_name(call.id.name)
    location = fields.location(call.body, KIND)
    call.estate.regions.check(location)
    properties = fields.section(call.body, "properties")
    storage = _storage_without_image(properties)
    for name in NOT_SIMULATED:
        if properties.get(name) is not None:
            raise errors.not_simulated(f"virtual machines with '{name}'")
    zones = fields.zones(call.body, location)
    os, data = read_os_disk(call, storage), read_data_disks(call, storage)
    _check_disks(call, [os, *data], None, location, zones)
    check_plan(call.body, os.disk)
    interfaces = _interfaces(call, location, None)
    machine = VirtualMachine(
        id=call.id,
        location=location,
        created=call.estate.now,
        tags=fields.tags(call.body),
        properties=_kept(properties, KEPT) | _kept_of_storage(storage, {}),
        beside=_kept(call.body, KEPT_BESIDE),
        zones=zones,
        unique_id=call.estate.unique_ids.new(),
        os=os,
        data=data,
        interfaces=interfaces,
        power="starting",
    )
    call.estate.shelf.put(machine)
    _connect(machine)

    def finish(_: datetime) -> None:
        machine.power = "running"

    def undo() -> None:
        machine.power = "deallocated"

    work = Work(call.estate.tempo.create_machine, finish, undo, CREATING)
    operation = call.begin(machine, work, OPERATIONS)
    return call.accepted(operation, 201, machine.document(), monitor=False)


def _change(call: Call, machine: VirtualMachine) -> Response:
    machine.require_idle()
    properties = fields.section(call.body, "properties")
    if fields.location(call.body, KIND) != machine.location:
        raise errors.property_change("location")
    if call.body.get("zones") is not None and fields.zones(call.body, machine.location) != machine.zones:
        raise errors.property_change("zones")
    storage = fields.section(properties, "storageProfile")
    os, data = changed_os_disk(call, storage, machine), read_data_disks(call, storage)
    _check_disks(call, [os, *data], machine, machine.location, machine.zones)
    interfaces = _interfaces(call, machine.location, machine)
    before = machine.attached
    machine.tags = fields.tags(call.body)
    machine.properties |= _kept(properties, KEPT) | _kept_of_storage(storage, machine.properties)
    machine.beside |= _kept(call.body, KEPT_BESIDE)
    return _update(call, machine, before, (os, data, interfaces))


def _update(
    call: Call,
    machine: VirtualMachine,
    before: list[AttachedDisk],
    wanted: tuple[AttachedDisk, list[AttachedDisk], list[NetworkInterface]],
) -> Response:
    for interface in machine.interfaces:
        interface.machine = None
    machine.os, machine.data, machine.interfaces = wanted
    _connect(machine)
    work = Work(call.estate.tempo.update_machine, lambda _: release(machine, before))
    operation = call.begin(machine, work, OPERATIONS)
    return call.accepted(operation, 200, machine.document(), monitor=False)


def release(machine: VirtualMachine, before: list[AttachedDisk]) -> None:
    """Let go of the disks that a machine had and no longer has."""
    kept = {id(each.disk) for each in machine.attached}
    for each in before:
        if id(each.disk) not in kept:
            each.disk.machine = None


def get_machine(call: Call) -> Response:
    """Answer what is known of a machine, with its instance view if asked for."""
    machine = call.estate.shelf.get(VirtualMachine, call.id)
    document = machine.document()
    if call.request.query.get("$expand", "").lower() == "instanceview":
        document["properties"]["instanceView"] = machine.instance_view()
    return Response.of_json(200, document, {"etag": machine.etag})


def get_instance_view(call: Call) -> Response:
    """Answer whether a machine runs."""
    return Response.of_json(200, call.estate.shelf.get(VirtualMachine, call.id).instance_view())


def patch_machine(call: Call) -> Response:
    """Change the tags of a machine; they are replaced as a whole."""
    machine = call.estate.shelf.get(VirtualMachine, call.id)
    check_precondition(call.request, machine.etag if machine else None)
    machine.require_idle()
    if set(call.body) - {"tags"}:
        raise errors.not_simulated(f"PATCH of {sorted(set(call.body) - {'tags'})} of a virtual machine")
    machine.tags = fields.tags(call.body)
    operation = call.begin(machine, Work(call.estate.tempo.update_machine, lambda _: None), OPERATIONS)
    return call.accepted(operation, 200, machine.document(), monitor=False)


def delete_machine(call: Call) -> Response:
    """Delete a machine; disks and interfaces stay unless their deleteOption says otherwise."""
    machine = call.estate.shelf.find(VirtualMachine, call.id)
    if machine is None:
        return Response(204)
    machine.require_idle()
    estate, leaving = call.estate, _leaving_with(machine)
    for disk in leaving:
        require_unused(disk)
    for disk in leaving:
        disk.is_changing = True

    def undo() -> None:
        for disk in leaving:
            disk.is_changing = False

    work = Work(estate.tempo.delete_machine, lambda _: remove(estate, machine), undo, DELETING)
    return call.accepted(call.begin(machine, work, OPERATIONS))


def _leaving_with(machine: VirtualMachine) -> list[Disk]:
    """Return the disks that are deleted with their machine."""
    return [
        each.disk
        for each in machine.attached
        if each.settings.get("deleteOption") == "Delete" or each.disk.is_ephemeral
    ]


def remove(estate: Estate, machine: VirtualMachine) -> None:
    """Let a machine be gone, and what was to be deleted with it."""
    estate.shelf.remove(machine)
    for each in machine.attached:
        each.disk.machine = None
    for disk in _leaving_with(machine):
        remove_disk(disk)
    for interface in machine.interfaces:
        interface.machine = None


def _storage_without_image(properties: fields.Json) -> fields.Json:
    """Return the storage profile of a machine that is made of specialized disks."""
    storage = fields.section(properties, "storageProfile")
    if not storage:
        raise errors.missing_parameter("storageProfile")
    option = fields.section(storage, "osDisk").get("createOption")
    for name, place in (("osProfile", properties), ("imageReference", storage)):
        if option == "Attach" and place.get(name) is not None:
            raise errors.invalid_parameter(f"Parameter '{name}' is not allowed.", name)
    return storage


def _check_disks(
    call: Call, attached: list[AttachedDisk], machine: VirtualMachine | None, location: str, zones: list[str]
) -> None:
    properties = fields.section(call.body, "properties")
    size = _size(call, machine, location, zones)
    check_free(attached, machine, call.id)
    for each in attached:
        check_place(each.disk, location, zones)
    before = machine.properties if machine else {}
    capabilities = fields.section({**before, **properties}, "additionalCapabilities")
    check_disks(size, attached, capabilities)
    check_generation(size, attached[0].disk)
    if machine is None or attached[0].disk is not machine.os_disk:
        check_security(properties, attached[0].disk, size)


def _size(call: Call, machine: VirtualMachine | None, location: str, zones: list[str]) -> Size:
    """Return the size that a body asks for; one that the machine has already need not be offered any more."""
    hardware = fields.section(call.body, "properties", "hardwareProfile")
    name = fields.required_text(hardware, "vmSize", "hardwareProfile.")
    if machine is not None and machine.size.lower() == name.lower():
        return SIZES[name.lower()]
    call.estate.offers.require(name, location, zones, call.id)
    return call.estate.offers.size(name, location)


def _interfaces(call: Call, location: str, machine: VirtualMachine | None) -> list[NetworkInterface]:
    asked = fields.items(fields.section(call.body, "properties", "networkProfile"), "networkInterfaces")
    if not asked:
        raise errors.missing_parameter("networkProfile")
    found = []
    for entry in asked:
        text = fields.required_text(entry, "id", "networkInterfaces.")
        call.require_linked("Microsoft.Network/networkInterfaces/join/action", text)
        interface_id = ResourceId.parse(text)
        interface = call.estate.shelf.find(NetworkInterface, interface_id) if interface_id else None
        if interface is None or interface.location != location:
            raise reference_missing(text, call.id)
        require_free(interface, machine)
        found.append(interface)
    return found


def _connect(machine: VirtualMachine) -> None:
    for each in machine.attached:
        each.disk.machine = machine
    for interface in machine.interfaces:
        interface.machine = machine


def _kept(body: fields.Json, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: body[name] for name in names if body.get(name) is not None}


def _kept_of_storage(storage: fields.Json, there: fields.Json) -> dict[str, Any]:
    """Return what a storage profile says beside its disks."""
    kept = {**there.get("storageProfile", {}), **_kept(storage, ("diskControllerType",))}
    return {"storageProfile": kept} if kept else {}


ROUTES = POWER_ROUTES + resource_routes(
    KIND,
    ("PUT", "/{}", put_machine, "write", PUT_MACHINE),
    ("GET", "/{}", get_machine, "read", GET_MACHINE),
    ("GET", "/{}/instanceView", get_instance_view, "instanceView/read", GET_MACHINE),
    ("PATCH", "/{}", patch_machine, "write", UPDATE_MACHINE),
    ("DELETE", "/{}", delete_machine, "delete", DELETE_MACHINE),
    ("GET", "", list_resources, "read", LIST),
)
