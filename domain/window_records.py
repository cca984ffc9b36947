"""Window records: what was copied into one window of a replica, and the chain that vouches for all of them.

The manifest of a replica has the last link alone. Whoever holds the records can make it again; a record that
was changed, left out, added or moved gives another one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

_CRC64 = re.compile(r"[0-9a-f]{16}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class WindowRecord:
    """What was copied into the window `[start, end)`: bytes, requests, and the digests of what was written.

    `crc64` is over all written bytes of the window in the order of their addresses, combined from what the
    service told of each write: 16 hexadecimal digits, CRC-64/NVME as Azure has it (perf-facts); None where
    nothing was written. `sha256` is over the digests of the pieces of those bytes, in the same order: 64
    digits, None where they did not pass through Tidemark.
    Raises ValueError if a digest is spelled otherwise, for one digest must give one link.
    """

    start: int
    end: int
    written_bytes: int
    cleared_bytes: int
    requests: int
    crc64: str | None
    sha256: str | None

    def __post_init__(self) -> None:
        for name, value, form in (("CRC64", self.crc64, _CRC64), ("SHA-256", self.sha256, _SHA256)):
            if value is not None and not form.fullmatch(value):
                raise ValueError(
                    f"{value!r} is no {name} of the window {self.start} to {self.end}; it is written as "
                    f"lower-case hexadecimal digits: {form.pattern}"
                )


def chained(previous: str, record: WindowRecord) -> str:
    """Return the link of a record: 64 hexadecimal digits, SHA-256 over the previous link and the record.

    `previous` of the first record is the name of what is copied, so that the chain of one replica does not
    vouch for another. The number of requests is not in it: who copies a window a second time may need
    more of them or fewer for the same bytes, and gets the same link.
    """
    told = [
        previous,
        record.start,
        record.end,
        record.written_bytes,
        record.cleared_bytes,
        record.crc64,
        record.sha256,
    ]
    return hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()


def last_link(name: str, records: Iterable[WindowRecord]) -> str:
    """Return the link that vouches for all windows of what is copied, in order; `name` if there are none.

    Raises ValueError where a window begins before the end of the one before it.
    """
    link, end = name, 0
    for record in records:
        if not end <= record.start < record.end:
            raise ValueError(
                f"the window {record.start} to {record.end} of {name} comes after one that ends at {end}; "
                "the records must be ascending and each window there once"
            )
        link, end = chained(link, record), record.end
    return link
