"""Page blobs as restores have them: the replicas that they read, and what they import disks from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from domain.blob_sources import BlobSource, ImportBlob
from domain.page_ranges import PageRange
from domain.tags import OPERATION_METADATA
from gateways.blob_access import Opened
from gateways.page_blobs import PageBlob, PageBlobs
from gateways.page_lists import list_pages
from settings import storage_account


@dataclass(frozen=True)
class RestoreBlobs:
    """Reads replicas and copies them; never writes into one."""

    blobs: PageBlobs  # of the identity that restores

    def length(self, source: BlobSource) -> int | None:
        """Return how many bytes a blob snapshot has; None if there is none.

        Raises Absent if there is no container.
        """
        return self._replica(source).length(source.sealed)

    def opened(self, source: BlobSource) -> Opened:
        """Return a blob snapshot for reading."""
        return self._replica(source).opened(source.sealed)

    def page_ranges(self, source: BlobSource, start: int, end: int) -> Iterator[PageRange]:
        """Yield what of a blob snapshot holds bytes between `start` and `end`."""
        return list_pages(self.blobs.wire, self.opened(source), None, start, end)

    def begin_import(self, source: BlobSource, operation: str) -> ImportBlob:
        """Begin to copy a blob snapshot, or take up the copy that a restore has begun before."""
        begun = self._import(source).begin_copy(self.opened(source), {OPERATION_METADATA: operation})
        return ImportBlob.of(source, begun.status, begun.description)

    def find_import(self, source: BlobSource) -> ImportBlob | None:
        """Return how far the copy of a blob snapshot is; None if there is none."""
        found = self._import(source).copy_status()
        return ImportBlob.of(source, found.status, found.description) if found else None

    def _replica(self, source: BlobSource) -> PageBlob:
        return self.blobs.at(source.container, source.name)

    def _import(self, source: BlobSource) -> PageBlob:
        return self.blobs.at(source.container, source.import_name)


def is_in_account(container: str, account_id: str) -> bool:
    """Whether a container, a URL, is one of the storage account with an ARM id."""
    return storage_account(container.rstrip("/").rsplit("/", 1)[0]) == account_id.rsplit("/", 1)[-1].lower()
