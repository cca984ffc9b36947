"""The routes of managed disks: create empty or from a snapshot, look, change, grow, delete."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from simulator.arm import errors, fields
from simulator.arm.access_grants import begin_access, end_access, require_no_access
from simulator.arm.call import Call
from simulator.arm.disk_changes import change
from simulator.arm.disk_model import COMPLETING_SKUS, KIND, TIERS, Disk
from simulator.arm.disk_settings import ACCESS, INHERITED, kept, require_encryption_set
from simulator.arm.fields import GIB
from simulator.arm.identifiers import ResourceId
from simulator.arm.listing import list_resources
from simulator.arm.operations import DELETING, Document, Work
from simulator.arm.progress import Progress
from simulator.arm.routing import resource_routes
from simulator.arm.snapshot_model import KIND as SNAPSHOT
from simulator.arm.snapshot_model import Snapshot
from simulator.arm.snapshot_taking import inherited
from simulator.arm.throttling import DELETE_DISK, GET_DISK, LIST, PUT_DISK, PUT_SNAPSHOT
from simulator.regions import REGIONS
from simulator.wire import Response

LARGEST_GIB = 65536
KEPT = (
    *ACCESS,
    *INHERITED,
    "encryption",
    "maxShares",
    "burstingEnabled",
    "tier",
    "diskIOPSReadWrite",
    "diskMBpsReadWrite",
)
NOT_SIMULATED = {"Import", "ImportSecure", "Upload", "UploadPreparedSecure", "FromImage", "Restore", "Attach"}


def put_disk(call: Call) -> Response:
    """Create a disk, or change one that is there."""
    require_encryption_set(call)
    existing = call.estate.shelf.find(Disk, call.id)
    if existing is not None:
        _require_same(call, existing)
        return change(call, existing, tags=fields.tags(call.body))
    fields.check_disk_name(call.id.name)
    location = fields.location(call.body, KIND)
    call.estate.regions.check(location)
    properties = fields.section(call.body, "properties")
    creation = fields.section(properties, "creationData")
    option = fields.required_text(creation, "createOption", "properties.creationData.")
    if option == "Empty":
        return _create(call, location, None)
    if option == "Copy":
        return _create(call, location, _source(call, creation, location))
    if option in NOT_SIMULATED:
        raise errors.not_simulated(f"disks with createOption '{option}'")
    raise errors.invalid_parameter(
        f"The value '{option}' of parameter 'creationData.createOption' is invalid for a disk.",
        "creationData.createOption",
    )


def _create(call: Call, location: str, source: Snapshot | None) -> Response:
    estate = call.estate
    size_bytes, zones = _size_bytes(call, source), fields.zones(call.body, location)
    disk = Disk(
        id=call.id,
        location=location,
        created=estate.now,
        tags=fields.tags(call.body),
        properties=_properties(call),
        zones=zones,
        estate=estate,
        sku=asked_sku(call, location, zones),
        image=source.ready_image().thaw_copy() if source else estate.images.create(size_bytes),
        unique_id=estate.unique_ids.new(),
    )
    disk.image.resize(size_bytes)
    estate.shelf.put(disk)

    def finish(moment: datetime) -> Document:
        disk.is_new = False
        if source is not None:
            disk.properties = inherited(source) | disk.properties
            disk.properties["creationData"]["sourceUniqueId"] = source.unique_id
            if disk.sku in COMPLETING_SKUS:
                _hydrate(disk, moment)
        return disk.document()

    operation = call.begin(disk, Work(estate.tempo.disk, finish))
    return call.accepted(operation, body=disk.document())


def _source(call: Call, creation: fields.Json, location: str) -> Snapshot:
    text = fields.required_text(creation, "sourceResourceId", "properties.creationData.")
    source_id = ResourceId.parse(text)
    if source_id is not None and source_id.kind == KIND:
        raise errors.not_simulated("a disk from a disk; take a snapshot first")
    if source_id is None or source_id.kind != SNAPSHOT:
        raise errors.invalid_parameter(
            f"The value '{text}' of 'creationData.sourceResourceId' is not the id of a snapshot.",
            "creationData.sourceResourceId",
        )
    call.require_linked("Microsoft.Compute/snapshots/beginGetAccess/action", text)
    source = call.estate.shelf.find(Snapshot, source_id)
    if source is None:
        raise errors.reference_not_found(text)
    call.estate.regions.check(source.location)
    if source.location != location:
        raise errors.own(
            400,
            "SimulatorRegionMismatch",
            f"Snapshot '{source.id.name}' is in '{source.location}'; a disk in '{location}' cannot be made "
            "from it. Copy the snapshot first.",
        )
    source.ready_image()
    return source


def _size_bytes(call: Call, source: Snapshot | None) -> int:
    asked = fields.whole(fields.section(call.body, "properties"), "diskSizeGB", "properties.")
    if asked is None:
        if source is None:
            raise errors.missing_parameter("diskSizeGB")
        return source.size_bytes
    if not 0 < asked <= LARGEST_GIB:
        raise errors.invalid_parameter(
            f"The value '{asked}' of disk parameter 'diskSizeGB' is out of range: 1 to {LARGEST_GIB}.",
            "diskSizeGB",
        )
    if source is not None and asked * GIB < source.size_bytes:
        raise errors.invalid_parameter(
            f"The value '{asked}' of disk parameter 'diskSizeGB' is smaller than the source snapshot's "
            f"{source.size_bytes // GIB}.",
            "diskSizeGB",
        )
    return asked * GIB


def asked_sku(call: Call, location: str, zones: list[str]) -> str:
    """Return the sku that a body asks for; raises ArmError 400 InvalidParameter."""
    sku = fields.text(fields.section(call.body, "sku"), "name") or "Standard_LRS"
    if sku not in TIERS:
        raise errors.invalid_parameter(f"The sku '{sku}' is not a sku of disks.", "sku.name")
    if sku.endswith("_ZRS") and not REGIONS[location].has_zones:
        raise errors.invalid_parameter(f"The sku '{sku}' is not available in '{location}'.", "sku.name")
    if sku in COMPLETING_SKUS and REGIONS[location].has_zones and not zones:
        raise errors.invalid_parameter(f"A disk of type {sku} must be in a zone of '{location}'.", "zones")
    return sku


def _properties(call: Call) -> dict[str, Any]:
    asked = fields.section(call.body, "properties")
    return {"creationData": dict(asked["creationData"]), **kept(asked, *KEPT)}


def _hydrate(disk: Disk, moment: datetime) -> None:
    estate = disk.estate
    hydration = disk.hydration = Progress(
        estate.tempo.completing(disk.image.changed_bytes_since(None)), since=moment
    )
    estate.timeline.at(moment + hydration.takes, disk.location, lambda _: hydration.finish())


def _require_same(call: Call, disk: Disk) -> None:
    creation = fields.section(call.body, "properties", "creationData")
    location = fields.location(call.body, KIND)
    if location != disk.location:
        raise errors.other_location(disk.id.name, disk.id.group, disk.location, location)
    for name in ("createOption", "sourceResourceId"):
        asked, there = fields.text(creation, name), str(disk.properties["creationData"].get(name) or "")
        if asked is not None and asked.lower() != there.lower():
            raise errors.property_change(f"creationData.{name}", disk.id.name)


def get_disk(call: Call) -> Response:
    """Answer what is known of a disk."""
    return Response.of_json(200, call.estate.shelf.get(Disk, call.id).document())


def patch_disk(call: Call) -> Response:
    """Change tags, settings, sku or size."""
    require_encryption_set(call)
    disk = call.estate.shelf.get(Disk, call.id)
    has_tags = call.body.get("tags") is not None
    return change(call, disk, tags=fields.tags(call.body) if has_tags else disk.tags)


def delete_disk(call: Call) -> Response:
    """Delete a disk that no machine has."""
    disk = call.estate.shelf.find(Disk, call.id)
    if disk is None:
        return Response(204)
    if disk.machine is not None:
        raise errors.operation_not_allowed(f"Disk {disk.id.name} is attached to VM {disk.machine.id}.")
    require_unused(disk)

    work = Work(call.estate.tempo.delete, lambda _: remove(disk), states=DELETING)
    return call.accepted(call.begin(disk, work))


def require_unused(disk: Disk) -> None:
    """Refuse (409 Conflict) while a disk is changed, snapshotted or read by SAS."""
    disk.require_idle()
    if disk.pending_snapshots:
        raise errors.conflict()
    require_no_access(disk.estate, disk)


def remove(disk: Disk) -> None:
    """Let a disk be gone."""
    disk.estate.shelf.remove(disk)
    disk.image.release()


ROUTES = resource_routes(
    KIND,
    ("PUT", "/{}", put_disk, "write", PUT_DISK),
    ("GET", "/{}", get_disk, "read", GET_DISK),
    ("PATCH", "/{}", patch_disk, "write", PUT_DISK),
    ("DELETE", "/{}", delete_disk, "delete", DELETE_DISK),
    ("GET", "", list_resources, "read", LIST),
    ("POST", "/{}/beginGetAccess", begin_access, "beginGetAccess/action", PUT_SNAPSHOT),
    ("POST", "/{}/endGetAccess", end_access, "endGetAccess/action", PUT_SNAPSHOT),
)
