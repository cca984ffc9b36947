"""Page blobs that disks are made of: imported from a copy in the account, or uploaded into an empty disk."""

from __future__ import annotations

from dataclasses import dataclass

from domain.provisioning import Made

_STATES = {"success": "Succeeded", "failed": "Failed", "aborted": "Canceled"}


@dataclass(frozen=True)
class BlobSource:
    """The blob snapshot that a disk is made of, in a container, a URL; `length` counts the VHD's footer.

    Azure imports no blob snapshot, but a blob: so where the account, `account_id`, may be imported from, the
    snapshot is copied into the blob `import_name` of the same container first. Both are empty where the disk
    is uploaded.
    """

    container: str
    name: str
    sealed: str
    length: int
    account_id: str = ""
    import_name: str = ""

    @property
    def is_imported(self) -> bool:
        """Whether Azure reads the bytes itself, and they need not be uploaded."""
        return bool(self.account_id)

    @property
    def import_url(self) -> str:
        """The URL of the blob that the disk is imported from."""
        return f"{self.container.rstrip('/')}/{self.import_name}"

    @property
    def source(self) -> str:
        """What a disk made of it says that it was made of."""
        return self.import_url if self.is_imported else uploaded(self.length)

    def __str__(self) -> str:
        return f"blob snapshot {self.sealed} of {self.container.rstrip('/')}/{self.name}"


def uploaded(length: int) -> str:
    """Return in words what an uploaded disk was made of: of its source Azure knows the length alone."""
    return f"an upload of {length} bytes"


@dataclass(frozen=True)
class ImportBlob(Made):
    """The blob that a disk is imported from, as far as it is copied; `id` is its URL."""

    id: str
    provisioning_state: str
    problem: str | None = None

    @classmethod
    def of(cls, source: BlobSource, status: str, description: str) -> ImportBlob:
        """Return what the status of a copy says, in the words that other things have for it."""
        return cls(source.import_url, _STATES.get(status, "Updating"), description or None)
