"""Storage accounts of the world, and the handles that its builder gives back."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from random import Random

from simulator.arm.estate import Estate
from simulator.arm.identifiers import ResourceId
from simulator.page_blobs.accounts import Container, StorageAccount, is_container_name
from simulator.page_blobs.blobs import PageBlob


def build_account(
    estate: Estate, account_id: ResourceId, location: str, refuses_incremental_sources: bool
) -> StorageAccount:
    """Put an account on the shelf; raises ValueError if Azure would not have such an account."""
    key = Random(f"{account_id.name}:{account_id.subscription}").randbytes(64)
    account = StorageAccount(
        id=account_id,
        location=location,
        created=estate.now,
        estate=estate,
        key=base64.b64encode(key).decode(),
        refuses_incremental_sources=refuses_incremental_sources,
    )
    estate.storage.add(account)
    return account


@dataclass(frozen=True)
class AccountHandle:
    """A storage account of the world."""

    resource: StorageAccount

    @property
    def id(self) -> str:
        return self.resource.id.text

    @property
    def name(self) -> str:
        return self.resource.id.name

    @property
    def key(self) -> str:
        """The account's key, base64."""
        return self.resource.key

    @property
    def endpoint(self) -> str:
        """Where its blobs are reached, without a slash at the end."""
        return self.resource.endpoint

    def add_container(self, name: str) -> str:
        """Add a container; return its name. One that is there stays as it is."""
        if not is_container_name(name):
            raise ValueError(f"{name!r} cannot name a container")
        account = self.resource
        with account.estate.lock:
            now = account.estate.clock.now()
            if name not in account.containers:
                account.containers[name] = Container(name, now, account.next_etag(now))
        return name

    def blob(self, container: str, name: str) -> BlobHandle:
        """Return a blob that exists; raises KeyError."""
        with self.resource.estate.lock:
            self.resource.estate.timeline.settle()
            found = self.resource.containers[container].blobs[name]
        return BlobHandle(self.resource, found)


@dataclass(frozen=True)
class BlobHandle:
    """A page blob of the world, to be looked at and written beside the service."""

    account: StorageAccount
    page_blob: PageBlob

    @property
    def length(self) -> int:
        """The length of the blob in bytes."""
        return self.page_blob.base.length

    @property
    def snapshots(self) -> list[str]:
        """The moments by which its snapshots are named, oldest first."""
        return sorted(self.page_blob.snapshots)

    @property
    def metadata(self) -> dict[str, str]:
        return dict(self.page_blob.base.metadata)

    def read(self, offset: int, length: int, snapshot: str | None = None) -> bytes:
        """Return bytes of the blob, or of one of its snapshots; raises KeyError if that is not there."""
        state = self.page_blob.state(snapshot)
        if state is None:
            raise KeyError(f"'{self.page_blob.name}' has no snapshot {snapshot}")
        return state.image.read(offset, length)

    def write(self, offset: int, data: bytes) -> None:
        """Write bytes anywhere inside the blob, as if a client had; its ETag changes."""
        estate = self.account.estate
        with estate.lock:
            state = self.page_blob.base
            state.image.write(offset, data)
            state.etag = self.account.next_etag(estate.clock.now())
            state.modified = estate.clock.now()
