"""Storage accounts: their name, key, containers, and where they answer.

An account is made by the world (`World.add_storage_account`); Resource Manager knows it as a scope of rights
and as what disks are imported from, and deletes it with its resource group. Making, looking at and changing
one through Resource Manager is not simulated.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from simulator.arm.resources import Resource
from simulator.page_blobs.blobs import PageBlob, ticks_of

if TYPE_CHECKING:
    from simulator.arm.estate import Estate

KIND = "Microsoft.Storage/storageAccounts"
HOST_SUFFIX = ".blob.core.windows.net"

_ACCOUNT_NAME = re.compile(r"[a-z0-9]{3,24}")
_CONTAINER_NAME = re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_NOT_ACCOUNTS = ("subscriptions", "providers", "simulator")  # other paths of a served cloud begin so


@dataclass
class Container:
    """One container; a blob stays in `blobs` as long as it or one of its snapshots is there."""

    name: str
    modified: datetime
    etag: str
    metadata: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, PageBlob] = field(default_factory=dict)


@dataclass(eq=False, kw_only=True)
class StorageAccount(Resource):
    """One storage account. `refuses_incremental_sources`: Put Page From URL out of the SAS of an incremental
    snapshot fails, as some report of Azure (azure-semantics §4.4)."""

    estate: Estate
    key: str
    refuses_incremental_sources: bool = False
    containers: dict[str, Container] = field(default_factory=dict)
    names_free_at: dict[str, datetime] = field(default_factory=dict)  # of containers that were deleted
    last_tick: int = 0

    @property
    def endpoint(self) -> str:
        """Where its blobs are reached, without a slash at the end."""
        if self.estate.base_url:
            return f"{self.estate.base_url}/{self.id.name}"
        return f"https://{self.id.name}{HOST_SUFFIX}"

    def next_tick(self, moment: datetime) -> int:
        """Return a tick that was never given out before, ascending: for ETags and for snapshots."""
        self.last_tick = max(ticks_of(moment), self.last_tick + 1)
        return self.last_tick

    def next_etag(self, moment: datetime) -> str:
        """Return a new ETag."""
        return f'"0x{self.next_tick(moment):X}"'

    def delegation_key(self, text: str) -> str:
        """Return the value of a user delegation key; `text` is all that the key says of itself."""
        digest = hmac.new(base64.b64decode(self.key), f"delegation\n{text}".encode(), hashlib.sha256)
        return base64.b64encode(digest.digest()).decode()

    def document(self) -> dict[str, Any]:
        return self.heading() | {
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS", "tier": "Standard"},
            "properties": {
                "provisioningState": self.provisioning_state,
                "primaryLocation": self.location,
                "primaryEndpoints": {"blob": f"{self.endpoint}/"},
            },
        }


class StorageAccounts:
    """Every storage account by its name, which is unique in the world."""

    def __init__(self) -> None:
        self._by_name: dict[str, StorageAccount] = {}

    def add(self, account: StorageAccount) -> None:
        """Add an account; raises ValueError for a name that cannot be or is taken."""
        name = account.id.name
        if not _ACCOUNT_NAME.fullmatch(name) or name in _NOT_ACCOUNTS:
            raise ValueError(f"{name!r} cannot name a storage account: 3 to 24 small letters and digits")
        if self.find(name) is not None:
            raise ValueError(f"the storage account {name!r} exists already")
        self._by_name[name] = account
        account.estate.shelf.put(account)

    def find(self, name: str) -> StorageAccount | None:
        """Return the account of that name, unless it was deleted with its group."""
        account = self._by_name.get(name)
        if account is None or account.estate.shelf.find(StorageAccount, account.id) is not account:
            return None
        return account


def is_container_name(name: str) -> bool:
    """Tell whether a container can be named so."""
    return bool(_CONTAINER_NAME.fullmatch(name))
