"""What a copy consists of in Azure: a snapshot, or its seal in a page blob that other copies may share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

from domain.copies import Copy
from domain.policy import Location


@dataclass(frozen=True)
class StoredSnapshot:
    """A managed snapshot, by its ARM id."""

    id: str


@dataclass(frozen=True)
class StoredSeal:
    """A blob snapshot: what a page blob in a container, a URL, held when it was sealed."""

    container: str
    blob: str
    sealed: str


@dataclass(frozen=True)
class StoredBlob:
    """A page blob in a container, a URL.

    What the point has sealed in it goes, whether or not it is recorded; it goes itself only once nobody's
    seal is left in it. `is_of_attempt` says that a failed attempt made it for itself, so that it must go.
    """

    container: str
    blob: str
    disk: str
    is_of_attempt: bool


Stored: TypeAlias = StoredSnapshot | StoredSeal | StoredBlob


def stored(copy: Copy, names: Collection[str], location: Location) -> list[Stored]:
    """Return what of a copy is to be deleted: what its attempts made under these names.

    The seal of a complete copy is its last attempt's, in whichever blob it is. So may be one that nobody
    heard of, of a copy that has failed, or in a blob that it was written into before. Those are left alone
    while the copy is open, as the next attempt takes such a seal for its own.
    """
    if not copy.is_paged:
        return [StoredSnapshot(copy.snapshot_id(name, location)) for name in names]
    pages = copy.pages
    sealed_in = pages.blob if pages and pages.sealed else None
    found: list[Stored] = [
        StoredBlob(copy.container, name, copy.disk, is_of_attempt=True) for name in names if name != sealed_in
    ]
    if not copy.state.is_open:
        others = [blob for blob in copy.earlier_blobs if blob != sealed_in]
        found += [StoredBlob(copy.container, blob, copy.disk, is_of_attempt=False) for blob in others]
    if pages and copy.target_name in names and (sealed_in or pages.base):
        if sealed_in:
            found.append(StoredSeal(copy.container, sealed_in, pages.sealed))
        found.append(StoredBlob(copy.container, pages.blob, copy.disk, is_of_attempt=False))
    return found
