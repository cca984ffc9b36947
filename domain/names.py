"""Names, ids and keys. All are derived, so that doing a thing twice names the same thing twice.

The readable part of a name serves people; the hash at its end makes it unique, whatever was cut off.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

LONGEST_SNAPSHOT_NAME = 80  # letters, digits, '-' and '_'; unique in a resource group across regions
_LAST_SECOND = 9_999_999_999  # inverted times count down from here, so that the newest row sorts first
_MOST_ATTEMPTS = 99
# Instance ids of orchestrations hold 100 characters: a key, a slot or a location, and what they begin with.
_LONGEST_READABLE = 40
_SLOT = "%Y%m%dT%H%MZ"
_VM_KEY = re.compile(r"[a-z0-9._-]{1,40}-[0-9a-f]{12}")
_POINT = re.compile(
    r"(?P<vm>[a-z0-9._-]+-[0-9a-f]{12})~(?P<slot>\d{8}T\d{4}Z)~(?P<attempt>[1-9]\d?)", re.ASCII
)


def short_hash(*parts: str, length: int = 12) -> str:
    """Return the first hexadecimal digits of a hash over all parts, in order."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:length]


def vm_key(vm_id: str) -> str:
    """Return the key of a VM: its readable name and a hash of its ARM id.

    ARM ids contain '/', which table keys forbid, and change their case between responses.
    """
    identity = vm_id.lower()
    return f"{_readable(identity.rsplit('/', 1)[-1])}-{short_hash(identity)}"


def checked_vm_key(key: str) -> str:
    """Return a VM's key as it is; raises ValueError if it cannot be one."""
    if not _VM_KEY.fullmatch(key):
        raise ValueError(f"{key!r} is not the key of a VM; one looks like web-0123456789ab")
    return key


def disk_key(disk_name: str, unique_id: str) -> str:
    """Return the key of a disk; one made again under the same name has another unique id, so another key."""
    return f"{_readable(disk_name.lower())}-{short_hash(unique_id.lower())}"


def slot_of(moment: datetime) -> datetime:
    """Return the slot that a moment falls into: its minute, UTC."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def slot_text(slot: datetime) -> str:
    """Write a slot as it stands in ids and tags: 20261122T1600Z."""
    return slot.astimezone(UTC).strftime(_SLOT)


def point_id(vm: str, slot: datetime, attempt: int) -> str:
    """Return the id of a restore point, from the VM's key, the slot and the attempt (1 to 99)."""
    if not 1 <= attempt <= _MOST_ATTEMPTS:
        raise ValueError(f"attempt {attempt} of {vm} is outside 1 to {_MOST_ATTEMPTS}")
    return f"{vm}~{slot_text(slot)}~{attempt}"


def point_parts(point: str) -> tuple[str, datetime, int]:
    """Take a restore point's id apart into VM key, slot and attempt; raises ValueError if it is malformed."""
    match = _POINT.fullmatch(point)
    if match is None:
        raise ValueError(
            f"{point!r} is not a restore point id; one looks like web-0123456789ab~20261122T1600Z~1"
        )
    try:
        slot = datetime.strptime(match["slot"], _SLOT).replace(tzinfo=UTC)
    except ValueError as wrong:
        raise ValueError(f"{point!r} is not a restore point id: {match['slot']} is no moment") from wrong
    return match["vm"], slot, int(match["attempt"])


def point_row_key(slot: datetime, attempt: int) -> str:
    """Return the row key of a restore point: the newest slot, and in it the newest attempt, sorts first."""
    return f"{_LAST_SECOND - int(slot.timestamp()):010d}-{_MOST_ATTEMPTS - attempt:02d}"


def snapshot_name(point: str, disk_name: str, unique_id: str, location: str, copy_attempt: int = 1) -> str:
    """Return the name of one disk's snapshot of one restore point in one location.

    No name is ever used twice: a failed slot is tried again under a new attempt in the point's id, a failed
    copy under a new `copy_attempt`.
    """
    vm, slot, attempt = point_parts(point)
    identity = short_hash(point, unique_id.lower(), location, str(copy_attempt))
    tail = f"-{slot_text(slot)}-{attempt}-{identity}"
    return _resource_name(f"{vm.rsplit('-', 1)[0]}-{disk_name}", tail)


def snapshot_id(group_id: str, name: str) -> str:
    """Return the ARM id of a snapshot in a resource group."""
    return f"{group_id}/providers/Microsoft.Compute/snapshots/{name}"


def restored_disk_name(operation: str, disk_name: str, unique_id: str) -> str:
    """Return the name of the disk that one restore makes of one protected disk.

    The name alone does not tell the disks of a VM apart: those of two resource groups may share one.
    """
    return _resource_name(disk_name, f"-{short_hash(operation, unique_id.lower(), length=8)}")


def restored_interface_name(operation: str, vm_name: str) -> str:
    """Return the name of the network interface that one restore makes for its VM."""
    return _resource_name(vm_name, f"-{short_hash(operation, vm_name.lower(), length=8)}")


def copy_partition(disk: str, location: str) -> str:
    """Return the partition of the copies of one disk to one location."""
    return f"{disk}~{location}"


def page_blob_name(disk: str, point: str, copy_attempt: int) -> str:
    """Return the name of the page blob that a whole copy of a disk begins; differences go into it later."""
    _, slot, _ = point_parts(point)
    return f"{disk}/{slot_text(slot)}-{short_hash(disk, point, str(copy_attempt))}.vhd"


def import_blob_name(operation: str, disk: str) -> str:
    """Return the name of the page blob that a restore imports a disk from, beside those of the replicas."""
    return f"restores/{operation}/{disk}.vhd"


def copy_row_key(created: datetime, point: str) -> str:
    """Return the row key of a copy: copies of one disk sort in the order in which Azure wants them."""
    return f"{created.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}~{point}"


def operation_id(now: datetime, *identity: str) -> str:
    """Return the id of an operation: its day, which is its partition, and a hash of what it is."""
    return f"{now.astimezone(UTC):%Y%m%d}-{short_hash(*identity, length=20)}"


def operation_day(operation: str) -> str:
    """Return the day of an operation's id; raises ValueError if the id is malformed."""
    if not re.fullmatch(r"[0-9]{8}-[0-9a-f]{20}", operation):
        raise ValueError(
            f"{operation!r} is not an operation id; one looks like 20261122-0123456789abcdef0123"
        )
    return operation[:8]


def _readable(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]", "-", text)[:_LONGEST_READABLE]


def _resource_name(readable: str, tail: str) -> str:
    """Return a name that Azure accepts for a disk or a snapshot; it must begin with a letter or a digit."""
    legal = re.sub(r"[^A-Za-z0-9_-]", "-", readable)
    return (legal[: LONGEST_SNAPSHOT_NAME - len(tail)] + tail).lstrip("-_")
