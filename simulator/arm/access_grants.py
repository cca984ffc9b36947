"""Who may read the bytes of a disk or snapshot: beginGetAccess and endGetAccess (azure-semantics §4.1).

Own choice where nothing is published: beginning again while an access is active lengthens it and returns the
same SAS, as is documented for disk restore points. Ending one kills it for everybody who uses it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from simulator.arm import errors, fields
from simulator.arm.call import Call
from simulator.arm.disk_model import KIND as DISK
from simulator.arm.disk_model import Disk
from simulator.arm.errors import ArmError
from simulator.arm.estate import Estate
from simulator.arm.operations import Document, Work
from simulator.arm.snapshot_model import Snapshot
from simulator.wire import Response

LONGEST_SECONDS = 60 * 24 * 3600
MAX_PER_FAMILY = 5


def begin_access(call: Call) -> Response:
    """Open a disk or snapshot for reading; the operation's output is `{"accessSAS": url}`."""
    resource = _resource(call)
    resource.require_idle()
    duration = _duration(call)
    _check_policy(resource)
    _check_sectors(resource)
    _check_readable(call.estate, resource)

    def finish(moment: datetime) -> Document:
        _check_readable(call.estate, resource)
        return {"accessSAS": _grant(call.estate, resource, moment + duration)}

    work = Work(call.estate.tempo.access, finish, states=None)
    return call.accepted(call.begin(resource, work))


def end_access(call: Call) -> Response:
    """Close a disk or snapshot; closing what is not open succeeds."""
    resource = _resource(call)
    resource.require_idle()

    def finish(_: datetime) -> None:
        call.estate.accesses.revoke(resource.id.key)

    work = Work(call.estate.tempo.access, finish, states=None)
    return call.accepted(call.begin(resource, work))


def require_no_access(estate: Estate, resource: Disk | Snapshot) -> None:
    """Refuse while somebody may read the resource by SAS; raises ArmError 409 Conflict."""
    if estate.accesses.active(resource.id.key):
        kind = "disk" if isinstance(resource, Disk) else "snapshot"
        raise ArmError(
            409,
            "Conflict",
            f"There is an active shared access signature outstanding for {kind} {resource.id.name}. Call "
            f"EndGetAccess before attaching, starting or deleting it.",
        )


def _resource(call: Call) -> Disk | Snapshot:
    kind: type[Disk] | type[Snapshot] = Disk if call.kind == DISK else Snapshot
    return call.estate.shelf.get(kind, call.id)


def _duration(call: Call) -> timedelta:
    access = fields.required_text(call.body, "access")
    if access == "Write":
        raise errors.not_simulated("uploading into a disk (access Write)")
    if access != "Read":
        raise errors.invalid_parameter(f"The value '{access}' of parameter 'access' is invalid.", "access")
    seconds = fields.whole(call.body, "durationInSeconds")
    if seconds is None:
        raise errors.missing_parameter("durationInSeconds")
    if not 0 < seconds <= LONGEST_SECONDS:
        raise errors.invalid_parameter(
            f"The value {seconds} of parameter 'durationInSeconds' is out of range: 1 to {LONGEST_SECONDS}.",
            "durationInSeconds",
        )
    if (fields.text(call.body, "fileFormat") or "VHD") != "VHD":
        raise errors.not_simulated("exports in the format VHDX")
    if fields.truth(call.body, "getSecureVMGuestStateSAS"):
        raise errors.not_simulated("the guest state of confidential and trusted launch machines")
    return timedelta(seconds=seconds)


def _check_policy(resource: Disk | Snapshot) -> None:
    settings = resource.properties
    policy = settings.get("networkAccessPolicy", "AllowAll")
    if policy != "AllowAll" or settings.get("publicNetworkAccess", "Enabled") != "Enabled":
        raise errors.own(
            409,
            "SimulatorAccessNotPermitted",
            f"'{resource.id.name}' cannot be opened by SAS: networkAccessPolicy is {policy}, "
            f"publicNetworkAccess is {settings.get('publicNetworkAccess', 'Enabled')}.",
        )
    if settings.get("dataAccessAuthMode", "None") != "None":
        raise errors.own(
            409,
            "SimulatorAccessNotPermitted",
            f"'{resource.id.name}' asks for a token beside the SAS (dataAccessAuthMode); the simulator's "
            "data plane cannot check one.",
        )


def _check_sectors(resource: Disk | Snapshot) -> None:
    """Refuse sectors of 4096 bytes: they need VHDX (the words: Azure/azure-powershell issue 24129)."""
    if resource.sector_size != 512:
        raise errors.own(
            400,
            "SimulatorSectorSizeMismatch",
            f"Accessing disk or snapshot with a logical sector size of {resource.sector_size} requires "
            "specifying the file format. Set the fileFormat property to VHDX.",
        )


def _check_readable(estate: Estate, resource: Disk | Snapshot) -> None:
    if isinstance(resource, Disk):
        _check_disk(resource)
        return
    resource.ready_image()
    family = resource.family
    if family is None or estate.accesses.active(resource.id.key):
        return
    if estate.accesses.count_active(family.id) >= MAX_PER_FAMILY:
        raise errors.own(
            409,
            "SimulatorTooManyAccesses",
            f"{MAX_PER_FAMILY} snapshots of the family {family.id} have an active shared access signature; "
            "end one of them first.",
        )


def _check_disk(disk: Disk) -> None:
    disk.require_ready()
    if disk.is_ephemeral:
        raise errors.own(409, "SimulatorEphemeralDisk", f"Disk '{disk.id.name}' is an ephemeral OS disk.")
    if disk.machine is not None and disk.machine.is_allocated:
        raise ArmError(
            409,
            "Conflict",
            f"Access not permitted because disk {disk.id.name} is currently attached to running VM "
            f"{disk.machine.id}.",
        )


def _grant(estate: Estate, resource: Disk | Snapshot, until: datetime) -> str:
    image = resource.image if isinstance(resource, Disk) else resource.ready_image()
    family = None if isinstance(resource, Disk) else resource.family
    access = estate.accesses.grant(
        resource.id.key,
        image=image,
        family_id=family.id if family else None,
        created=resource.created,
        region=resource.location,
        readable_until=until,
    )
    return access.url(estate.base_url)
