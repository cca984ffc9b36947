"""Where a request goes: account, container, blob. In Azure the account is the host's first label, on a
simulator's own address it is the first segment of the path, as Azurite has it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote, urlsplit

from simulator.page_blobs.accounts import HOST_SUFFIX, StorageAccount, StorageAccounts


@dataclass(frozen=True)
class Address:
    """Names, "" for what is not named."""

    account: str
    container: str
    blob: str

    @property
    def level(self) -> str:
        """What is addressed: the service, a container or a blob."""
        if self.blob:
            return "blob"
        return "container" if self.container else "service"


def address_of(host: str, path: str, accounts: StorageAccounts) -> Address | None:
    """Take an address apart; None if it is not that of a storage account.

    Every host below `blob.core.windows.net` is one, there or not; a path only if the account is there.
    """
    name, _, _ = host.partition(":")[0].partition(".")
    if host.partition(":")[0].endswith(HOST_SUFFIX):
        return Address(name, *_names(path))
    name, _, rest = path.lstrip("/").partition("/")
    return Address(name, *_names(rest)) if accounts.find(name) else None


def address_of_url(url: str, accounts: StorageAccounts) -> tuple[Address, str | None] | None:
    """Take the URL of a blob apart: its address and the snapshot that it names."""
    parts = urlsplit(url)
    address = address_of(parts.netloc.lower(), unquote(parts.path), accounts) if parts.netloc else None
    snapshot = parse_qs(parts.query).get("snapshot", [None])[0]
    return (address, snapshot) if address else None


def blob_url(account: StorageAccount, container: str, blob: str) -> str:
    """Return the URL of a blob."""
    return f"{account.endpoint}/{container}/{quote(blob, safe='~/')}"


def _names(path: str) -> tuple[str, str]:
    container, _, blob = path.lstrip("/").partition("/")
    return container, blob
