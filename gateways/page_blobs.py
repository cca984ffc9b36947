"""Page blobs as replicas of disks: made, written page by page, and sealed by blob snapshots.

Everything can be done twice. `PageBlob.remove` is for gateways/deletions.py alone, which has an identity of
its own for it.
Sources: "Put Blob", "Put Page", "Put Page from URL", "Snapshot Blob", "Copy Blob", "List Blobs" (Azure
Storage REST). A SAS must allow reading, creating, writing and listing in the container (`sp=rcwl`; Azure
wants the letters in this order).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

from domain.errors import Absent, CloudError, Conflicting, Refused, Transient
from domain.page_ranges import PageRange
from gateways import checksums
from gateways.blob_access import Access, Opened, access_of
from gateways.blob_lists import find_snapshot
from gateways.http_connection import Answer
from gateways.page_lists import API_VERSION, list_pages
from gateways.refusals import storage_refusal
from gateways.storage_answers import expect
from gateways.wire import Wire
from settings import Identity

MOST_WRITTEN = 4 * 1024 * 1024  # bytes of one Put Page, also of one from a URL
OVERTAKEN = "SequenceNumberConditionNotMet"  # another batch of writes has begun since
_CONDITION_NOT_MET = ("ConditionNotMet", "TargetConditionNotMet")
_CONTAINER_MISSING = "ContainerNotFound"


@dataclass(frozen=True)
class BlobCopy:
    """How far a copy into a blob is: `success`, `pending`, `failed` or `aborted`, and why."""

    status: str
    description: str = ""


@dataclass(frozen=True)
class PageBlob:
    """One page blob in a container; `container` is the container's URL.

    `fence` is the sequence number that the blob must have for pages to be written; None if it may have any.
    """

    wire: Wire
    container: str
    name: str
    access: Access = field(repr=False)
    identity: Identity = Identity.BACKUP
    fence: int | None = None

    def create(self, length: int, metadata: Mapping[str, str]) -> None:
        """Make it, all zeros; one of that length that is there already is taken for it.

        Raises Refused if something else is there: it may hold what somebody still needs.
        """
        headers = {
            "x-ms-blob-type": "PageBlob",
            "x-ms-blob-content-length": str(length),
            "if-none-match": "*",
        }
        try:
            self._send("PUT", {}, headers | _metadata(metadata), (201,), "making")
        except Conflicting as taken:
            there = self.length()
            if there != length:
                raise Refused(
                    "NameTaken",
                    f"{self._told} is there with {there} bytes instead of {length}; remove it, or ask for "
                    "another name",
                ) from taken

    def length(self, snapshot: str = "") -> int | None:
        """Return how many bytes it has, or one of its snapshots; None if that is not there.

        Raises Absent if there is no container.
        """
        answer = self._properties(snapshot)
        return None if answer is None else int(answer.headers["content-length"])

    def resize(self, length: int) -> None:
        """Make it longer, by zeros, or shorter."""
        headers = {"x-ms-blob-content-length": str(length)}
        self._send("PUT", {"comp": "properties"}, headers, (200,), f"resizing to {length}")

    def fenced(self) -> PageBlob:
        """Return it for a batch of writes, after which no write of an earlier batch has an effect.

        One that hung on its way may arrive at any time; from now on it is refused (`OVERTAKEN`), as it is
        bound to the sequence number that its batch began with ("Put Page", x-ms-if-sequence-number-eq).
        """
        headers = {"x-ms-sequence-number-action": "increment"}
        answer = self._send("PUT", {"comp": "properties"}, headers, (200,), "beginning a batch of writes to")
        return replace(self, fence=int(answer.headers["x-ms-blob-sequence-number"]))

    def put(self, start: int, data: bytes | memoryview, crc64: int | None = None) -> None:
        """Write pages, at most MOST_WRITTEN bytes. With `crc64`, the service checks what has arrived by it.

        Raises Transient("Crc64Mismatch") if it says so, or tells another checksum of what it has written.
        """
        headers = self._write_headers(start, len(data), "update")
        if crc64 is not None:
            headers[checksums.HEADER] = checksums.written(crc64)
        what = "writing"
        try:
            answer = self._send("PUT", {"comp": "page"}, headers, (201,), what, data)
        except Refused as refused:
            if refused.code in ("Crc64Mismatch", "Md5Mismatch"):  # damaged on its way: so send it again
                raise Transient(refused.code, str(refused)) from refused
            raise
        told = checksums.read(answer.headers.get(checksums.HEADER))
        if None not in (told, crc64) and told != crc64:
            raise Transient(
                "Crc64Mismatch",
                f"{what} {self._told} at {start}: the service has written what has the checksum "
                f"{told:016x} instead of {crc64:016x}; write it again",
            )

    def put_from_url(self, start: int, length: int, source: Opened) -> int | None:
        """Let the service itself read pages of a source and write them at the same place.

        Returns the checksum that it tells of what it wrote; None if it tells none. Raises Refused where it
        does not do that at all: page_transfers.NOT_SERVED has the codes.
        """
        headers = self._write_headers(start, length, "update") | {
            "x-ms-copy-source": source.url(),
            "x-ms-source-range": f"bytes={start}-{start + length - 1}",
        }
        if authorization := source.access.authorization():
            headers["x-ms-copy-source-authorization"] = authorization
        answer = self._send("PUT", {"comp": "page"}, headers, (201,), "writing from a URL to")
        return checksums.read(answer.headers.get(checksums.HEADER))

    def clear(self, start: int, end: int) -> None:
        """Make pages zeros, however many."""
        headers = self._write_headers(start, end - start, "clear")
        self._send("PUT", {"comp": "page"}, headers, (201,), "clearing pages of")

    def ranges(self, since: str, start: int, end: int) -> Iterator[PageRange]:
        """Yield what holds bytes between `start` and `end`, or differs there from the snapshot `since`."""
        previous = self.opened(since) if since else None
        return list_pages(self.wire, self.opened(), previous, start, end)

    def seal(self, metadata: Mapping[str, str]) -> str:
        """Keep it as it is now; return the time that names the blob snapshot.

        Doing it twice makes two, so look with `sealed` first.
        """
        answer = self._send(
            "PUT", {"comp": "snapshot"}, _metadata(metadata), (201,), "sealing", is_repeatable=False
        )
        return answer.headers["x-ms-snapshot"]

    def sealed(self, metadata: Mapping[str, str]) -> str | None:
        """Return the oldest blob snapshot that has this metadata; None if there is none."""
        return find_snapshot(self.wire, self.container, self.name, self.access, metadata)

    def begin_copy(self, source: Opened, metadata: Mapping[str, str]) -> BlobCopy:
        """Let the service copy a blob snapshot of the same account into this blob.

        That must be new, or of the same source. It gets the metadata instead of those that the source has.
        Within an account the right to the request is the right to the source, and no other token is taken.
        """
        headers = {"x-ms-copy-source": source.url(), "if-none-match": "*", **_metadata(metadata)}
        try:
            answer = self._send("PUT", {}, headers, (202,), "copying into")
        except Refused as refused:
            is_there = isinstance(refused, Conflicting) or refused.code in _CONDITION_NOT_MET
            there = self.copy_status() if is_there else None
            if there is None:
                raise
            return there
        return BlobCopy(answer.headers.get("x-ms-copy-status", "pending"))

    def copy_status(self) -> BlobCopy | None:
        """Return how far a copy into it is; None if there is none."""
        answer = self._properties()
        status = answer.headers.get("x-ms-copy-status") if answer else None
        if answer is None or status is None:
            return None
        return BlobCopy(status, answer.headers.get("x-ms-copy-status-description", ""))

    def metadata(self, snapshot: str = "") -> dict[str, str] | None:
        """Return its metadata, or those of one of its snapshots, by names in lower case; None if it is not
        there. Raises Absent if there is no container."""
        answer = self._properties(snapshot)
        if answer is None:
            return None
        prefix = "x-ms-meta-"
        return {
            name.removeprefix(prefix): value
            for name, value in answer.headers.items()
            if name.startswith(prefix)
        }

    def remove(self, snapshot: str = "") -> None:
        """Delete one of its snapshots, or what has none any more. Raises Absent if it is not there."""
        self._send("DELETE", _of(snapshot), {}, (202,), "deleting")

    def opened(self, snapshot: str = "") -> Opened:
        """Return it, or one of its blob snapshots, for reading."""
        if not snapshot:
            return self._itself
        return Opened(f"{self._told} at {snapshot}", self._address, self.access, snapshot)

    @cached_property
    def _itself(self) -> Opened:
        return Opened(self._told, self._address, self.access)

    @cached_property
    def _address(self) -> str:
        return f"{self.container}/{quote(self.name)}"

    @cached_property
    def _told(self) -> str:
        return f"page blob {self.container}/{self.name}"

    def _write_headers(self, start: int, length: int, how: str) -> dict[str, str]:
        bound = {} if self.fence is None else {"x-ms-if-sequence-number-eq": str(self.fence)}
        return {"x-ms-range": f"bytes={start}-{start + length - 1}", "x-ms-page-write": how, **bound}

    def _properties(self, snapshot: str = "") -> Answer | None:
        try:
            answer = self._send("HEAD", _of(snapshot), {}, (200,), "looking at")
        except Absent as absent:
            if absent.code == _CONTAINER_MISSING:
                raise
            return None
        if answer.headers.get("x-ms-blob-type") != "PageBlob":
            raise Refused(
                "NameTaken", f"{self._told} is a blob of another kind; remove it, or ask for another name"
            )
        return answer

    def _send(
        self,
        method: str,
        parameters: Mapping[str, str],
        headers: Mapping[str, str],
        statuses: Collection[int],
        doing: str,
        body: bytes | memoryview = b"",
        is_repeatable: bool = True,
    ) -> Answer:
        opened = self.opened()
        sent = opened.headers(API_VERSION)
        sent.update(headers)
        answer = self.wire.send(method, opened.url(**parameters), sent, body, is_repeatable=is_repeatable)
        try:
            return expect(answer, f"{doing} {self._told}", statuses)
        except CloudError as failure:
            if failure.code == "AuthorizationPermissionMismatch":
                raise storage_refusal(self.identity, method, self._address) from failure
            raise


@dataclass(frozen=True)
class PageBlobs:
    """The page blobs of any containers; `credentials` gives the credential for an account."""

    wire: Wire
    credentials: Callable[[str], Any]
    identity: Identity = Identity.BACKUP
    _accesses: dict[str, Access] = field(default_factory=dict, repr=False)

    def at(self, container: str, name: str) -> PageBlob:
        """Return the page blob of that name, there or not; `container` is the container's URL."""
        container = container.rstrip("/")
        if container not in self._accesses:
            account = container.rsplit("/", 1)[0]
            self._accesses[container] = access_of(self.credentials(account))
        return PageBlob(self.wire, container, name, self._accesses[container], self.identity)


def _of(snapshot: str) -> dict[str, str]:
    return {"snapshot": snapshot} if snapshot else {}


def _metadata(values: Mapping[str, str]) -> dict[str, str]:
    return {f"x-ms-meta-{name}": value for name, value in values.items()}
