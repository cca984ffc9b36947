"""Get Page Ranges: which ranges of a blob hold bytes, or differ from an older one's, page by page.

Sources: "Get Page Ranges" (Azure Storage REST), azure-semantics.md §4.2; the form of XML and marker from
recorded traffic of Azure's storage (the marker is `2!16!` and, in base 64, `000004!2048!`: the offset to go
on from, with its length before it).

Own choices, where the documentation is silent:
- An answer holds at most 10,000 ranges also when `maxresults` is omitted, and then has a NextMarker. Service
  versions before 2020-10-02, which know no marker, get all ranges at once and are refused a marker.
- Ranges are cut to the window asked for, widened to whole pages.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from simulator.data_plane.errors import StorageError
from simulator.data_plane.ranges import asked_range
from simulator.images.ranges import PAGE_BYTES, PageRange
from simulator.wire import Request

PAGE_LIMIT = 10_000
RangesWithin = Callable[[int, int], Iterator[PageRange]]

_PAGING_SINCE = "2020-10-02"
_MARKER = re.compile(r"2!(\d+)!([A-Za-z0-9+/=]+)")
_POSITION = re.compile(rb"(\d{6})!(\d+)!")


def page_list(request: Request, version: str, length: int, ranges_within: RangesWithin) -> bytes:
    """Return the XML document that answers a request with `comp=pagelist` about a blob of `length` bytes;
    raises StorageError. `ranges_within` gives the ranges of a window."""
    start, end = _window(request, length)
    limit = _limit(request, version)
    ranges = ranges_within(max(start, _position(request, version)), end)
    if limit is None:
        return _document(ranges, None)
    shown = list(islice(ranges, limit))
    following = next(ranges, None)
    marker = _marker(following.start) if following else ""
    is_paged = bool(following) or "maxresults" in request.query or "marker" in request.query
    return _document(shown, marker if is_paged else None)


def _window(request: Request, length: int) -> tuple[int, int]:
    start, end = asked_range(request.headers, length) or (0, length)
    return start // PAGE_BYTES * PAGE_BYTES, -(-end // PAGE_BYTES) * PAGE_BYTES


def _limit(request: Request, version: str) -> int | None:
    """Return how many ranges the answer may hold; None if the version knows no paging."""
    value = request.query.get("maxresults")
    if version < _PAGING_SINCE:
        if value is not None:
            raise StorageError("UnsupportedQueryParameter", name="maxresults", value=value)
        return None
    if value is None:
        return PAGE_LIMIT
    if not re.fullmatch(r"[+-]?\d{1,10}", value):
        raise StorageError("InvalidQueryParameterValue", name="maxresults", value=value)
    if int(value) <= 0:
        raise StorageError("OutOfRangeQueryParameterValue", name="maxresults", value=value)
    return min(int(value), PAGE_LIMIT)


def _position(request: Request, version: str) -> int:
    """Return the offset that the request's marker goes on from."""
    value = request.query.get("marker", "")
    if not value:
        return 0
    if version < _PAGING_SINCE:
        raise StorageError("UnsupportedQueryParameter", name="marker", value=value)
    match = _MARKER.fullmatch(value)
    try:
        position = _POSITION.fullmatch(base64.b64decode(match[2], validate=True)) if match else None
    except binascii.Error:
        position = None
    if position is None:
        raise StorageError("InvalidQueryParameterValue", name="marker", value=value)
    return int(position[2])


def _marker(offset: int) -> str:
    position = str(offset)
    encoded = base64.b64encode(f"{len(position):06d}!{position}!".encode()).decode()
    return f"2!{len(encoded)}!{encoded}"


def _document(ranges: Iterable[PageRange], marker: str | None) -> bytes:
    elements = [
        f"<ClearRange><Start>{start}</Start><End>{end - 1}</End></ClearRange>"
        if is_clear
        else f"<PageRange><Start>{start}</Start><End>{end - 1}</End></PageRange>"
        for start, end, is_clear in ranges
    ]
    if marker is not None:
        elements.append(f"<NextMarker>{marker}</NextMarker>" if marker else "<NextMarker/>")
    inner = f"<PageList>{''.join(elements)}</PageList>" if elements else "<PageList />"
    return f'\ufeff<?xml version="1.0" encoding="utf-8"?>\n{inner}'.encode()
