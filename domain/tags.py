"""The tags by which every snapshot says what it is, so that the catalogue can be rebuilt from them."""

from __future__ import annotations

from domain.names import point_parts, slot_text

_LONGEST_VALUE = 256  # characters, Azure's limit for a tag's value


def snapshot_tags(point: str, vm_name: str, disk_name: str, policy: str, location: str) -> dict[str, str]:
    """Return the tags of one disk's snapshot, of one restore point, in one location."""
    _, slot, _ = point_parts(point)
    tags = {
        "tidemark-point": point,
        "tidemark-vm": vm_name,
        "tidemark-disk": disk_name,
        "tidemark-slot": slot_text(slot),
        "tidemark-policy": policy,
        "tidemark-location": location,
    }
    return {name: value[:_LONGEST_VALUE] for name, value in tags.items()}
