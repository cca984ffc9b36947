"""Who may read which disk or snapshot by SAS, or upload which disk, and until when.

A SAS names a stored policy (`si=`) and carries neither an expiry nor permissions, so that it ends when the
policy is removed (azure-semantics.md §4.1). Own choices: a second grant while the first is active extends it
and returns the same SAS, as is documented for disk restore points and not for snapshots; identifiers and
signatures are random.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from urllib.parse import quote, urlsplit
from uuid import UUID

from clock import Clock
from simulator.data_plane.conditions import Stamp
from simulator.data_plane.uploads import UploadedVhd
from simulator.data_plane.vhd import Vhd
from simulator.images import Image
from simulator.wire import Request

_SIGNED_VERSION = "2018-03-28"
_BLOB_NAME = "abcd"
_LETTERS = "bcdfghjklmnpqrstvwxz0123456789"


@dataclass(frozen=True)
class Access:
    """The right to read one disk or snapshot, or to upload one disk. `family_id` is None for a disk and for a
    full snapshot."""

    resource_id: str
    blob: Vhd | UploadedVhd
    family_id: str | None
    created: datetime
    region: str
    readable_until: datetime
    account: str
    container: str
    policy: str
    signature: str

    @property
    def stamp(self) -> Stamp:
        """What conditions are held against: a disk or snapshot stays, an upload changes with every write."""
        ticks = int((self.created - datetime(1, 1, 1, tzinfo=UTC)).total_seconds() * 10_000_000)
        writes = self.blob.writes if isinstance(self.blob, UploadedVhd) else 0
        return Stamp(f'"0x{ticks + writes:X}"', self.created.astimezone(UTC))

    def url(self, base_url: str | None = None) -> str:
        """Return the SAS: with Azure's host name, or below `base_url`, where a simulator serves."""
        host = (
            f"{base_url}/{self.account}" if base_url else f"https://{self.account}.z45.blob.storage.azure.net"
        )
        signature = quote(self.signature, safe="")
        query = f"sv={_SIGNED_VERSION}&sr=b&si={self.policy}&sig={signature}"
        return f"{host}/{self.container}/{_BLOB_NAME}?{query}"

    def is_asked_with(self, path: str, query: Mapping[str, str]) -> bool:
        """Tell whether a request for this account carries the SAS."""
        return (
            path == f"/{self.container}/{_BLOB_NAME}"
            and query.get("sv") == _SIGNED_VERSION
            and query.get("sr") == "b"
            and query.get("si") == self.policy
            and query.get("sig") == self.signature
        )


class AccessTable:
    """Every access granted in one cloud; an access ends by itself when the clock has passed its end."""

    def __init__(self, clock: Clock, random: Random | None = None) -> None:
        self._clock = clock
        self._random = random or Random()
        self._by_resource: dict[str, Access] = {}
        self._by_account: dict[str, Access] = {}
        self._lock = threading.Lock()

    def grant(
        self,
        resource_id: str,
        *,
        image: Image,
        family_id: str | None,
        created: datetime,
        region: str,
        readable_until: datetime,
    ) -> Access:
        """Let a disk or snapshot be read until a moment; an access that is active keeps its SAS and gets the
        later end of the two. The limit per family is the caller's to check, with `count_active`."""
        with self._lock:
            blob = Vhd(image, family_id or resource_id)
            return self._granted("md", resource_id, blob, family_id, created, region, readable_until)

    def grant_upload(
        self, resource_id: str, *, blob: UploadedVhd, created: datetime, region: str, writable_until: datetime
    ) -> Access:
        """Let a disk be uploaded until a moment; otherwise like `grant`."""
        with self._lock:
            return self._granted("md-impexp", resource_id, blob, None, created, region, writable_until)

    def revoke(self, resource_id: str) -> None:
        """End the access at once; whoever still uses its SAS is refused. Nothing happens if there is none."""
        with self._lock:
            self._end(resource_id)

    def active(self, resource_id: str) -> Access | None:
        """Return the access that a disk or snapshot can be read by now, if there is one."""
        with self._lock:
            return self._active(resource_id)

    def count_active(self, family_id: str) -> int:
        """Return how many snapshots of a family can be read now."""
        now = self._clock.now()
        with self._lock:
            accesses = self._by_resource.values()
            return sum(each.family_id == family_id and each.readable_until > now for each in accesses)

    def find(self, request: Request) -> Access | None:
        """Return the access whose SAS a request carries; None if it is unknown, revoked or expired."""
        account, path = account_and_path(request.host, request.path)
        access = self._by_account.get(account)
        if access and access.is_asked_with(path, request.query) and access.readable_until > self._clock.now():
            return access
        return None

    def find_url(self, url: str) -> Access | None:
        """Return the access of a complete SAS; raises ValueError if it is no URL."""
        if not urlsplit(url).netloc:
            raise ValueError(f"{url[:80]!r} is no absolute URL")
        return self.find(Request.of("GET", url))

    def _granted(
        self,
        prefix: str,
        resource_id: str,
        blob: Vhd | UploadedVhd,
        family_id: str | None,
        created: datetime,
        region: str,
        until: datetime,
    ) -> Access:
        active = self._active(resource_id)
        if active:
            access = replace(active, readable_until=max(until, active.readable_until))
        else:
            self._end(resource_id)
            access = Access(
                resource_id=resource_id,
                blob=blob,
                family_id=family_id,
                created=created,
                region=region,
                readable_until=until,
                account=f"{prefix}-{self._word()}",
                container=self._word(),
                policy=str(UUID(int=self._random.getrandbits(128), version=4)),
                signature=base64.b64encode(self._random.randbytes(32)).decode(),
            )
        self._by_resource[resource_id.lower()] = access
        self._by_account[access.account] = access
        return access

    def _active(self, resource_id: str) -> Access | None:
        access = self._by_resource.get(resource_id.lower())
        return access if access and access.readable_until > self._clock.now() else None

    def _end(self, resource_id: str) -> None:
        access = self._by_resource.pop(resource_id.lower(), None)
        if access:
            del self._by_account[access.account]

    def _word(self) -> str:
        return "".join(self._random.choices(_LETTERS, k=12))


def account_and_path(host: str, path: str) -> tuple[str, str]:
    """Take the address of a disk's blob apart: `md-…` is the host's first label, or on a simulator's own
    address the first segment of the path. Returns ("", path) for an address of something else."""
    if host.startswith("md-"):
        return host.partition(".")[0], path
    if path.startswith("/md-"):
        account, _, rest = path[1:].partition("/")
        return account, f"/{rest}"
    return "", path
