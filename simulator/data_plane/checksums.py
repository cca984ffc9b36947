"""The checksums of bodies: MD5 and CRC64, which the service computes of what it received and sends back.

Azure's CRC64 is CRC-64/NVME; on the wire it is base64 of its eight bytes, the lowest first (so
azure-storage-blob writes it). "Put Page" and "Put Page From URL" (Azure Storage REST): at most one of the two
may be sent along, and what does not match is refused before anything is written. Before version 2019-02-02
there is no CRC64, and the MD5 is always told (recorded traffic of 2018-11-09).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable

from awscrt.checksums import crc64nvme

from simulator.data_plane.errors import StorageError
from simulator.wire import Headers, Response

LARGEST_HASHED = 4 * 1024 * 1024

_CRC64_SINCE = "2019-02-02"


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


_RANGE_HASHES: dict[str, tuple[str, Callable[[Iterable[bytes]], str]]] = {
    "x-ms-range-get-content-md5": ("content-md5", md5_of),
    "x-ms-range-get-content-crc64": ("x-ms-content-crc64", crc64_of),
}


def check_body(headers: Headers, data: bytes, names: tuple[str, str], version: str) -> dict[str, str]:
    """Compare a body with the checksums that came along, under the `names` of MD5 and CRC64; return the
    headers that tell what was received.

    Raises StorageError: Md5Mismatch, Crc64Mismatch, InvalidMd5, InvalidHeaderValue or
    BothCrc64AndMd5HeaderPresent. The answer has the MD5 if that was sent, else the CRC64.
    """
    has_crc64 = version >= _CRC64_SINCE
    md5, crc64 = headers.get(names[0]), headers.get(names[1]) if has_crc64 else None
    if md5 is not None and crc64 is not None:
        raise StorageError("BothCrc64AndMd5HeaderPresent")
    if md5 is not None or not has_crc64:
        return {"content-md5": _checked_md5(md5, md5_of([data]))}
    computed = crc64_of([data])
    if crc64 is not None:
        _check_form(crc64, 8, StorageError("InvalidHeaderValue", name=names[1], value=crc64))
        if computed != crc64:
            raise StorageError(
                "Crc64Mismatch", extra={"UserSpecifiedCrc64": crc64, "ServerCalculatedCrc64": computed}
            )
    return {"x-ms-content-crc64": computed}


def range_hash(headers: Headers, response: Response, is_range: bool) -> dict[str, str]:
    """Return the header by which Get Blob tells a checksum of the range that it sends, if a request asks for
    one; raises StorageError 400 for both at once, without a range, and for more than 4 MiB ("Get Blob")."""
    asked = [name for name in _RANGE_HASHES if headers.get(name, "").lower() == "true"]
    if not asked:
        return {}
    if len(asked) > 1 or not is_range or response.length > LARGEST_HASHED:
        raise StorageError("InvalidHeaderValue", name=asked[-1], value="true")
    told, compute = _RANGE_HASHES[asked[0]]
    return {told: compute(response.chunks())}


def _checked_md5(sent: str | None, computed: str) -> str:
    if sent is not None:
        _check_form(sent, 16, StorageError("InvalidMd5"))
        if computed != sent:
            told = {"UserSpecifiedMd5": sent, "ServerCalculatedMd5": computed}
            raise StorageError("Md5Mismatch", extra=told)
    return computed


def _check_form(value: str, length: int, refusal: StorageError) -> None:
    try:
        decoded = base64.b64decode(value, validate=True)
    except binascii.Error:
        raise refusal from None
    if len(decoded) != length:
        raise refusal
