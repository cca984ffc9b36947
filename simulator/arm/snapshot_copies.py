"""Copying a snapshot into another region (createOption CopyStart, azure-semantics §3).

The operation ends in seconds with nothing copied; the data follows in the background, told by
`completionPercent`. The first copy moves everything that was ever written, a later one what changed since the
newest copy that is still in the target region.

Own choices, where Azure is silent: a source whose network access is denied can be copied; one copy per disk
at a time holds across target regions; skipping a snapshot is allowed, going back to an older one is not;
copies do not cross subscriptions; if every earlier copy was deleted, the next is whole again; deleting the
target cancels the copy; a snapshot of a disk with a customer-managed key needs an encryption set for the
target.
"""

from __future__ import annotations

from datetime import datetime

from simulator.arm import errors, fields
from simulator.arm.call import Call
from simulator.arm.disk_settings import kept
from simulator.arm.encryption_sets import asked_encryption, has_customer_key
from simulator.arm.estate import Estate
from simulator.arm.identifiers import ResourceId
from simulator.arm.operations import Document, Work
from simulator.arm.progress import Progress
from simulator.arm.snapshot_families import Family
from simulator.arm.snapshot_model import KIND, Snapshot
from simulator.arm.snapshot_taking import (
    SETTINGS,
    asked_creation,
    asked_sku,
    check_size_unchanged,
    default_sku,
    inherited,
)
from simulator.meter import CopiedBytes
from simulator.wire import Response

MAX_COPIES = 100


def start_copy(call: Call, location: str) -> Response:
    """Accept a copy of an incremental snapshot of another region."""
    source = _source(call, location)
    image, chain = source.ready_image(), source.family
    assert chain is not None, "an incremental snapshot has a family"
    _keep_in_order(source, chain, location, call.names[0])
    _keep_within_limits(call.estate, chain, location, call.names[0])
    copy = _begun(call, source, chain, location)
    base = _base(chain, location, call.names[0])
    copy.is_whole = base is None
    copy.bytes_to_move = image.changed_bytes_since(base.image if base else None)
    copy.progress = Progress(call.estate.tempo.copying(copy.bytes_to_move), since=None)
    copy.image = image.freeze_copy()
    call.estate.shelf.put(copy)
    chain.copies.append(copy)
    call.estate.copying.append(copy)
    if copy.family is not None:
        copy.family.members.append(copy)

    def finish(moment: datetime) -> Document:
        copy.unique_id = call.estate.unique_ids.new()
        copy.creation_data["sourceUniqueId"] = source.unique_id
        copy.properties = inherited(source) | copy.properties
        if copy.is_copying:
            _go_on(call.estate, copy, moment)
        output = copy.document()
        output["properties"].pop("completionPercent", None)
        return output

    operation = call.begin(copy, Work(call.estate.tempo.copy_accepted, finish, lambda: forget(copy)))
    return call.accepted(operation, body=copy.document())


def forget(snapshot: Snapshot) -> None:
    """Break the copies that read a snapshot which is gone, and end its own copying."""
    estate = snapshot.estate
    for copy in [each for each in estate.copying if each.copied_from is snapshot]:
        _stop(estate, copy)
        copy.copy_error = {
            "errorCode": "CopySourceNotFound",
            "errorMessage": f"The source snapshot '{snapshot.id}' was deleted before the copy was complete.",
        }
    if snapshot.copied_from is not None:
        _stop(estate, snapshot)
        chain = snapshot.copied_from.family
        if chain is not None and snapshot in chain.copies:
            chain.copies.remove(snapshot)
        if snapshot.family is not None and snapshot in snapshot.family.members:
            snapshot.family.members.remove(snapshot)


def halt(estate: Estate, location: str) -> None:
    """Stop every copy into or out of a region where it is, without an error."""
    for copy in estate.copying:
        if location in _regions(copy):
            _pause(estate, copy)


def resume(estate: Estate) -> None:
    """Let the copies go on whose regions are both there."""
    for copy in estate.copying:
        is_waiting = copy.progress is not None and copy.progress.since is None and copy.unique_id is not None
        if is_waiting:
            _go_on(estate, copy, estate.now)


def _source(call: Call, location: str) -> Snapshot:
    properties = fields.section(call.body, "properties")
    creation = fields.section(properties, "creationData")
    text = fields.required_text(creation, "sourceResourceId", "properties.creationData.")
    source_id = ResourceId.parse(text)
    if source_id is None or source_id.kind != KIND:
        raise errors.invalid_parameter("Entity not of expected type", "creationData.sourceResourceId")
    call.require_linked("Microsoft.Compute/snapshots/beginGetAccess/action", text)
    source = call.estate.shelf.find(Snapshot, source_id)
    if source is None:
        raise errors.reference_not_found(text)
    call.estate.regions.check(source.location)
    if not source.incremental or not fields.truth(properties, "incremental", "properties."):
        raise errors.invalid_parameter(
            "CreateOption.CopyStart is only supported for an incremental snapshot",
            "creationData.createOption",
        )
    if source.location == location:
        raise errors.own(
            400,
            "SimulatorRegionMismatch",
            f"Snapshot '{source.id.name}' is in '{location}' already; CopyStart copies to another region.",
        )
    if source.id.subscription.lower() != call.names[0].lower():
        raise errors.not_simulated("CopyStart from another subscription")
    source.require_idle()
    return source


def _keep_in_order(source: Snapshot, chain: Family, location: str, subscription: str) -> None:
    newer = [
        copy
        for copy in chain.copies_in(location, subscription)
        if copy.copied_from is not None and copy.copied_from.created > source.created
    ]
    if newer:
        raise errors.own(
            409,
            "SimulatorCopyOutOfOrder",
            f"Snapshots of a disk are copied in the order of their creation: '{newer[-1].id.name}' in "
            f"'{location}' is a copy of a newer one than '{source.id.name}'.",
        )


def _keep_within_limits(estate: Estate, chain: Family, location: str, subscription: str) -> None:
    running = chain.running_copy()
    if running is not None:
        raise errors.own(
            409,
            "SimulatorCopyAlreadyRunning",
            f"Only one snapshot of a disk is copied at a time, and '{running.id.name}' is not complete.",
        )
    side_by_side = [
        copy
        for copy in estate.copying
        if copy.location == location and copy.id.subscription.lower() == subscription.lower()
    ]
    if len(side_by_side) >= MAX_COPIES:
        raise errors.own(
            409,
            "SimulatorTooManyCopies",
            f"{MAX_COPIES} snapshots are being copied to '{location}' already; at most {MAX_COPIES} can be.",
        )


def _base(chain: Family, location: str, subscription: str) -> Snapshot | None:
    complete = [copy for copy in chain.copies_in(location, subscription) if copy.is_complete]
    return complete[-1] if complete else None


def _begun(call: Call, source: Snapshot, chain: Family, location: str) -> Snapshot:
    asked = fields.section(call.body, "properties")
    check_size_unchanged(asked, source.size_bytes)
    encryption = asked_encryption(call, location)
    if has_customer_key(source.properties.get("encryption")) and not has_customer_key(encryption):
        raise errors.own(
            409,
            "SimulatorEncryptionMismatch",
            f"Snapshot '{source.id.name}' uses a customer-managed key; give a disk encryption set of "
            f"'{location}' in 'encryption.diskEncryptionSetId'.",
        )
    family = call.estate.families.of_copies(chain, location, call.names[0])
    return Snapshot(
        id=call.id,
        location=location,
        created=call.estate.now,
        tags=fields.tags(call.body),
        properties=kept(asked, *SETTINGS) | ({} if encryption is None else {"encryption": encryption}),
        estate=call.estate,
        sku=asked_sku(call, default_sku(family, location)),
        size_bytes=source.size_bytes,
        incremental=True,
        creation_data=asked_creation(asked, source),
        family=family,
        copied_from=source,
    )


def _go_on(estate: Estate, copy: Snapshot, now: datetime) -> None:
    if any(estate.regions.is_lost(location) for location in _regions(copy)):
        return
    progress = copy.progress
    assert progress is not None
    progress.go_on(now)
    copy.completion = estate.timeline.at(
        now + progress.left(now), copy.location, lambda _: _complete(estate, copy)
    )


def _pause(estate: Estate, copy: Snapshot) -> None:
    if copy.progress is not None and copy.progress.since is not None:
        copy.progress.halt(estate.now)
    if copy.completion is not None:
        copy.completion.cancel()


def _complete(estate: Estate, copy: Snapshot) -> None:
    source = copy.copied_from
    assert copy.progress is not None
    assert source is not None
    copy.progress.finish()
    estate.copying.remove(copy)
    estate.meter.copied(
        CopiedBytes(
            source=source.id.text,
            target=copy.id.text,
            region=copy.location,
            bytes_moved=copy.bytes_to_move,
            whole=copy.is_whole,
        )
    )


def _stop(estate: Estate, copy: Snapshot) -> None:
    _pause(estate, copy)
    if copy in estate.copying:
        estate.copying.remove(copy)


def _regions(copy: Snapshot) -> set[str]:
    return {copy.location} | ({copy.copied_from.location} if copy.copied_from else set())
