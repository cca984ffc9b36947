"""Starting and stopping machines, and changing their data disks while they run.

Own choice: an action on a machine that another operation is changing gets 409 Conflict. Azure lets some
actions overtake others (`OperationPreempted`); that is not simulated.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from simulator.arm import errors, fields
from simulator.arm.access_grants import require_no_access
from simulator.arm.call import Call
from simulator.arm.machine_checks import check_disks, check_place
from simulator.arm.machine_model import KIND, AttachedDisk, VirtualMachine
from simulator.arm.machine_sizes import SIZES
from simulator.arm.machine_storage import LUNS, check_free, find_disk
from simulator.arm.operations import OPERATIONS, Work
from simulator.arm.routing import resource_routes
from simulator.arm.throttling import DELETE_MACHINE, UPDATE_MACHINE
from simulator.wire import Response


def start(call: Call) -> Response:
    """Start a machine; a disk that somebody reads by SAS forbids it (azure-semantics §4.1)."""
    machine = _idle(call)
    for each in machine.attached:
        require_no_access(call.estate, each.disk)
    return _turn(call, machine, "starting", "running", call.estate.tempo.start)


def power_off(call: Call) -> Response:
    """Stop a machine without giving back its host: it stays allocated, and paid for."""
    machine = _idle(call)
    if not machine.is_allocated:
        raise errors.operation_not_allowed(
            f"Operation 'powerOff' is not allowed on VM '{machine.id.name}' since the VM is deallocated."
        )
    return _turn(call, machine, "stopping", "stopped", call.estate.tempo.stop)


def deallocate(call: Call) -> Response:
    """Stop a machine and give back its host."""
    machine = _idle(call)
    if call.request.query.get("hibernate", "").lower() == "true":
        raise errors.not_simulated("hibernation")
    if machine.os_disk.is_ephemeral:
        raise errors.operation_not_allowed(
            f"Operation 'deallocate' is not supported for VM '{machine.id.name}': its OS disk is ephemeral."
        )
    return _turn(call, machine, "deallocating", "deallocated", call.estate.tempo.stop)


def restart(call: Call) -> Response:
    """Restart a machine that runs."""
    machine = _idle(call)
    if machine.power != "running":
        raise errors.operation_not_allowed(
            f"Operation 'restart' is not allowed on VM '{machine.id.name}' since the VM is {machine.power}."
        )
    return _turn(call, machine, "starting", "running", call.estate.tempo.start)


def attach_detach(call: Call) -> Response:
    """Attach and detach data disks without a PUT of the whole machine."""
    machine = _idle(call)
    before = machine.attached
    leaving = {
        find_disk(call, fields.required_text(entry, "diskId"))
        for entry in fields.items(call.body, "dataDisksToDetach")
    }
    staying = [each for each in machine.data if each.disk not in leaving]
    joining = [_joining(call, entry) for entry in fields.items(call.body, "dataDisksToAttach")]
    check_free(joining, machine, machine.id)
    taken = {each.lun for each in staying}
    for each in joining:
        check_place(each.disk, machine.location, machine.zones)
    data = staying + [_with_lun(each, taken) for each in joining]
    capabilities = fields.section(machine.properties, "additionalCapabilities")
    check_disks(SIZES[machine.size.lower()], data, capabilities)
    machine.data = data
    for each in machine.data:
        each.disk.machine = machine

    def finish(_: datetime) -> None:
        for each in before:
            if each.disk in leaving:
                each.disk.machine = None

    operation = call.begin(machine, Work(call.estate.tempo.update_machine, finish), OPERATIONS)
    return call.accepted(operation)


def _joining(call: Call, entry: fields.Json) -> AttachedDisk:
    disk = find_disk(call, fields.required_text(entry, "diskId"))
    settings = {
        "createOption": "Attach",
        "caching": fields.text(entry, "caching") or "None",
        "deleteOption": fields.text(entry, "deleteOption") or "Detach",
    }
    return AttachedDisk(disk, settings, fields.whole(entry, "lun"))


def _with_lun(attached: AttachedDisk, taken: set[int | None]) -> AttachedDisk:
    """Return the disk with the LUN that was asked for, or the lowest free one."""
    lun = attached.lun if attached.lun is not None else next(each for each in LUNS if each not in taken)
    if lun not in LUNS:
        raise errors.invalid_parameter(f"The LUN {lun} is out of range: 0 to {LUNS[-1]}.", "dataDisk.lun")
    if lun in taken:
        raise errors.invalid_parameter(f"A disk at LUN {lun} already exists.", "dataDisk.lun")
    taken.add(lun)
    return AttachedDisk(attached.disk, attached.settings, lun)


def _idle(call: Call) -> VirtualMachine:
    machine = call.estate.shelf.get(VirtualMachine, call.id)
    machine.require_idle()
    return machine


def _turn(call: Call, machine: VirtualMachine, meanwhile: str, then: str, takes: timedelta) -> Response:
    before = machine.power
    machine.power = then if before == then else meanwhile

    def finish(_: datetime) -> None:
        machine.power = then

    def undo() -> None:
        machine.power = before

    return call.accepted(call.begin(machine, Work(takes, finish, undo), OPERATIONS))


ROUTES = resource_routes(
    KIND,
    ("POST", "/{}/start", start, "start/action", UPDATE_MACHINE),
    ("POST", "/{}/powerOff", power_off, "powerOff/action", UPDATE_MACHINE),
    ("POST", "/{}/restart", restart, "restart/action", UPDATE_MACHINE),
    ("POST", "/{}/deallocate", deallocate, "deallocate/action", DELETE_MACHINE),
    ("POST", "/{}/attachDetachDataDisks", attach_detach, "attachDetachDataDisks/action", UPDATE_MACHINE),
)
