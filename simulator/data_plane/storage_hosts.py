"""The disks' own storage hosts (`md-…`): reading a disk or snapshot by its SAS, as a page blob; and writing a
disk that is made by upload (`md-impexp-…`).

    HEAD /container/abcd?SAS                         length and properties
    GET  /container/abcd?SAS                         bytes, whole or a range
    GET  /container/abcd?SAS&comp=pagelist           which ranges hold bytes, or differ from an older snapshot
    PUT  /container/abcd?SAS&comp=page               uploads only: Put Page and Put Page From URL

Sources: azure-semantics.md §4; "Get Blob", "Get Blob Properties" and "Get Page Ranges" of the Azure Storage
REST documentation. Known differences and own choices:
- Every other operation on the blob gets 403 AuthorizationPermissionMismatch.
- An upload can be read as well (AzCopy looks at its length first); nothing limits its requests or its bytes.
- A SAS that is unknown, revoked or expired gets 403 AuthenticationFailed, whatever the host (in Azure, an
  unknown one does not resolve). The text of its AuthenticationErrorDetail is our own.
- The hosts of a lost region end the connection without an answer.
- Every version of the service is taken (in Azure it is not known which are).
- Answers have a content-length; Azure sends range lists chunked.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import format_datetime

from clock import Clock
from simulator.data_plane.access import Access, AccessTable, account_and_path
from simulator.data_plane.checksums import range_hash
from simulator.data_plane.conditions import check_read, check_sequence_number, check_write
from simulator.data_plane.differences import asked_ranges
from simulator.data_plane.errors import StorageError
from simulator.data_plane.page_lists import page_list
from simulator.data_plane.page_writes import Sources, asked_write
from simulator.data_plane.ranges import asked_range
from simulator.data_plane.uploads import UploadedVhd
from simulator.data_plane.versions import asked_version, check_version
from simulator.wire import ConnectionDropped, Headers, Request, Response


def _never(region: str) -> bool:
    return False


class DataPlane:
    """Answers for all disks and snapshots that `accesses` lets be read."""

    def __init__(
        self,
        accesses: AccessTable,
        clock: Clock,
        is_region_lost: Callable[[str], bool] = _never,
        sources: Sources | None = None,
    ) -> None:
        self._accesses = accesses
        self._sources = sources or NoSources()
        self._clock = clock
        self._is_region_lost = is_region_lost
        self._numbers = itertools.count(1)

    @staticmethod
    def is_addressed_by(request: Request) -> bool:
        """Tell whether a request goes to a disk's storage host rather than to the management endpoint."""
        return bool(account_and_path(request.host, request.path)[0])

    def handle(self, request: Request) -> Response:
        """Answer one request; raises ConnectionDropped for the hosts of a lost region."""
        headers = common_headers(request, next(self._numbers), asked_version(request), self._clock.now())
        try:
            access = self._authenticated(request)
            check_version(asked_version(request), self._clock.now())
            require_length(request)
            if is_page_write(request) and isinstance(access.blob, UploadedVhd):
                return self._write(access, access.blob, request, headers)
            return _answer(self._accesses, access, request, headers)
        except StorageError as error:
            return error.response(headers, self._clock.now())

    def _write(self, access: Access, blob: UploadedVhd, request: Request, headers: Headers) -> Response:
        version = asked_version(request)
        check_write(request.headers, access.stamp)
        check_sequence_number(request.headers, 0)
        write = asked_write(request, blob.length, self._sources, version)
        blob.apply(write)
        headers |= {"etag": access.stamp.etag, "last-modified": headers["date"], **write.told}
        headers["x-ms-blob-sequence-number"] = "0"
        return Response(201, headers)

    def _authenticated(self, request: Request) -> Access:
        access = self._accesses.find(request)
        if access is None:
            raise StorageError(
                "AuthenticationFailed", detail="The SAS is unknown, was revoked or has expired"
            )
        if self._is_region_lost(access.region):
            raise ConnectionDropped
        return access


def require_length(request: Request) -> None:
    """Refuse a body that comes in chunks; raises StorageError 411 (azure-semantics.md §4.7)."""
    if "transfer-encoding" in request.headers and request.method == "PUT":
        raise StorageError("MissingContentLengthHeader", name="Content-Length")


def common_headers(request: Request, number: int, version: str, now: datetime) -> Headers:
    """Return the headers that every answer of the storage service has."""
    headers = Headers(
        {
            "server": "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0",
            "x-ms-request-id": f"{number:08x}-001e-0000-0000-000000000000",
            "x-ms-version": version,
            "date": format_datetime(now, usegmt=True),
        }
    )
    if "x-ms-client-request-id" in request.headers:
        headers["x-ms-client-request-id"] = request.headers["x-ms-client-request-id"]
    return headers


class NoSources:
    """Where there is nothing to copy from."""

    def read(
        self, url: str, authorization: str | None, start: int, end: int, conditions: Mapping[str, str]
    ) -> bytes:
        raise StorageError("CannotVerifyCopySource", status=404)


def is_page_write(request: Request) -> bool:
    """Tell whether a request is Put Page or Put Page From URL."""
    return request.method == "PUT" and request.query.get("comp") == "page"


def _answer(accesses: AccessTable, access: Access, request: Request, headers: Headers) -> Response:
    version = asked_version(request)
    operation = (request.method, request.query.get("comp", ""))
    if operation not in (("GET", ""), ("HEAD", ""), ("GET", "pagelist")):
        raise StorageError("AuthorizationPermissionMismatch")
    for name in ("snapshot", "versionid"):
        if name in request.query:
            raise StorageError("InvalidQueryParameterValue", name=name, value=request.query[name])
    check_read(request.headers, access.stamp)
    headers |= {"last-modified": format_datetime(access.stamp.modified, usegmt=True)}
    headers["etag"] = access.stamp.etag
    if operation[1]:
        headers["content-type"] = "application/xml"
        headers["x-ms-blob-content-length"] = str(access.blob.length)
        ranges = asked_ranges(accesses, access, request, version)
        return Response(200, headers, page_list(request, version, access.blob.length, ranges))
    return _blob(access, request, headers)


def _blob(access: Access, request: Request, headers: Headers) -> Response:
    headers |= {
        "accept-ranges": "bytes",
        "content-type": "application/octet-stream",
        "x-ms-blob-type": "PageBlob",
        "x-ms-blob-sequence-number": "0",
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
        "x-ms-server-encrypted": "true",
        "x-ms-creation-time": headers["last-modified"],
    }
    blob = access.blob
    asked = asked_range(request.headers, blob.length) if request.method == "GET" else None
    start, end = asked or (0, blob.length)
    response = Response(206 if asked else 200, headers, blob.parts(start, end))
    if asked:
        headers["content-range"] = f"bytes {start}-{end - 1}/{blob.length}"
    if request.method == "GET":
        headers |= range_hash(request.headers, response, is_range=asked is not None)
    return response
