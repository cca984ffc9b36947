"""The routes of snapshots: create, look, change, delete. How one is taken is in `snapshot_taking`, how one is
copied to another region in `snapshot_copies`, who may read one in `access_grants`."""

from __future__ import annotations

from simulator.arm import errors, fields, snapshot_copies, snapshot_taking
from simulator.arm.access_grants import begin_access, end_access, require_no_access
from simulator.arm.call import Call
from simulator.arm.disk_settings import ACCESS, kept
from simulator.arm.encryption_sets import asked_encryption
from simulator.arm.errors import ArmError
from simulator.arm.listing import list_resources
from simulator.arm.operations import DELETING, Work
from simulator.arm.routing import resource_routes
from simulator.arm.snapshot_model import KIND, Snapshot
from simulator.arm.throttling import DELETE_DISK, GET_DISK, LIST, PUT_DISK, PUT_SNAPSHOT
from simulator.arm.versions import FIRST_WITH_COPY_START, FIRST_WITH_INCREMENTAL
from simulator.wire import Response

CHANGEABLE = (
    *ACCESS,
    "osType",
    "supportedCapabilities",
    "supportsHibernation",
    "encryptionSettingsCollection",
)
NOT_SIMULATED = {"Import", "ImportSecure", "Upload", "CopyFromSanSnapshot", "Restore"}


def put_snapshot(call: Call) -> Response:
    """Create a snapshot, or repeat the creation of one that is there from the same source."""
    existing = call.estate.shelf.find(Snapshot, call.id)
    if existing is not None:
        return _put_again(call, existing)
    fields.check_disk_name(call.id.name)
    location = fields.location(call.body, KIND)
    call.estate.regions.check(location)
    properties = fields.section(call.body, "properties")
    option = fields.required_text(
        fields.section(properties, "creationData"), "createOption", "properties.creationData."
    )
    _check_version(call, option, properties)
    if option == "Copy":
        return snapshot_taking.take(call, location)
    if option == "Empty":
        return snapshot_taking.take_nothing(call, location)
    if option == "CopyStart":
        return snapshot_copies.start_copy(call, location)
    if option in NOT_SIMULATED:
        raise errors.not_simulated(f"snapshots with createOption '{option}'")
    raise errors.invalid_parameter(
        f"The value '{option}' of parameter 'creationData.createOption' is invalid for a snapshot.",
        "creationData.createOption",
    )


def _check_version(call: Call, option: str, properties: fields.Json) -> None:
    """Refuse what an old api-version does not know yet."""
    if option == "CopyStart" and call.api_version < FIRST_WITH_COPY_START:
        raise errors.invalid_parameter(
            f"The value '{option}' of parameter 'creationData.createOption' is invalid before api-version "
            f"{FIRST_WITH_COPY_START}.",
            "creationData.createOption",
        )
    if "incremental" in properties and call.api_version < FIRST_WITH_INCREMENTAL:
        raise ArmError(
            400,
            "BadRequest",
            "Could not find member 'incremental' on object of type 'Snapshot'. Path "
            "'properties.incremental'.",
            "properties.incremental",
        )


def _put_again(call: Call, snapshot: Snapshot) -> Response:
    """Accept the same request again and change nothing but tags and settings (azure-semantics §8)."""
    snapshot.require_idle()
    _require_same(call, snapshot)
    if snapshot.unique_id is None:
        raise errors.operation_not_allowed(
            f"Snapshot '{snapshot.id.name}' is in the provisioning state Failed; delete it first."
        )
    return _change(call, snapshot, tags=fields.tags(call.body))


def _require_same(call: Call, snapshot: Snapshot) -> None:
    properties = fields.section(call.body, "properties")
    creation = fields.section(properties, "creationData")
    location = fields.location(call.body, KIND)
    if location != snapshot.location:
        raise errors.other_location(snapshot.id.name, snapshot.id.group, snapshot.location, location)
    for name in ("createOption", "sourceResourceId"):
        asked, there = fields.text(creation, name) or "", str(snapshot.creation_data.get(name) or "")
        if asked.lower() != there.lower():
            raise errors.property_change(f"creationData.{name}", snapshot.id.name)
    if fields.truth(properties, "incremental") != snapshot.incremental:
        raise errors.property_change("incremental", snapshot.id.name)


def get_snapshot(call: Call) -> Response:
    """Answer what is known of a snapshot."""
    return Response.of_json(200, call.estate.shelf.get(Snapshot, call.id).document())


def patch_snapshot(call: Call) -> Response:
    """Change tags and settings; tags are replaced as a whole."""
    snapshot = call.estate.shelf.get(Snapshot, call.id)
    snapshot.require_idle()
    has_tags = call.body.get("tags") is not None
    return _change(call, snapshot, tags=fields.tags(call.body) if has_tags else snapshot.tags)


def _change(call: Call, snapshot: Snapshot, tags: dict[str, str]) -> Response:
    asked = fields.section(call.body, "properties")
    changes = kept(asked, *CHANGEABLE)
    snapshot_taking.check_size_unchanged(asked, snapshot.size_bytes)
    encryption = asked_encryption(call, snapshot.location)
    if encryption is not None:
        snapshot_taking.check_encryption(encryption, snapshot.properties.get("encryption"))
    snapshot.sku = snapshot_taking.asked_sku(call, snapshot.sku)
    snapshot.tags = tags
    snapshot.properties |= changes
    work = Work(call.estate.tempo.snapshot, lambda _: snapshot.document())
    operation = call.begin(snapshot, work)
    return call.accepted(operation, body=snapshot.document())


def delete_snapshot(call: Call) -> Response:
    """Delete a snapshot; the later ones of its family stay complete, a copy that reads it breaks."""
    snapshot = call.estate.shelf.find(Snapshot, call.id)
    if snapshot is None:
        return Response(204)
    snapshot.require_idle()
    require_no_access(call.estate, snapshot)

    work = Work(call.estate.tempo.delete, lambda _: remove(snapshot), states=DELETING)
    return call.accepted(call.begin(snapshot, work))


def remove(snapshot: Snapshot) -> None:
    """Let a snapshot be gone, for its family and for the copies that read it."""
    snapshot.estate.shelf.remove(snapshot)
    snapshot_copies.forget(snapshot)
    if snapshot.family is not None and snapshot in snapshot.family.members:
        snapshot.family.members.remove(snapshot)
    if snapshot.image is not None:
        snapshot.image.release()


ROUTES = resource_routes(
    KIND,
    ("PUT", "/{}", put_snapshot, "write", PUT_SNAPSHOT),
    ("GET", "/{}", get_snapshot, "read", GET_DISK),
    ("PATCH", "/{}", patch_snapshot, "write", PUT_DISK),
    ("DELETE", "/{}", delete_snapshot, "delete", DELETE_DISK),
    ("GET", "", list_resources, "read", LIST),
    ("POST", "/{}/beginGetAccess", begin_access, "beginGetAccess/action", PUT_SNAPSHOT),
    ("POST", "/{}/endGetAccess", end_access, "endGetAccess/action", PUT_SNAPSHOT),
)
