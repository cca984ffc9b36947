"""What a new disk begins with: nothing, a snapshot, a page blob (Import), or what is going to be uploaded.

Sources: azure-semantics §4.5 and §7.1. Own choices where nothing is published:
- Import needs the right to list the keys of the storage account, and `storageAccountId` always; a snapshot of
  a blob cannot be imported, copy it first.
- An account of another region, and a URI that is not of that account, are refused with a code of our own.
- What is uploaded is held to the footer of a fixed VHD when its access is ended.
- An imported or uploaded disk has sectors of 512 bytes: one of a type that has others must ask for them.
- An OS disk that is uploaded has to name both its `osType` and its `hyperVGeneration`.
- The guest state of trusted launch and confidential machines is not simulated, neither brought along
  (ImportSecure, UploadPreparedSecure) nor made anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.arm import errors, fields
from simulator.arm.call import Call
from simulator.arm.disk_model import KIND
from simulator.arm.errors import ArmError
from simulator.arm.identifiers import ResourceId
from simulator.arm.snapshot_model import KIND as SNAPSHOT
from simulator.arm.snapshot_model import Snapshot
from simulator.data_plane.uploads import UploadedVhd
from simulator.data_plane.vhd import FOOTER_BYTES, MIB, check_fixed_vhd
from simulator.images import Image
from simulator.page_blobs.accounts import KIND as ACCOUNT
from simulator.page_blobs.accounts import StorageAccount
from simulator.page_blobs.addresses import address_of_url
from simulator.page_blobs.blobs import BlobState

SMALLEST_UPLOAD = 20 * MIB + FOOTER_BYTES
LARGEST_UPLOAD = 32 * 1024**4 + FOOTER_BYTES
NOT_SIMULATED = {"ImportSecure", "UploadPreparedSecure", "FromImage", "Restore", "Attach"}


@dataclass(frozen=True)
class Origin:
    """What a disk is made of; `image` is what it begins with, the disk's own from now on. An empty disk has
    none, and no size of its own."""

    image: Image | None = None
    snapshot: Snapshot | None = None
    upload: UploadedVhd | None = None

    @property
    def size_bytes(self) -> int | None:
        """How large the disk is at least."""
        return self.image.size_bytes if self.image else None

    @property
    def sector_size(self) -> int | None:
        """The sectors that the disk has to have; None if it may choose."""
        if self.snapshot is not None:
            return self.snapshot.sector_size
        return 512 if self.image else None


def asked_origin(call: Call, location: str) -> Origin:
    """Return what a new disk in `location` is to be made of; raises ArmError if it cannot be."""
    properties = fields.section(call.body, "properties")
    creation = fields.section(properties, "creationData")
    option = fields.required_text(creation, "createOption", "properties.creationData.")
    if option == "Empty":
        return Origin()
    if option == "Copy":
        source = _named_snapshot(call, creation, location)
        return Origin(source.ready_image().thaw_copy(), source)
    if option in ("Import", "Upload") and properties.get("securityProfile"):
        raise errors.not_simulated(f"disks with createOption '{option}' and a securityProfile")
    if option == "Import":
        return Origin(_imported(call, creation, location))
    if option == "Upload":
        return _upload(call, properties, creation)
    if option in NOT_SIMULATED:
        raise errors.not_simulated(f"disks with createOption '{option}'")
    raise errors.invalid_parameter(
        f"The value '{option}' of parameter 'creationData.createOption' is invalid for a disk.",
        "creationData.createOption",
    )


def _named_snapshot(call: Call, creation: fields.Json, location: str) -> Snapshot:
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
    return source


def _imported(call: Call, creation: fields.Json, location: str) -> Image:
    uri = fields.required_text(creation, "sourceUri", "properties.creationData.")
    account = _named_account(call, creation, location)
    blob = _named_blob(call, uri, account)
    length = blob.length
    try:
        check_fixed_vhd(blob.image.read(length - FOOTER_BYTES, FOOTER_BYTES), length)
    except ValueError as error:
        raise ArmError(
            400,
            "BadRequest",
            f"The specified blob '{uri.partition('?')[0]}' cannot be imported: {error}",
        ) from error
    image = blob.image.thaw_copy()
    image.cut(length - FOOTER_BYTES)
    return image


def _named_account(call: Call, creation: fields.Json, location: str) -> StorageAccount:
    text = fields.required_text(creation, "storageAccountId", "properties.creationData.")
    account_id = ResourceId.parse(text)
    if account_id is None or account_id.kind != ACCOUNT:
        raise errors.invalid_parameter(
            f"The value '{text}' of 'creationData.storageAccountId' is not the id of a storage account.",
            "creationData.storageAccountId",
        )
    call.require_linked("Microsoft.Storage/storageAccounts/listKeys/action", text)
    account = call.estate.shelf.find(StorageAccount, account_id)
    if account is None:
        raise errors.reference_not_found(text)
    call.estate.regions.check(account.location)
    if account.location != location:
        raise errors.own(
            400,
            "SimulatorRegionMismatch",
            f"The storage account '{account.id.name}' is in '{account.location}'; a disk in '{location}' "
            "cannot be imported from it.",
        )
    return account


def _named_blob(call: Call, uri: str, account: StorageAccount) -> BlobState:
    found = address_of_url(uri, call.estate.storage)
    if found is None or found[0].account != account.id.name or found[1] is not None:
        raise errors.invalid_parameter(
            f"The value '{uri.partition('?')[0]}' of 'creationData.sourceUri' is not the URI of a blob of "
            f"the storage account '{account.id.name}'.",
            "creationData.sourceUri",
        )
    container = account.containers.get(found[0].container)
    blob = container.blobs.get(found[0].blob) if container else None
    if blob is None:
        raise ArmError(404, "NotFound", f"The blob '{uri.partition('?')[0]}' is not found.")
    if blob.base.is_pending:
        raise errors.operation_not_allowed(f"A copy into the blob '{uri.partition('?')[0]}' is pending.")
    return blob.base


def _upload(call: Call, properties: fields.Json, creation: fields.Json) -> Origin:
    size_bytes = fields.whole(creation, "uploadSizeBytes", "properties.creationData.")
    if size_bytes is None:
        raise errors.missing_parameter("creationData.uploadSizeBytes")
    if not SMALLEST_UPLOAD <= size_bytes <= LARGEST_UPLOAD or (size_bytes - FOOTER_BYTES) % MIB:
        raise errors.invalid_parameter(
            f"The value '{size_bytes}' of parameter 'creationData.uploadSizeBytes' is invalid: it is a whole "
            f"number of MiB and {FOOTER_BYTES} bytes more, {SMALLEST_UPLOAD} to {LARGEST_UPLOAD}.",
            "creationData.uploadSizeBytes",
        )
    if properties.get("diskSizeGB") is not None:
        raise errors.invalid_parameter(
            "'diskSizeGB' follows from 'creationData.uploadSizeBytes'; leave it out.", "diskSizeGB"
        )
    named = [name for name in ("osType", "hyperVGeneration") if properties.get(name)]
    if len(named) == 1:
        raise errors.missing_parameter("hyperVGeneration" if named == ["osType"] else "osType")
    images = call.estate.images
    return Origin(images.create(size_bytes - FOOTER_BYTES), upload=UploadedVhd(images.create(size_bytes)))
