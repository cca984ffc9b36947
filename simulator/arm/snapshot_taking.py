"""Taking a snapshot of a disk.

Own choice: the bytes are those of the moment at which the operation ends, not of the request. Azure says only
that they are fixed once the operation has succeeded, so a client that lets a machine write again too early
gets what it deserves here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from simulator.arm import errors, fields
from simulator.arm.call import Call
from simulator.arm.disk_model import Disk
from simulator.arm.disk_settings import ACCESS, INHERITED, kept
from simulator.arm.disk_skus import PROVISIONED_SKUS
from simulator.arm.encryption_sets import asked_encryption
from simulator.arm.errors import ArmError
from simulator.arm.identifiers import ResourceId
from simulator.arm.operations import Document, Work
from simulator.arm.progress import Progress
from simulator.arm.snapshot_families import Family
from simulator.arm.snapshot_model import Snapshot
from simulator.regions import REGIONS
from simulator.wire import Response

MAX_PENDING_PER_DISK, MAX_PENDING_PER_SUBSCRIPTION = 3, 50
SETTINGS = (*ACCESS, *INHERITED)


def take(call: Call, location: str) -> Response:
    """Take a snapshot of a disk (createOption Copy)."""
    properties = fields.section(call.body, "properties")
    incremental = fields.truth(properties, "incremental", "properties.")
    disk = _source_disk(call, location)
    _check_disk(call, disk, incremental)
    family = call.estate.families.of_disk(disk.unique_id) if incremental else None
    snapshot = _begun(call, disk, location, incremental, family)
    if family is not None:
        _keep_within_limits(call, snapshot, family)
    call.estate.shelf.put(snapshot)
    disk.pending_snapshots += 1

    def finish(moment: datetime) -> Document:
        disk.pending_snapshots -= 1
        snapshot.image = disk.image.freeze_copy()
        snapshot.unique_id = call.estate.unique_ids.new()
        snapshot.creation_data["sourceUniqueId"] = disk.unique_id
        snapshot.properties = inherited(disk) | snapshot.properties
        if disk.sku in PROVISIONED_SKUS:
            _complete_in_background(snapshot, moment)
        return snapshot.document()

    def undo() -> None:
        disk.pending_snapshots -= 1
        if family is not None:
            family.members.remove(snapshot)

    operation = call.begin(snapshot, Work(call.estate.tempo.snapshot, finish, undo))
    return call.accepted(operation, body=snapshot.document())


def take_nothing(call: Call, location: str) -> Response:
    """Make a full snapshot of zeros (createOption Empty)."""
    asked = fields.section(call.body, "properties")
    gib = fields.whole(asked, "diskSizeGB", "properties.")
    if not gib or gib < 1:
        raise errors.missing_parameter("diskSizeGB")
    if fields.truth(asked, "incremental", "properties."):
        raise errors.invalid_parameter("An empty snapshot cannot be incremental.", "incremental")
    snapshot = Snapshot(
        id=call.id,
        location=location,
        created=call.estate.now,
        tags=fields.tags(call.body),
        properties=kept(asked, *SETTINGS) | _encryption_alone(call, location),
        estate=call.estate,
        sku=asked_sku(call, "Standard_LRS"),
        size_bytes=gib * fields.GIB,
        incremental=False,
        creation_data={"createOption": "Empty"},
    )
    call.estate.shelf.put(snapshot)

    def finish(_: datetime) -> Document:
        snapshot.image = call.estate.images.create(snapshot.size_bytes).freeze_copy()
        snapshot.unique_id = call.estate.unique_ids.new()
        return snapshot.document()

    operation = call.begin(snapshot, Work(call.estate.tempo.snapshot, finish))
    return call.accepted(operation, body=snapshot.document())


def _encryption_alone(call: Call, location: str) -> dict[str, Any]:
    encryption = asked_encryption(call, location)
    return {} if encryption is None else {"encryption": encryption}


def inherited(source: Disk | Snapshot) -> dict[str, Any]:
    """Return what a snapshot or disk takes over from its source (azure-semantics §2.3)."""
    return {name: source.properties[name] for name in (*INHERITED, "encryption") if name in source.properties}


def check_encryption(asked: fields.Json, expected: fields.Json | None) -> None:
    """Refuse another disk encryption set than the one that the chain began with (azure-semantics §5)."""
    sets = [str((each or {}).get("diskEncryptionSetId") or "").lower() for each in (asked, expected)]
    if sets[0] != sets[1]:
        raise errors.own(
            409,
            "SimulatorEncryptionMismatch",
            f"A disk and all its incremental snapshots use one disk encryption set: '{sets[1] or 'none'}' "
            f"is in use, '{sets[0] or 'none'}' was given.",
        )


def asked_creation(asked: fields.Json, source: Disk | Snapshot) -> dict[str, Any]:
    """Return the creationData of a snapshot of `source`; the sectors are those of the source."""
    creation = fields.section(asked, "creationData")
    if creation.get("instantAccessDurationMinutes") is not None:
        raise errors.not_simulated("instant access snapshots")
    kept = ("createOption", "sourceResourceId", "provisionedBandwidthCopySpeed")
    told = {name: creation[name] for name in kept if creation.get(name) is not None}
    if fields.whole(creation, "logicalSectorSize", "properties.creationData.") not in (
        None,
        source.sector_size,
    ):
        raise errors.own(
            400,
            "SimulatorSectorSizeMismatch",
            f"'{source.id.name}' has sectors of {source.sector_size} bytes, and so have its snapshots.",
        )
    if source.creation_data.get("logicalSectorSize"):
        told["logicalSectorSize"] = source.sector_size
    return told


def check_size_unchanged(asked: fields.Json, size_bytes: int) -> None:
    """Refuse another size than the source's, or than the snapshot has: Azure can do that, we cannot."""
    gib = fields.whole(asked, "diskSizeGB", "properties.")
    if gib not in (None, -(-size_bytes // fields.GIB)):
        raise errors.not_simulated("snapshots of another size than their source")


def default_sku(family: Family | None, location: str) -> str:
    """Return the sku of a snapshot for which none was asked: that of the one before, else zone-redundant
    where the region has zones (azure-semantics §2.3)."""
    if family is not None and family.members:
        return family.members[-1].sku
    return "Standard_ZRS" if REGIONS[location].has_zones else "Standard_LRS"


def asked_sku(call: Call, default: str) -> str:
    """Return the sku that a body asks for; raises ArmError 400 InvalidParameter."""
    sku = fields.text(fields.section(call.body, "sku"), "name") or default
    if sku not in ("Standard_LRS", "Premium_LRS", "Standard_ZRS"):
        raise errors.invalid_parameter(f"The sku '{sku}' is not a sku of snapshots.", "sku.name")
    return sku


def _source_disk(call: Call, location: str) -> Disk:
    creation = fields.section(call.body, "properties", "creationData")
    text = fields.required_text(creation, "sourceResourceId", "properties.creationData.")
    source = ResourceId.parse(text)
    if source is None or source.kind != "Microsoft.Compute/disks":
        if source is not None and source.kind == "Microsoft.Compute/snapshots":
            raise errors.not_simulated("a snapshot of a snapshot within a region (createOption Copy)")
        raise errors.invalid_parameter(
            f"The value '{text}' of 'creationData.sourceResourceId' is not the id of a disk.",
            "creationData.sourceResourceId",
        )
    call.require_linked("Microsoft.Compute/disks/beginGetAccess/action", text)
    disk = call.estate.shelf.find(Disk, source)
    if disk is None:
        raise errors.reference_not_found(text)
    call.estate.regions.check(disk.location)
    if disk.location != location:
        raise errors.own(
            400,
            "SimulatorRegionMismatch",
            f"Disk '{disk.id.name}' is in '{disk.location}'; a snapshot of it cannot be created in "
            f"'{location}'.",
        )
    return disk


def _check_disk(call: Call, disk: Disk, incremental: bool) -> None:
    if disk.is_ephemeral:
        raise errors.own(
            409, "SimulatorEphemeralDisk", f"Disk '{disk.id.name}' is an ephemeral OS disk: no snapshots."
        )
    disk.require_ready()
    if incremental and disk.id.subscription.lower() != call.names[0].lower():
        raise errors.invalid_parameter(
            "An incremental snapshot cannot be created in another subscription than its disk's.",
            "incremental",
        )
    if disk.sku in PROVISIONED_SKUS and not incremental:
        raise errors.invalid_parameter(
            f"Disks of type {disk.sku} have incremental snapshots only.", "incremental"
        )
    if disk.sku in PROVISIONED_SKUS:
        _keep_pending_within_limits(call, disk)


def _begun(call: Call, disk: Disk, location: str, incremental: bool, family: Family | None) -> Snapshot:
    asked = fields.section(call.body, "properties")
    properties = kept(asked, *SETTINGS)
    check_size_unchanged(asked, disk.size_bytes)
    encryption = asked_encryption(call, location)
    if encryption is not None:
        check_encryption(encryption, disk.properties.get("encryption"))
        properties["encryption"] = encryption
    return Snapshot(
        id=call.id,
        location=location,
        created=call.estate.now,
        tags=fields.tags(call.body),
        properties=properties,
        estate=call.estate,
        sku=asked_sku(call, default_sku(family, location)),
        size_bytes=disk.size_bytes,
        incremental=incremental,
        creation_data=asked_creation(asked, disk),
        family=family,
    )


def _keep_within_limits(call: Call, snapshot: Snapshot, family: Family) -> None:
    """Refuse the 501st snapshot of a disk and the eighth within five minutes; a Failed one stays behind."""
    now = call.estate.now
    refusal: ArmError | None = None
    if family.is_full():
        refusal = ArmError(
            409,
            "SnapshotsLimitReached",
            "The snapshot count was exceeded for a disk. Please retry the request after sometime",
        )
    elif family.is_too_fast(now):
        refusal = errors.own(
            409,
            "SimulatorSnapshotRateExceeded",
            "At most 7 incremental snapshots of a disk can be created within 5 minutes.",
        )
    if refusal is not None:
        snapshot.provisioning_state = "Failed"
        call.estate.shelf.put(snapshot)
        raise refusal
    family.note_taken(now)
    family.members.append(snapshot)


def _keep_pending_within_limits(call: Call, disk: Disk) -> None:
    def pending(snapshot: Any) -> bool:
        return isinstance(snapshot, Snapshot) and not snapshot.is_complete and not snapshot.copied_from

    of_disk = [each for each in call.estate.families.of_disk(disk.unique_id).members if pending(each)]
    everything = call.estate.shelf.under(f"/subscriptions/{call.names[0].lower()}/")
    if (
        len(of_disk) + disk.pending_snapshots >= MAX_PENDING_PER_DISK
        or sum(map(pending, everything)) >= MAX_PENDING_PER_SUBSCRIPTION
    ):
        raise errors.own(
            409,
            "SimulatorTooManyPendingSnapshots",
            f"Disk '{disk.id.name}': at most {MAX_PENDING_PER_DISK} snapshots of a disk and "
            f"{MAX_PENDING_PER_SUBSCRIPTION} of a subscription can be completing at once.",
        )


def _complete_in_background(snapshot: Snapshot, moment: datetime) -> None:
    """Let a snapshot of an Ultra or Premium SSD v2 disk complete, as long as its changes take."""
    estate, image, family = snapshot.estate, snapshot.image, snapshot.family
    assert image is not None
    assert family is not None, "these disks have incremental snapshots only"
    earlier = family.members[: family.members.index(snapshot)]
    before = next((each.image for each in reversed(earlier) if each.image is not None), None)
    progress = snapshot.progress = Progress(
        estate.tempo.completing(image.changed_bytes_since(before)), since=moment
    )
    snapshot.completion = estate.timeline.at(
        moment + progress.takes, snapshot.location, lambda _: progress.finish()
    )
