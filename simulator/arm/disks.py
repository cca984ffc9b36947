"""The routes of managed disks: create (disk_origins.py says from what), look, change, grow, delete."""

from __future__ import annotations

from datetime import datetime

from simulator.arm import errors, fields
from simulator.arm.access_grants import begin_access, end_access, require_no_access
from simulator.arm.call import Call
from simulator.arm.disk_changes import change
from simulator.arm.disk_creation import asked_properties, asked_size, asked_sku
from simulator.arm.disk_model import KIND, Disk
from simulator.arm.disk_origins import Origin, asked_origin
from simulator.arm.disk_skus import PROVISIONED_SKUS
from simulator.arm.fields import GIB
from simulator.arm.listing import list_resources
from simulator.arm.operations import DELETING, Document, Work
from simulator.arm.progress import Progress
from simulator.arm.routing import resource_routes
from simulator.arm.snapshot_taking import inherited
from simulator.arm.throttling import DELETE_DISK, GET_DISK, LIST, PUT_DISK, PUT_SNAPSHOT
from simulator.wire import Response


def put_disk(call: Call) -> Response:
    """Create a disk, or change one that is there."""
    existing = call.estate.shelf.find(Disk, call.id)
    if existing is not None:
        _require_same(call, existing)
        return change(call, existing, tags=fields.tags(call.body))
    fields.check_disk_name(call.id.name)
    location = fields.location(call.body, KIND)
    call.estate.regions.check(location)
    return _create(call, location, asked_origin(call, location))


def _create(call: Call, location: str, origin: Origin) -> Response:
    estate = call.estate
    zones = fields.zones(call.body, location)
    sku = asked_sku(call, location, zones)
    size_bytes = asked_size(call, sku, origin)
    disk = Disk(
        id=call.id,
        location=location,
        created=estate.now,
        tags=fields.tags(call.body),
        properties=asked_properties(call, location, sku, -(-size_bytes // GIB), origin),
        zones=zones,
        estate=estate,
        sku=sku,
        image=origin.image or estate.images.create(size_bytes),
        unique_id=estate.unique_ids.new(),
        upload=origin.upload,
    )
    disk.image.resize(size_bytes)
    estate.shelf.put(disk)

    def finish(moment: datetime) -> Document:
        disk.is_new = False
        source = origin.snapshot
        if source is not None:
            disk.properties = inherited(source) | disk.properties
            disk.properties["creationData"]["sourceUniqueId"] = source.unique_id
            if disk.sku in PROVISIONED_SKUS:
                _hydrate(disk, moment)
        return disk.document()

    operation = call.begin(disk, Work(estate.tempo.disk, finish))
    return call.accepted(operation, body=disk.document())


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
    for name in ("createOption", "sourceResourceId", "sourceUri"):
        asked, there = fields.text(creation, name), str(disk.properties["creationData"].get(name) or "")
        if asked is not None and asked.lower() != there.lower():
            raise errors.property_change(f"creationData.{name}", disk.id.name)


def get_disk(call: Call) -> Response:
    """Answer what is known of a disk."""
    return Response.of_json(200, call.estate.shelf.get(Disk, call.id).document())


def patch_disk(call: Call) -> Response:
    """Change tags, settings, sku or size."""
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
    if disk.upload is not None:
        disk.upload.release()


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
