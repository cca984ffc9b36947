"""Which disks can be kept as page blobs: a disk is exported as a fixed VHD, and not every one fits in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.vhd import size_fault

_SECTOR_BYTES = 512


def export_fault(size_bytes: int, traits: Mapping[str, Any]) -> str | None:
    """Say why a disk of this size and these traits cannot be kept as a page blob; None where it can.

    Sources: azure-semantics.md §4.5; what a page blob holds is a scalability target of Azure Storage.
    """
    sector_bytes = (traits.get("creationData") or {}).get("logicalSectorSize", _SECTOR_BYTES)
    if sector_bytes != _SECTOR_BYTES:
        return f"it has sectors of {sector_bytes} bytes, and a VHD has sectors of {_SECTOR_BYTES}"
    security = (traits.get("securityProfile") or {}).get("securityType")
    if security:
        return f"it is secured by {security.partition('_')[0]}, and a VHD lacks the state of its virtual TPM"
    return size_fault(size_bytes)
