"""Who may read the bytes of a disk or snapshot, or upload those of a disk: beginGetAccess and endGetAccess
(azure-semantics §4.1, §4.5).

Own choices where nothing is published: beginning again while an access is active lengthens it and returns the
same SAS, as is documented for disk restore points. Ending one kills it for everybody who uses it. A disk that
is uploaded stays ActiveUpload when its SAS expires, until access is ended, and can be opened once more. If
what was uploaded is no fixed VHD, the operation that ends the access fails and the disk is ReadyToUpload
again, with what was uploaded so far.
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
    is_upload = _asks_to_write(call)
    duration = _duration(call)
    _check_policy(resource)
    if is_upload:
        return _begin_upload(call, resource, duration)
    _check_sectors(resource)
    _check_readable(call.estate, resource)

    def finish(moment: datetime) -> Document:
        _check_readable(call.estate, resource)
        return {"accessSAS": _grant(call.estate, resource, moment + duration)}

    work = Work(call.estate.tempo.access, finish, states=None)
    return call.accepted(call.begin(resource, work))


def _begin_upload(call: Call, resource: Disk | Snapshot, duration: timedelta) -> Response:
    if not isinstance(resource, Disk) or resource.upload is None:
        raise errors.operation_not_allowed(
            f"'{resource.id.name}' cannot be opened for writing: only a disk that is made with createOption "
            "Upload can, until it has been uploaded."
        )
    blob = resource.upload

    def finish(moment: datetime) -> Document:
        resource.is_upload_begun = True
        access = call.estate.accesses.grant_upload(
            resource.id.key,
            blob=blob,
            created=resource.created,
            region=resource.location,
            writable_until=moment + duration,
        )
        return {"accessSAS": access.url(call.estate.base_url)}

    return call.accepted(call.begin(resource, Work(call.estate.tempo.access, finish, states=None)))


def end_access(call: Call) -> Response:
    """Close a disk or snapshot; closing what is not open succeeds. An upload is taken over by its disk."""
    resource = _resource(call)
    resource.require_idle()

    def finish(_: datetime) -> None:
        call.estate.accesses.revoke(resource.id.key)
        if isinstance(resource, Disk) and resource.is_upload_begun:
            _take_upload(resource)

    work = Work(call.estate.tempo.access, finish, states=None)
    return call.accepted(call.begin(resource, work))


def _take_upload(disk: Disk) -> None:
    upload, disk.is_upload_begun = disk.upload, False
    if upload is None:
        return
    try:
        image = upload.disk_image()
    except ValueError as error:
        raise ArmError(
            400, "BadRequest", f"The upload into disk '{disk.id.name}' is not accepted: {error}"
        ) from error
    disk.image.release()
    disk.image, disk.upload = image, None
    upload.release()


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


def _asks_to_write(call: Call) -> bool:
    access = fields.required_text(call.body, "access")
    if access not in ("Read", "Write"):
        raise errors.invalid_parameter(f"The value '{access}' of parameter 'access' is invalid.", "access")
    return access == "Write"


def _duration(call: Call) -> timedelta:
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
