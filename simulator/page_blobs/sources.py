"""Where bytes are copied from: page blobs of any account of the cloud, and disks and snapshots by their SAS.

Sources: "Put Page From URL" and "Copy Blob" (Azure Storage REST); azure-semantics.md §4.4 and §4.7; the words
of the refusals from Azure/azure-storage-python issue 720. What the source answers is told: its status is that
of the refusal, `CannotVerifyCopySource`, also where it does not meet a condition (412 and 304); its status
and code stand in headers of their own. Copy Blob says `SourceConditionNotMet` instead. Own choices:
- A source that does not resolve, is no blob of this cloud or lies in a lost region gets status 404 or 500.
- The headers that tell of the source are there in every version.
- Into a disk that is uploaded, every source is taken, incremental snapshots too.
- Copy Blob refuses a token for the source in a header of its own: that is documented, and offered by the SDK,
  for what is copied from a URL at once. What Azure does with it is not known.
- Reading a source counts against the pace of the blob that is written, not against its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from simulator.arm.estate import Estate
from simulator.data_plane.access import account_and_path
from simulator.data_plane.conditions import Stamp, check_read
from simulator.data_plane.errors import StorageError, not_simulated
from simulator.data_plane.page_writes import LONGEST_SOURCE
from simulator.data_plane.versions import NEWEST
from simulator.data_plane.vhd import Vhd
from simulator.page_blobs.accounts import StorageAccount, StorageAccounts
from simulator.page_blobs.addresses import address_of_url, blob_url
from simulator.page_blobs.blobs import BlobState
from simulator.page_blobs.calls import BlobCall
from simulator.wire import BodyPart, ConnectionDropped, Headers, Request

_SOURCE_AUTHORIZATION = "x-ms-copy-source-authorization"

_GONE = StorageError("ResourceNotFound")


class Readable(Protocol):
    """Whatever can be copied from."""

    @property
    def length(self) -> int:
        """How many bytes it has."""
        ...

    def parts(self, start: int, end: int) -> list[BodyPart]:
        """Return the bytes from `start` up to, and not including, `end`."""
        ...


class CopySources:
    """Finds what a URL names and whether it may be read; `admit` authorizes a call to read a blob."""

    def __init__(
        self, estate: Estate, accounts: StorageAccounts, admit: Callable[[Request], BlobCall]
    ) -> None:
        self._estate = estate
        self._accounts = accounts
        self._admit = admit

    def read(
        self,
        url: str,
        authorization: str | None,
        start: int,
        end: int,
        conditions: Mapping[str, str],
        target: StorageAccount | None = None,
    ) -> bytes:
        """Return bytes of a source, for an account's blob or for an upload; raises StorageError."""
        with self._estate.lock:
            source, stamp = self._open(url, authorization, target)
            if conditions:
                _hold(conditions, stamp)
            if end > source.length:
                raise _unverified(StorageError("InvalidRange"))
            parts = source.parts(start, end)
        return b"".join(block for part in parts for block in part.blocks())

    def open_for_copy(self, call: BlobCall) -> tuple[BlobState, str]:
        """Return what Copy Blob is to copy, and its URL without a signature; raises StorageError.

        Within its own account a source needs no SAS: the credential of the request serves, unless that is a
        SAS itself.
        """
        url = call.request.headers["x-ms-copy-source"]
        found = address_of_url(url, self._accounts)
        if found is None:
            if _is_of_disk(url):
                raise not_simulated("Copy Blob out of a disk's own host")
            if not url.lower().startswith(("http://", "https://")):
                raise StorageError("InvalidHeaderValue", name="x-ms-copy-source", value=url)
            raise _unverified(_GONE)
        address, _ = found
        if len(url) > LONGEST_SOURCE:
            raise StorageError("InvalidHeaderValue", name="x-ms-copy-source", value=url)
        if _SOURCE_AUTHORIZATION in call.request.headers:
            raise StorageError("UnsupportedHeader", name=_SOURCE_AUTHORIZATION, value="(a token)")
        authorization = None
        source = Request.of("GET", url)
        if address.account == call.address.account and "sig" not in source.query:
            own = call.request.headers.get("authorization", "")
            if own.startswith("SharedKey "):
                return self._state(call.account, url), _told(call.account, url, self._accounts)
            authorization = own or None
        account = self._accounts.find(address.account)
        state = self._blob(url, authorization)
        assert account is not None  # else it could not be read
        return state, _told(account, url, self._accounts)

    def _open(
        self, url: str, authorization: str | None, target: StorageAccount | None
    ) -> tuple[Readable, Stamp]:
        if _is_of_disk(url):
            return self._disk(url, target)
        if address_of_url(url, self._accounts) is None:
            raise _unverified(_GONE)
        state = self._blob(url, authorization)
        return state, state.stamp

    def _disk(self, url: str, target: StorageAccount | None) -> tuple[Vhd, Stamp]:
        access = self._estate.accesses.find_url(url)
        if access is None or not isinstance(access.blob, Vhd):
            raise _unverified(StorageError("AuthenticationFailed"))
        if self._estate.regions.is_lost(access.region):
            raise StorageError("CannotVerifyCopySource")
        if access.family_id is not None and target is not None and target.refuses_incremental_sources:
            raise StorageError("CopySourceCannotBeIncrementalCopyBlob")
        return access.blob, access.stamp

    def _blob(self, url: str, authorization: str | None) -> BlobState:
        headers = {"x-ms-version": NEWEST} | ({"authorization": authorization} if authorization else {})
        try:
            return self._admit(Request.of("GET", url, headers)).state
        except StorageError as error:
            if error.status >= 500:
                raise StorageError("CannotVerifyCopySource") from None
            raise _unverified(error) from None
        except ConnectionDropped:
            raise StorageError("CannotVerifyCopySource") from None

    def _state(self, account: StorageAccount, url: str) -> BlobState:
        found = address_of_url(url, self._accounts)
        container = account.containers.get(found[0].container) if found else None
        blob = container.blobs.get(found[0].blob) if found and container else None
        state = blob.state(found[1]) if found and blob else None
        if state is None:
            raise _unverified(_GONE)
        return state


@dataclass(frozen=True)
class SourcesOf:
    """The sources as they are for the blobs of one account."""

    sources: CopySources
    target: StorageAccount

    def read(
        self, url: str, authorization: str | None, start: int, end: int, conditions: Mapping[str, str]
    ) -> bytes:
        """Return bytes of a source; raises StorageError."""
        return self.sources.read(url, authorization, start, end, conditions, self.target)


def _is_of_disk(url: str) -> bool:
    try:
        request = Request.of("GET", url)
    except ValueError:
        return False
    return bool(request.host and account_and_path(request.host, request.path)[0])


def _told(account: StorageAccount, url: str, accounts: StorageAccounts) -> str:
    found = address_of_url(url, accounts)
    assert found is not None
    address, snapshot = found
    return blob_url(account, address.container, address.blob) + (f"?snapshot={snapshot}" if snapshot else "")


def _hold(conditions: Mapping[str, str], stamp: Stamp) -> None:
    try:
        check_read(Headers(conditions), stamp)
    except StorageError as error:
        raise _unverified(error) from None


def _unverified(error: StorageError) -> StorageError:
    told = {"StatusCode": str(error.status), "ErrorCode": error.code, "ErrorMessage": error.message}
    return StorageError(
        "CannotVerifyCopySource",
        status=error.status,
        message=error.message,
        extra={f"CopySource{name}": value for name, value in told.items()},
        headers={
            "x-ms-copy-source-status-code": str(error.status),
            "x-ms-copy-source-error-code": error.code,
        },
    )
