"""Put Page and Put Page From URL: which pages are written or cleared, with what, and whether that may be.

Sources: "Put Page" and "Put Page From URL" (Azure Storage REST), azure-semantics.md §4.3 and §4.7: what is
longer than 4 MiB, sent along or from a URL, is refused with 413; a range that is not aligned with 400
InvalidHeaderValue, which names the header Range whichever was sent; one that reaches behind the blob's end
with 416 InvalidPageRange. Own choices:
- A body of another length than its range, a source range of another length than the target's, and an MD5 of
  nothing that is sent along to clear: 400 InvalidHeaderValue.
- Put Page From URL in a version that does not have it: 400 UnsupportedHeader.
- The answer tells the CRC64 of what was received, or its MD5 if that was sent along, and that it was
  encrypted; clearing tells none of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from simulator.data_plane.checksums import check_body
from simulator.data_plane.conditions import source_conditions
from simulator.data_plane.errors import StorageError
from simulator.images.ranges import PAGE_BYTES
from simulator.wire import Request

LARGEST_WRITE = 4 * 1024 * 1024
LONGEST_SOURCE = 2048  # characters of the URL of a source

_FROM_URL_SINCE = "2018-11-09"
_ENCRYPTED = {"x-ms-request-server-encrypted": "true"}
_RANGE = re.compile(r"bytes=(\d{1,19})-(\d{1,19})")


class Sources(Protocol):
    """Whatever finds the bytes behind the URL of a source."""

    def read(
        self, url: str, authorization: str | None, start: int, end: int, conditions: Mapping[str, str]
    ) -> bytes:
        """Return bytes of the blob at `url`; raises StorageError if it cannot be read, or not under these
        conditions."""
        ...


@dataclass(frozen=True)
class PageWrite:
    """Pages `start` up to, and not including, `end`: `data` to write, or None to clear them; `told` are the
    headers by which the service says what it received."""

    start: int
    end: int
    data: bytes | None
    told: dict[str, str]


def asked_write(request: Request, length: int, sources: Sources, version: str) -> PageWrite:
    """Return what a request with `comp=page` asks to be written into a blob of `length` bytes.

    Raises StorageError: RequestBodyTooLarge, InvalidPageRange, InvalidHeaderValue, MissingRequiredHeader, the
    mismatch of a checksum, or what `sources` raise.
    """
    is_clear = _asks_to_clear(request)
    if len(request.body) > LARGEST_WRITE:
        raise _too_large()
    start, end = _pages(request, length)
    if is_clear:
        return _clearing(request, start, end)
    if end - start > LARGEST_WRITE:
        raise _too_large()
    if "x-ms-copy-source" in request.headers:
        return _from_url(request, start, end, sources, version)
    if len(request.body) != end - start:
        raise StorageError("InvalidHeaderValue", name="Content-Length", value=str(len(request.body)))
    told = check_body(request.headers, request.body, ("content-md5", "x-ms-content-crc64"), version)
    return PageWrite(start, end, request.body, told | _ENCRYPTED)


def _too_large() -> StorageError:
    return StorageError("RequestBodyTooLarge", extra={"MaxLimit": str(LARGEST_WRITE)})


def _clearing(request: Request, start: int, end: int) -> PageWrite:
    if request.body:
        raise StorageError("InvalidHeaderValue", name="Content-Length", value=str(len(request.body)))
    if "content-md5" in request.headers:
        value = request.headers["content-md5"]
        raise StorageError("InvalidHeaderValue", name="Content-MD5", value=value)
    return PageWrite(start, end, None, {})


def _asks_to_clear(request: Request) -> bool:
    mode = request.headers.get("x-ms-page-write")
    if mode is None:
        raise StorageError("MissingRequiredHeader", name="x-ms-page-write")
    if mode.lower() not in ("update", "clear"):
        raise StorageError("InvalidHeaderValue", name="x-ms-page-write", value=mode)
    return bool(mode.lower() == "clear")


def _pages(request: Request, length: int) -> tuple[int, int]:
    name = "x-ms-range" if "x-ms-range" in request.headers else "range"
    value = request.headers.get(name)
    if value is None:
        raise StorageError("MissingRequiredHeader", name="x-ms-range")
    start, end = _bounds(name, value)
    if start % PAGE_BYTES or end % PAGE_BYTES:
        raise StorageError("InvalidHeaderValue", name="Range", value=value)
    if not start < end <= length:
        raise StorageError("InvalidPageRange")
    return start, end


def _bounds(name: str, value: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(value.strip())
    if not match:
        raise StorageError("InvalidHeaderValue", name=name, value=value)
    return int(match[1]), int(match[2]) + 1


def _from_url(request: Request, start: int, end: int, sources: Sources, version: str) -> PageWrite:
    headers, url = request.headers, request.headers["x-ms-copy-source"]
    if version < _FROM_URL_SINCE:
        raise StorageError("UnsupportedHeader", name="x-ms-copy-source", value=url)
    if len(url) > LONGEST_SOURCE:
        raise StorageError("InvalidHeaderValue", name="x-ms-copy-source", value=url)
    if request.body:
        raise StorageError("InvalidHeaderValue", name="Content-Length", value=str(len(request.body)))
    asked = headers.get("x-ms-source-range")
    if asked is None:
        raise StorageError("MissingRequiredHeader", name="x-ms-source-range")
    source_start, source_end = _bounds("x-ms-source-range", asked)
    if source_end - source_start != end - start:
        raise StorageError("InvalidHeaderValue", name="x-ms-source-range", value=asked)
    authorization = headers.get("x-ms-copy-source-authorization")
    data = sources.read(url, authorization, source_start, source_end, source_conditions(headers))
    told = check_body(headers, data, ("x-ms-source-content-md5", "x-ms-source-content-crc64"), version)
    return PageWrite(start, end, data, told | _ENCRYPTED)
