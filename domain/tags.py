"""The tags by which all that Tidemark makes says what it is; the catalogue can be rebuilt from them."""

from __future__ import annotations

from collections.abc import Mapping

from domain.names import point_parts, slot_text

_LONGEST_VALUE = 256  # characters, Azure's limit for a tag's value
_OWN = "tidemark-"
_MOST_CARRIED = 48  # Azure takes 50 tags of a resource, and two of them are ours

OPERATION_TAG = "tidemark-operation"
# Metadata of blobs have no hyphens in their names.
POINT_METADATA = "tidemark_point"  # of a blob snapshot: the restore point that it is a replica of
DISK_METADATA = "tidemark_disk"  # of a page blob: the key of the disk that it holds
OPERATION_METADATA = "tidemark_operation"  # of a page blob: the restore that imports a disk from it


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


def restored_tags(tags: Mapping[str, str], point: str, operation: str) -> dict[str, str]:
    """Return the tags of something brought back: those that it had, and what brought it back.

    Tidemark's own are not among them: a VM with the policy's tag would be backed up from its first minute on,
    beside the one that it stands for.
    """
    carried = {name: tags[name] for name in sorted(tags) if name not in tags_left_behind(tags)}
    return {**carried, "tidemark-point": point, OPERATION_TAG: operation}


def tags_left_behind(tags: Mapping[str, str]) -> list[str]:
    """Return the names of the tags that something brought back does not get: Tidemark's own, and too many."""
    foreign = sorted(name for name in tags if not name.lower().startswith(_OWN))
    own = sorted(set(tags) - set(foreign))
    return own + foreign[_MOST_CARRIED:]
