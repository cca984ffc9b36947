"""The disks' own storage hosts (`md-…`): reading a disk or snapshot by its SAS, as a page blob.

    HEAD /container/abcd?SAS                         length and properties
    GET  /container/abcd?SAS                         bytes, whole or a range
    GET  /container/abcd?SAS&comp=pagelist           which ranges hold bytes, or differ from an older snapshot

Sources: azure-semantics.md §4; "Get Blob", "Get Blob Properties" and "Get Page Ranges" of the Azure Storage
REST documentation. Known differences and own choices:
- Only reading is simulated. Every other operation on the blob gets 403 AuthorizationPermissionMismatch.
- A SAS that is unknown, revoked or expired gets 403 AuthenticationFailed, whatever the host (in Azure, an
  unknown one does not resolve). The text of its AuthenticationErrorDetail is our own.
- The hosts of a lost region end the connection without an answer.
- Any well-formed `x-ms-version` is taken; without the header, the version of the SAS counts (`sv=`).
- Range hashes: `x-ms-range-get-content-md5` is answered, `x-ms-range-get-content-crc64` refused.
- Conditions: If-Match and If-None-Match are answered; the conditions on dates are ignored.
- Answers have a content-length; Azure sends range lists chunked.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

from clock import Clock
from simulator.data_plane.access import Access, AccessTable, account_and_path
from simulator.data_plane.errors import StorageError
from simulator.data_plane.page_lists import page_list
from simulator.data_plane.ranges import asked_range
from simulator.wire import ConnectionDropped, Headers, Request, Response

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")
_MD5_LIMIT = 4 * 1024 * 1024


def _never(region: str) -> bool:
    return False


class DataPlane:
    """Answers for all disks and snapshots that `accesses` lets be read."""

    def __init__(
        self, accesses: AccessTable, clock: Clock, is_region_lost: Callable[[str], bool] = _never
    ) -> None:
        self._accesses = accesses
        self._clock = clock
        self._is_region_lost = is_region_lost
        self._numbers = itertools.count(1)

    @staticmethod
    def is_addressed_by(request: Request) -> bool:
        """Tell whether a request goes to a disk's storage host rather than to the management endpoint."""
        return bool(account_and_path(request.host, request.path)[0])

    def handle(self, request: Request) -> Response:
        """Answer one request; raises ConnectionDropped for the hosts of a lost region."""
        headers = self._common_headers(request)
        try:
            access = self._authenticated(request)
            return _answer(self._accesses, access, request, headers)
        except StorageError as error:
            headers["x-ms-error-code"] = error.code
            headers["content-type"] = "application/xml"
            document = error.document(headers["x-ms-request-id"], self._clock.now())
            return Response(error.status, headers, document)

    def _authenticated(self, request: Request) -> Access:
        access = self._accesses.find(request)
        if access is None:
            raise StorageError(
                "AuthenticationFailed", detail="The SAS is unknown, was revoked or has expired"
            )
        if self._is_region_lost(access.region):
            raise ConnectionDropped
        return access

    def _common_headers(self, request: Request) -> Headers:
        headers = Headers(
            {
                "server": "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0",
                "x-ms-request-id": f"{next(self._numbers):08x}-001e-0000-0000-000000000000",
                "x-ms-version": _version(request),
                "date": format_datetime(self._clock.now(), usegmt=True),
            }
        )
        if "x-ms-client-request-id" in request.headers:
            headers["x-ms-client-request-id"] = request.headers["x-ms-client-request-id"]
        return headers


def _version(request: Request) -> str:
    return request.headers.get("x-ms-version") or request.query.get("sv") or ""


def _answer(accesses: AccessTable, access: Access, request: Request, headers: Headers) -> Response:
    version = _version(request)
    if not _VERSION.fullmatch(version):
        raise StorageError("InvalidHeaderValue", name="x-ms-version", value=version)
    operation = (request.method, request.query.get("comp", ""))
    if operation not in (("GET", ""), ("HEAD", ""), ("GET", "pagelist")):
        raise StorageError("AuthorizationPermissionMismatch")
    for name in ("snapshot", "versionid"):
        if name in request.query:
            raise StorageError("InvalidQueryParameterValue", name=name, value=request.query[name])
    headers |= {"last-modified": format_datetime(access.created.astimezone(UTC), usegmt=True)}
    headers["etag"] = _etag(access)
    if _is_unmodified(request, headers["etag"]):
        return Response(304, headers)
    if operation[1]:
        headers["content-type"] = "application/xml"
        headers["x-ms-blob-content-length"] = str(access.blob.length)
        return Response(200, headers, page_list(accesses, access, request, version))
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
    _add_hash(request, response, is_range=asked is not None)
    return response


def _add_hash(request: Request, response: Response, is_range: bool) -> None:
    name = "x-ms-range-get-content-crc64"
    if request.headers.get(name, "").lower() == "true":
        raise StorageError("UnsupportedHeader", name=name, value="true")
    name = "x-ms-range-get-content-md5"
    if request.headers.get(name, "").lower() != "true":
        return
    if not is_range or response.length > _MD5_LIMIT:
        raise StorageError("InvalidHeaderValue", name=name, value="true")
    digest = hashlib.md5(usedforsecurity=False)
    for block in response.chunks():
        digest.update(block)
    response.headers["content-md5"] = base64.b64encode(digest.digest()).decode()


def _etag(access: Access) -> str:
    ticks = (access.created - datetime(1, 1, 1, tzinfo=UTC)).total_seconds() * 10_000_000
    return f'"0x{int(ticks):X}"'


def _is_unmodified(request: Request, etag: str) -> bool:
    """Tell whether 304 is the answer; raises StorageError if a condition forbids any."""
    needed, known = request.headers.get("if-match", "*"), request.headers.get("if-none-match")
    if needed not in ("*", etag):
        raise StorageError("ConditionNotMet")
    return known in ("*", etag)
