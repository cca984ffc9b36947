"""By what right a blob is reached: a signature in its URL, or an identity's token in a header.

Signatures are secrets that whoever has the URL can use. They are put behind a URL at the last moment, hidden
from `repr`, and never told.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import quote

from gateways.failures import translated

_SCOPE = "https://storage.azure.com/.default"
_RENEWED_BEFORE_SECONDS = 300
_SIGNED_FOR = timedelta(hours=12)


class Access(Protocol):
    """A right to reach blobs."""

    def query(self) -> str:
        """Return what is put behind the question mark of a URL; "" for nothing."""
        ...

    def authorization(self) -> str:
        """Return the value of the header Authorization; "" for none."""
        ...


@dataclass(frozen=True)
class Signed:
    """A shared access signature, without its question mark."""

    signature: str = field(repr=False)

    def query(self) -> str:
        return self.signature

    def authorization(self) -> str:
        return ""


class Token:
    """The token of an identity, asked for again shortly before it ends.

    Raises Transient("IdentityUnavailable") where what gives tokens is out of order.
    """

    def __init__(self, credential: Any) -> None:
        self._credential = credential
        self._lock = threading.Lock()
        self._header = ""
        self._until = 0.0

    def query(self) -> str:
        return ""

    def authorization(self) -> str:
        with self._lock:
            if time.time() >= self._until:
                with translated("page blobs"):  # unlike a client of the SDK, nobody above does it
                    token = self._credential.get_token(_SCOPE)
                self._header = f"Bearer {token.token}"
                self._until = token.expires_on - _RENEWED_BEFORE_SECONDS
            return self._header


class Keyed:
    """An account's key, as the storage emulator has them: it signs for the account, half a day a time.

    For a container alone it cannot: the emulator would refuse such a signature for blob snapshots.
    """

    def __init__(self, account: str, key: str) -> None:
        self._account, self._key = account, key
        self._lock = threading.Lock()
        self._signature = ""
        self._until = 0.0

    def query(self) -> str:
        with self._lock:
            if time.time() >= self._until:
                self._signature = self._signed()
                self._until = time.time() + _SIGNED_FOR.total_seconds() / 2
            return self._signature

    def authorization(self) -> str:
        return ""

    def _signed(self) -> str:
        from azure.storage.blob import generate_account_sas  # only where there are keys: in development

        now = datetime.now(UTC)  # not the app's clock: the emulator has the computer's
        return generate_account_sas(
            self._account,
            self._key,
            resource_types="co",
            permission="rwdlc",
            start=now - timedelta(minutes=5),
            expiry=now + _SIGNED_FOR,
        )


def access_of(credential: Any) -> Access:
    """Return the right that a credential of the SDK gives: a key, a shared access signature or a token."""
    named = getattr(credential, "named_key", None)
    if named is not None:
        return Keyed(named.name, named.key)
    signature = getattr(credential, "signature", None)
    if signature is not None:
        return Signed(signature.lstrip("?"))
    return Token(credential)


@dataclass(frozen=True)
class Opened:
    """A page blob, or one as which a disk or snapshot is shown, that can be read.

    `address` is its URL without what gives the right; `snapshot` the time of one of a blob's snapshots, ""
    for the blob itself; `name` says in messages what it is.
    """

    name: str
    address: str
    access: Access = field(repr=False)
    snapshot: str = ""

    def __post_init__(self) -> None:
        if "?" in self.address:
            raise ValueError(f"{self.name}: the address of what is opened must hold no query")

    @classmethod
    def by_url(cls, name: str, url: str) -> Opened:
        """Return what a complete SAS URL opens."""
        address, _, signature = url.partition("?")
        return cls(name, address, Signed(signature))

    def url(self, **parameters: str) -> str:
        """Return the URL of a request, secrets included."""
        query = self.access.query()
        if self.snapshot:
            parameters = {"snapshot": self.snapshot, **parameters}
        for name, value in parameters.items():
            query = f"{query}&{name}={_quoted(value)}" if query else f"{name}={_quoted(value)}"
        return f"{self.address}?{query}" if query else self.address

    def headers(self, version: str) -> dict[str, str]:
        """Return the headers that every request has."""
        authorization = self.access.authorization()
        if not authorization:
            return {"x-ms-version": version}
        return {"x-ms-version": version, "authorization": authorization}


@lru_cache(64)  # requests of a transfer have the same parameters
def _quoted(value: str) -> str:
    return quote(value, safe="")
