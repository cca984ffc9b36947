"""The fixed VHD: what a disk is as a page blob, namely its bytes and a footer of 512 bytes.

Azure exports disks and snapshots in this form, and makes disks of nothing else. A footer that is lost or
belongs to another size shows only when somebody imports the blob, so it is looked at before a blob is sealed.

Sources: Virtual Hard Disk Image Format Specification, version 1.0 (Microsoft, October 2006), "Hard Disk
Footer Format"; azure-semantics §4.5.
"""

from __future__ import annotations

FOOTER_BYTES = 512
LARGEST_PAGE_BLOB_BYTES = 8 * 1024**4

_MIB = 1024**2
_COOKIE = b"conectix"
_CURRENT_SIZE = slice(48, 56)
_DISK_TYPE = slice(60, 64)
_CHECKSUM = slice(64, 68)
_FIXED = 2


def blob_bytes(disk_bytes: int) -> int:
    """Return the length of the page blob that holds a disk."""
    return disk_bytes + FOOTER_BYTES


def size_fault(disk_bytes: int) -> str | None:
    """Return why a disk of this size cannot be kept as a page blob, None if it can.

    A disk of 8 TiB is too large by its footer.
    """
    if blob_bytes(disk_bytes) > LARGEST_PAGE_BLOB_BYTES:
        return (
            f"a disk of {disk_bytes} bytes and its footer of {FOOTER_BYTES} do not fit into a page blob of "
            f"{LARGEST_PAGE_BLOB_BYTES} at most; use a location with the copy method snapshot for this disk"
        )
    if disk_bytes < _MIB or disk_bytes % _MIB:
        return f"a disk of {disk_bytes} bytes cannot be imported: Azure takes whole MiB, at least one"
    return None


def footer_fault(footer: bytes, disk_bytes: int) -> str | None:
    """Return what is wrong with the last 512 bytes of the blob of a disk of this size, None if nothing."""
    if len(footer) != FOOTER_BYTES:
        return f"the footer has {len(footer)} bytes, where a VHD ends with {FOOTER_BYTES}"
    if not footer.startswith(_COOKIE):
        return f"the footer begins with {footer[: len(_COOKIE)]!r}, where a VHD has the cookie {_COOKIE!r}"
    told, found = _number(footer[_CHECKSUM]), _checksum(footer)
    if told != found:
        return f"the footer has the checksum {told:#010x}, where its bytes give {found:#010x}"
    kind = _number(footer[_DISK_TYPE])
    if kind != _FIXED:
        return f"the footer is that of a VHD of type {kind}, where Azure has fixed ones alone: type {_FIXED}"
    size = _number(footer[_CURRENT_SIZE])
    if size != disk_bytes:
        return f"the footer is that of a disk of {size} bytes, where this one has {disk_bytes}"
    return None


def _checksum(footer: bytes) -> int:
    """The complement of the sum of all bytes but the checksum's own."""
    return ~(sum(footer) - sum(footer[_CHECKSUM])) & 0xFFFFFFFF


def _number(field: bytes) -> int:
    return int.from_bytes(field, "big")
