"""The byte ranges that clients ask for: `Range` and `x-ms-range`, which has precedence.

Source: "Specifying the range header for Blob service operations" (Azure Storage REST). Own choice: a form
that is not described there (several ranges, a suffix such as `bytes=-512`, another unit) is refused with 400
InvalidHeaderValue instead of being ignored. A range that is refused tells the length (recorded traffic).
"""

from __future__ import annotations

import re

from simulator.data_plane.errors import StorageError
from simulator.wire import Headers

_RANGE = re.compile(r"bytes=(\d{1,19})-(\d{1,19})?")


def asked_range(headers: Headers, length: int) -> tuple[int, int] | None:
    """Return the (start, end) asked for, half-open and cut to the blob's length, or None if all of it is.

    Raises StorageError: InvalidRange if it begins behind the end, or ends before it begins.
    """
    name = "x-ms-range" if "x-ms-range" in headers else "range"
    value = headers.get(name)
    if value is None:
        return None
    match = _RANGE.fullmatch(value.strip())
    if not match:
        raise StorageError("InvalidHeaderValue", name=name, value=value)
    start = int(match[1])
    last = int(match[2]) if match[2] else length - 1
    if start >= length or last < start:
        raise StorageError("InvalidRange", headers={"content-range": f"bytes */{length}"})
    return start, min(last + 1, length)
