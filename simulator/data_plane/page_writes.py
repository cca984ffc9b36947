"""Put Page and Put Page From URL: which pages are written or cleared, with what, and whether that may be.

Sources: "Put Page" and "Put Page From URL" (Azure Storage REST), azure-semantics.md §4.3. Own choices:
- A range of a URL longer than 4 MiB gets 416 InvalidPageRange; Azure's code for it is not known.
- A range that is not aligned or does not lie inside the blob gets 416 InvalidPageRange; a body of another
  length than its range, and a source range of another length than the target's, 400 InvalidHeaderValue.
- The answer tells the CRC64 of what was received, or its MD5 if that was sent along; clearing tells neither.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from simulator.data_plane.checksums import check_body
from simulator.data_plane.errors import StorageError
from simulator.images.ranges import PAGE_BYTES
from simulator.wire import Request

LARGEST_WRITE = 4 * 1024 * 1024

_RANGE = re.compile(r"bytes=(\d{1,19})-(\d{1,19})")


class Sources(Protocol):
    """Whatever finds the bytes behind the URL of a source."""

    def read(self, url: str, authorization: str | None, start: int, end: int) -> bytes:
        """Return bytes of the blob at `url`; raises StorageError if it cannot be read."""
        ...


@dataclass(frozen=True)
class PageWrite:
    """Pages `start` up to, and not including, `end`: `data` to write, or None to clear them; `told` are the
    headers by which the service says what it received."""

    start: int
    end: int
    data: bytes | None
    told: dict[str, str]


def asked_write(request: Request, length: int, sources: Sources) -> PageWrite:
    """Return what a request with `comp=page` asks to be written into a blob of `length` bytes.

    Raises StorageError: RequestBodyTooLarge, InvalidPageRange, InvalidHeaderValue, MissingRequiredHeader, the
    mismatch of a checksum, or what `sources` raise.
    """
    is_clear = _asks_to_clear(request)
    if len(request.body) > LARGEST_WRITE:
        raise StorageError("RequestBodyTooLarge", extra={"MaxLimit": str(LARGEST_WRITE)})
    start, end = _pages(request, length)
    if is_clear:
        if request.body:
            raise StorageError("InvalidHeaderValue", name="Content-Length", value=str(len(request.body)))
        return PageWrite(start, end, None, {})
    if end - start > LARGEST_WRITE:
        raise StorageError("InvalidPageRange")
    if "x-ms-copy-source" in request.headers:
        return _from_url(request, start, end, sources)
    if len(request.body) != end - start:
        raise StorageError("InvalidHeaderValue", name="Content-Length", value=str(len(request.body)))
    told = check_body(request.headers, request.body, "content-md5", "x-ms-content-crc64")
    return PageWrite(start, end, request.body, told)


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
    if start % PAGE_BYTES or end % PAGE_BYTES or not start < end <= length:
        raise StorageError("InvalidPageRange")
    return start, end


def _bounds(name: str, value: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(value.strip())
    if not match:
        raise StorageError("InvalidHeaderValue", name=name, value=value)
    return int(match[1]), int(match[2]) + 1


def _from_url(request: Request, start: int, end: int, sources: Sources) -> PageWrite:
    headers = request.headers
    if request.body:
        raise StorageError("InvalidHeaderValue", name="Content-Length", value=str(len(request.body)))
    asked = headers.get("x-ms-source-range")
    if asked is None:
        raise StorageError("MissingRequiredHeader", name="x-ms-source-range")
    source_start, source_end = _bounds("x-ms-source-range", asked)
    if source_end - source_start != end - start:
        raise StorageError("InvalidHeaderValue", name="x-ms-source-range", value=asked)
    authorization = headers.get("x-ms-copy-source-authorization")
    data = sources.read(headers["x-ms-copy-source"], authorization, source_start, source_end)
    told = check_body(headers, data, "x-ms-source-content-md5", "x-ms-source-content-crc64")
    return PageWrite(start, end, data, told)
