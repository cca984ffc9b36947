"""Which disks a machine is to have: reading the storage profile of a request, and the rules of
azure-semantics §7.2 (swapping the OS disk), §7.3 (data disks) and §7.4 (a machine from specialized disks)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simulator.arm import errors, fields
from simulator.arm.access_grants import require_no_access
from simulator.arm.call import Call
from simulator.arm.disk_model import KIND as DISK
from simulator.arm.disk_model import Disk
from simulator.arm.errors import ArmError
from simulator.arm.identifiers import ResourceId
from simulator.arm.machine_checks import check_entry, check_same_size
from simulator.arm.machine_model import AttachedDisk, VirtualMachine

LUNS = range(64)
_OS_SETTINGS = ("osType", "createOption", "caching", "writeAcceleratorEnabled", "deleteOption")
_DATA_SETTINGS = ("createOption", "caching", "writeAcceleratorEnabled", "deleteOption")


def read_os_disk(call: Call, storage: Mapping[str, Any]) -> AttachedDisk:
    """Return the OS disk of a new machine: a specialized disk that is attached."""
    entry = fields.section(storage, "osDisk")
    if not entry:
        raise errors.missing_parameter("storageProfile.osDisk")
    option = fields.required_text(entry, "createOption", "osDisk.")
    if option != "Attach":
        raise errors.not_simulated(f"virtual machines from images (osDisk.createOption '{option}')")
    if fields.section(entry, "diffDiskSettings"):
        raise errors.invalid_parameter(
            "An ephemeral OS disk cannot be attached; it is made from an image.", "osDisk.diffDiskSettings"
        )
    fields.required_text(entry, "osType", "osDisk.")
    disk = _named_disk(call, entry, "osDisk.")
    check_same_size(entry, disk)
    return AttachedDisk(disk, _settings(entry, _OS_SETTINGS))


def changed_os_disk(call: Call, storage: Mapping[str, Any], machine: VirtualMachine) -> AttachedDisk:
    """Return the OS disk that a machine has after a PUT: the same, or the one it is swapped for."""
    entry = fields.section(storage, "osDisk")
    if not entry:
        raise errors.missing_parameter("storageProfile.osDisk")
    there = machine.os.settings
    if fields.required_text(entry, "createOption", "osDisk.") != there["createOption"]:
        raise errors.property_change("osDisk.createOption")
    disk = _named_disk(call, entry, "osDisk.")
    name = fields.text(entry, "name")
    if (name or disk.id.name).lower() != disk.id.name.lower():
        raise errors.property_change("osDisk.name")
    if disk is machine.os_disk:
        check_same_size(entry, disk)
    else:  # the body may tell the size of the disk before: what Azure's own tools change is id and name
        _check_swap(disk, machine.os_disk)
    return AttachedDisk(disk, {**there, **_settings(entry, _OS_SETTINGS)})


def _check_swap(disk: Disk, old: Disk) -> None:
    if disk.encryption_set != old.encryption_set:
        raise errors.own(
            409,
            "SimulatorEncryptionMismatch",
            f"Disk '{disk.id.name}' and the OS disk '{old.id.name}' use different encryption sets.",
        )
    if disk.properties.get("osType", old.properties.get("osType")) != old.properties.get("osType"):
        raise errors.property_change("osDisk.osType")


def read_data_disks(call: Call, storage: Mapping[str, Any]) -> list[AttachedDisk]:
    """Return the data disks of a storage profile; what it leaves out or marks toBeDetached is not among
    them."""
    found: list[AttachedDisk] = []
    for entry in fields.items(storage, "dataDisks"):
        if fields.truth(entry, "toBeDetached"):
            continue
        option = fields.required_text(entry, "createOption", "dataDisks.")
        disk = _named_disk(call, entry, "dataDisks.") if fields.section(entry, "managedDisk") else None
        if disk is None or (option != "Attach" and disk.machine is None):
            raise errors.not_simulated(f"new data disks (dataDisks.createOption '{option}'); attach one")
        check_same_size(entry, disk)
        name = fields.text(entry, "name")
        if name is not None and name.lower() != disk.id.name.lower():
            raise errors.invalid_parameter(
                f"The name '{name}' does not match the name of the managed disk '{disk.id.name}'.",
                "dataDisk.name",
            )
        found.append(AttachedDisk(disk, _settings(entry, _DATA_SETTINGS), _lun(entry)))
    _check_unique(found)
    return found


def check_free(
    attached: Iterable[AttachedDisk], machine: VirtualMachine | None, machine_id: ResourceId
) -> None:
    """Refuse disks that another machine has, that somebody reads by SAS, or that are not ready."""
    for each in attached:
        disk = each.disk
        if machine is not None and disk.machine is machine:
            continue
        if disk.machine is not None:
            raise ArmError(
                409,
                "ConflictingUserInput",
                f"Cannot attach the disk {disk.id.name} to VM {machine_id} because it is already attached "
                f"to VM {disk.machine.id}. A disk can be attached to only one VM at a time.",
                disk.id.text,
            )
        if disk.is_ephemeral:
            raise errors.own(
                409,
                "SimulatorEphemeralDisk",
                f"Disk '{disk.id.name}' is the ephemeral OS disk of another machine.",
            )
        disk.require_ready()
        require_no_access(disk.estate, disk)


def _check_unique(attached: list[AttachedDisk]) -> None:
    taken: set[int | None] = set()
    for each in attached:
        if each.lun in taken:
            raise errors.invalid_parameter(f"A disk at LUN {each.lun} already exists.", "dataDisk.lun")
        taken.add(each.lun)
    if len({id(each.disk) for each in attached}) < len(attached):
        raise errors.invalid_parameter("A disk is attached more than once.", "dataDisk.managedDisk.id")


def _lun(entry: Mapping[str, Any]) -> int:
    lun = fields.whole(entry, "lun", "dataDisks.")
    if lun is None:
        raise errors.missing_parameter("dataDisk.lun")
    if lun not in LUNS:
        raise errors.invalid_parameter(f"The LUN {lun} is out of range: 0 to {LUNS[-1]}.", "dataDisk.lun")
    return lun


def _named_disk(call: Call, entry: Mapping[str, Any], where: str) -> Disk:
    text = fields.required_text(fields.section(entry, "managedDisk"), "id", f"{where}managedDisk.")
    disk = find_disk(call, text)
    check_entry(entry, disk, call.id.name)
    return disk


def find_disk(call: Call, text: str) -> Disk:
    """Return the disk that a request names; raises ArmError 400, 403 or 404.

    A machine's PUT needs the right to write each disk that it names (Azure/azure-cli issue 28742).
    """
    disk_id = ResourceId.parse(text)
    if disk_id is None or disk_id.kind != DISK:
        raise errors.invalid_parameter(
            f"The value '{text}' is not the id of a managed disk.", "managedDisk.id"
        )
    call.require_linked("Microsoft.Compute/disks/write", text)
    disk = call.estate.shelf.find(Disk, disk_id)
    if disk is None:
        raise errors.reference_not_found(text)
    return disk


def _settings(entry: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    defaults = {"caching": "None", "deleteOption": "Detach"}
    return defaults | {name: entry[name] for name in names if entry.get(name) is not None}
