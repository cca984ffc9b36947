"""The checksums of bodies: MD5 and CRC64, which the service computes of what it received and sends back.

Azure's CRC64 is CRC-64/NVME; on the wire it is base64 of its eight bytes, the lowest first (so
azure-storage-blob writes it). "Put Page" and "Put Page From URL" (Azure Storage REST): at most one of the two
may be sent along, and what does not match is refused before anything is written.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable

from awscrt.checksums import crc64nvme

from simulator.data_plane.errors import StorageError
from simulator.wire import Headers


def crc64_of(blocks: Iterable[bytes]) -> str:
    """Return the CRC64 of some bytes as the service writes it."""
    value = 0
    for block in blocks:
        value = crc64nvme(block, value)
    return base64.b64encode(value.to_bytes(8, "little")).decode()


def md5_of(blocks: Iterable[bytes]) -> str:
    """Return the MD5 of some bytes as the service writes it."""
    digest = hashlib.md5(usedforsecurity=False)
    for block in blocks:
        digest.update(block)
    return base64.b64encode(digest.digest()).decode()


def check_body(headers: Headers, data: bytes, md5_name: str, crc64_name: str) -> dict[str, str]:
    """Compare a body with the checksums that came along; return the headers that tell what was received.

    Raises StorageError: Md5Mismatch, Crc64Mismatch, InvalidMd5 or InvalidHeaderValue. The answer has the MD5
    if that was sent, else the CRC64.
    """
    md5, crc64 = headers.get(md5_name), headers.get(crc64_name)
    if md5 is not None and crc64 is not None:
        raise StorageError("InvalidHeaderValue", name=crc64_name, value=crc64)
    if md5 is not None:
        _check_form(md5, 16, StorageError("InvalidMd5"))
        computed = md5_of([data])
        if computed != md5:
            raise StorageError(
                "Md5Mismatch", extra={"UserSpecifiedMd5": md5, "ServerCalculatedMd5": computed}
            )
        return {"content-md5": computed}
    computed = crc64_of([data])
    if crc64 is not None:
        _check_form(crc64, 8, StorageError("InvalidHeaderValue", name=crc64_name, value=crc64))
        if computed != crc64:
            raise StorageError(
                "Crc64Mismatch", extra={"UserSpecifiedCrc64": crc64, "ServerCalculatedCrc64": computed}
            )
    return {"x-ms-content-crc64": computed}


def _check_form(value: str, length: int, refusal: StorageError) -> None:
    try:
        decoded = base64.b64decode(value, validate=True)
    except binascii.Error:
        raise refusal from None
    if len(decoded) != length:
        raise refusal
