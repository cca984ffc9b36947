"""One call to a storage account: what came in, who may do what, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from simulator.arm.estate import Estate
from simulator.data_plane.errors import StorageError
from simulator.page_blobs.accounts import Container, StorageAccount
from simulator.page_blobs.addresses import Address
from simulator.page_blobs.blobs import BlobState, PageBlob
from simulator.wire import Headers, Request, Response

if TYPE_CHECKING:
    from simulator.page_blobs.sources import CopySources

METADATA_BYTES = 8 * 1024

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z", re.ASCII)


@dataclass
class BlobCall:
    """A request whose account is known; `headers` are those that its answer begins with.

    `may_overwrite` is false for who may only create; `bytes_moved` is what counts against the blob's limit.
    """

    estate: Estate
    account: StorageAccount
    address: Address
    request: Request
    version: str
    headers: Headers
    now: datetime
    sources: CopySources
    may_overwrite: bool = True
    bytes_moved: int = 0

    @property
    def snapshot(self) -> str | None:
        """The snapshot that the request names; raises StorageError 400 if that is no moment."""
        return self._asked_moment("snapshot")

    @property
    def previous_snapshot(self) -> str | None:
        """The earlier snapshot that the request names; raises as `snapshot`."""
        return self._asked_moment("prevsnapshot")

    @property
    def container(self) -> Container:
        """The container; raises StorageError 404 ContainerNotFound."""
        found = self.account.containers.get(self.address.container)
        if found is None:
            raise StorageError("ContainerNotFound")
        return found

    @property
    def blob(self) -> PageBlob:
        """The blob; raises StorageError 404."""
        found = self.container.blobs.get(self.address.blob)
        if found is None:
            raise StorageError("BlobNotFound")
        return found

    @property
    def state(self) -> BlobState:
        """The blob or the snapshot that the request names; raises StorageError 404."""
        found = self.blob.state(self.snapshot)
        if found is None:
            raise StorageError("BlobNotFound")
        return found

    def header(self, name: str) -> str:
        """Return a header that must be there; raises StorageError 400 MissingRequiredHeader."""
        found = self.request.headers.get(name)
        if found is None:
            raise StorageError("MissingRequiredHeader", name=name)
        return str(found)

    def asked_metadata(self) -> dict[str, str]:
        """Return the metadata that a request sets; names are kept in lower case here.

        Raises StorageError: EmptyMetadataKey, InvalidMetadata for names that are no identifiers of C#,
        MetadataTooLarge beyond 8 KiB ("Setting and retrieving properties and metadata for Blob resources").
        """
        prefix = "x-ms-meta-"
        headers = self.request.headers.items()
        found = {name[len(prefix) :]: value for name, value in headers if name.startswith(prefix)}
        if "" in found:
            raise StorageError("EmptyMetadataKey")
        if not all(name.isascii() and name.isidentifier() for name in found):
            raise StorageError("InvalidMetadata")
        if sum(len(name) + len(value) for name, value in found.items()) > METADATA_BYTES:
            raise StorageError("MetadataTooLarge")
        return found

    def require_base(self) -> None:
        """Refuse a request that is to change a snapshot; raises StorageError 400."""
        if self.snapshot:
            raise StorageError("InvalidQueryParameterValue", name="snapshot", value=self.snapshot)

    def _asked_moment(self, name: str) -> str | None:
        value = self.request.query.get(name) or None
        if value is not None and not _MOMENT.fullmatch(value):
            raise StorageError("InvalidQueryParameterValue", name=name, value=value)
        return value


@dataclass(frozen=True)
class Operation:
    """One operation of the service.

    `actions` are the rights of which a token's owner needs one, `permissions` the letters of which a SAS
    needs one; `creates` are those of both that suffice only where nothing is written over.
    """

    handler: Callable[[BlobCall], Response]
    actions: tuple[str, ...]
    permissions: str
    creates: frozenset[str] = field(default_factory=frozenset)
    only_account_sas: bool = False
