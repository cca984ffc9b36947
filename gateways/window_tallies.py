"""Adding what was transferred to the record of its window, write by write and batch after batch."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from domain.window_records import WindowRecord
from gateways.checksums import Checksum
from gateways.page_transfers import Done, How


def begun(start: int, end: int) -> WindowRecord:
    """Return the record of a window into which nothing was written yet."""
    return WindowRecord(start, end, 0, 0, 0, None, None)


def extended(record: WindowRecord, done: Done) -> WindowRecord:
    """Return the record with what was done next in its window.

    A record is all that it takes to go on: CRC-64 is combined, and SHA-256 is over the digest so far (32
    zeros at first) and that of the next piece, so that pieces can be hashed side by side. Either is None as
    soon as one piece has none.
    """
    requests = record.requests + (done.how is not How.ZEROS)
    length = done.end - done.start
    if done.how is How.CLEARED:
        return replace(record, cleared_bytes=record.cleared_bytes + length, requests=requests)
    return replace(
        record,
        written_bytes=record.written_bytes + length,
        requests=requests,
        crc64=_crc64(record, done, length),
        sha256=_sha256(record, done),
    )


def _crc64(record: WindowRecord, done: Done, length: int) -> str | None:
    if done.crc64 is None or (record.written_bytes and record.crc64 is None):
        return None
    before = Checksum(int(record.crc64 or "0", 16), record.written_bytes)
    return f"{before.followed_by(done.crc64, length).value:016x}"


def _sha256(record: WindowRecord, done: Done) -> str | None:
    if done.sha256 is None or (record.written_bytes and record.sha256 is None):
        return None
    before = bytes.fromhex(record.sha256) if record.sha256 else bytes(32)
    return hashlib.sha256(before + done.sha256).hexdigest()
