"""A partition table for an OS disk: GPT with one partition, as a disk of a generation 2 VM has.

Source: UEFI Specification 2.10, chapter 5 "GUID Partition Table (GPT) Disk Layout".
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

SECTOR_BYTES = 512
FIRST_PARTITION_AT = 1024 * 1024  # the usual alignment

_LINUX_DATA = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
_ENTRIES = 128
_ENTRY = struct.Struct("<16s16sQQQ72s")
_TABLE_SECTORS = _ENTRIES * _ENTRY.size // SECTOR_BYTES
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_PROTECTIVE_ENTRY = struct.Struct("<B3sB3sII")


@dataclass(frozen=True)
class Partition:
    """Where a partition lies on its disk, in bytes."""

    offset: int
    length: int


def write_partition_table(path: Path, identity: uuid.UUID) -> Partition:
    """Give a disk image, whose size is a whole number of MiB, one partition over all of it."""
    with open(path, "r+b") as disk:
        sectors = disk.seek(0, 2) // SECTOR_BYTES
        first = FIRST_PARTITION_AT // SECTOR_BYTES
        last = sectors - first - 1  # leaves the last MiB to the second table
        entry = _ENTRY.pack(
            _LINUX_DATA.bytes_le,
            uuid.uuid5(identity, "first partition").bytes_le,
            first,
            last,
            0,
            "root".encode("utf-16-le"),
        )
        table = entry.ljust(_ENTRIES * _ENTRY.size, b"\0")
        backup_at = sectors - 1 - _TABLE_SECTORS
        _write_at(disk, 0, _protective_record(sectors))
        _write_at(disk, 1, _header(1, sectors - 1, 2, sectors, table, identity))
        _write_at(disk, 2, table)
        _write_at(disk, backup_at, table)
        _write_at(disk, sectors - 1, _header(sectors - 1, 1, backup_at, sectors, table, identity))
    return Partition(first * SECTOR_BYTES, (last - first + 1) * SECTOR_BYTES)


def first_partition(path: Path) -> Partition:
    """Read where a disk's first partition lies; raises ValueError if its table is missing or damaged."""
    with open(path, "rb") as disk:
        header = _read_at(disk, 1, SECTOR_BYTES)
        table = _read_at(disk, 2, _ENTRIES * _ENTRY.size)
    fields = _HEADER.unpack_from(header)
    unsigned = header[:16] + bytes(4) + header[20 : _HEADER.size]
    if fields[0] != b"EFI PART" or fields[3] != crc32(unsigned) or fields[13] != crc32(table):
        raise ValueError(
            f"{path.name} has no intact GUID partition table; was it made as a partitioned disk?"
        )
    kind, _, first, last, _, _ = _ENTRY.unpack_from(table)
    if kind != _LINUX_DATA.bytes_le:
        raise ValueError(
            f"The first partition of {path.name} is of type {uuid.UUID(bytes_le=kind)}, not Linux"
        )
    return Partition(first * SECTOR_BYTES, (last - first + 1) * SECTOR_BYTES)


def _header(own: int, other: int, table_at: int, sectors: int, table: bytes, identity: uuid.UUID) -> bytes:
    usable = 2 + _TABLE_SECTORS, sectors - 2 - _TABLE_SECTORS

    def packed(checksum: int) -> bytes:
        return _HEADER.pack(
            b"EFI PART",
            0x00010000,
            _HEADER.size,
            checksum,
            0,
            own,
            other,
            *usable,
            identity.bytes_le,
            table_at,
            _ENTRIES,
            _ENTRY.size,
            crc32(table),
        )

    return packed(crc32(packed(0))).ljust(SECTOR_BYTES, b"\0")


def _protective_record(sectors: int) -> bytes:
    """Return the MBR that tells old programs that the whole disk is in use."""
    entry = _PROTECTIVE_ENTRY.pack(0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1, min(sectors - 1, 0xFFFFFFFF))
    return (bytes(446) + entry).ljust(510, b"\0") + b"\x55\xaa"


def _write_at(disk: BinaryIO, sector: int, data: bytes) -> None:
    disk.seek(sector * SECTOR_BYTES)
    disk.write(data)


def _read_at(disk: BinaryIO, sector: int, length: int) -> bytes:
    disk.seek(sector * SECTOR_BYTES)
    return disk.read(length).ljust(length, b"\0")
