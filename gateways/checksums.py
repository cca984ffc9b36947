"""CRC-64 as the storage service computes it over what is written: CRC-64/NVME, little-endian, in base64.

Two natively compiled libraries of different vendors and the service's own extension of the SDK agree on it
(0xae8b14860a799888 for `123456789`), and on the order of its bytes (azure-storage-blob, `validation.py`).
A checksum of a whole follows from those of its parts, so a window's is made of those of single writes.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from functools import cache
from typing import Any

HEADER = "x-ms-content-crc64"


def crc64(data: bytes | memoryview) -> int:
    """Return the checksum of some bytes."""
    return _native().crc64nvme(data)


@dataclass(frozen=True)
class Checksum:
    """The checksum of `length` bytes; that of none is 0."""

    value: int = 0
    length: int = 0

    def followed_by(self, value: int, length: int) -> Checksum:
        """Return the checksum of these bytes and `length` more that have the checksum `value`."""
        if not self.length:
            return Checksum(value, length)
        return Checksum(_native().combine_crc64nvme(self.value, value, length), self.length + length)


def written(value: int) -> str:
    """Return a checksum as the service's headers have it."""
    return base64.b64encode(value.to_bytes(8, "little")).decode()


def read(text: str | None) -> int | None:
    """Return the checksum that a header holds; None if it holds none."""
    try:
        found = base64.b64decode(text or "", validate=True)
    except binascii.Error:
        return None
    return int.from_bytes(found, "little") if len(found) == 8 else None


@cache
def _native() -> Any:
    from awscrt import checksums  # not at import: 80 ms, and function apps start cold

    return checksums
