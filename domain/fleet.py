"""What is due: which VM should get which restore point now."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.names import point_parts, slot_of
from domain.policy import Policy
from domain.protection import ProtectedVm
from domain.requests import BackupRequest
from domain.restore_points import PointState

MOST_ATTEMPTS = 3
BETWEEN_ATTEMPTS = timedelta(minutes=15)


def due_backup(vm: ProtectedVm, policy: Policy, now: datetime) -> BackupRequest | None:
    """Return the backup that a VM is due for, or None.

    A VM that was never backed up is due at once. While a point is being taken, a due slot waits. Of several
    missed slots the newest is taken. A failed slot is tried again, three times in all, while it is newest.
    """
    if vm.newest_point is None or vm.newest_decided is None:
        return None if vm.newest_point else BackupRequest(vm.id, slot_of(now), 1, policy)
    _, newest_slot, attempt = point_parts(vm.newest_point)
    slot = policy.schedule.newest_due(after=newest_slot, now=now)
    if slot is not None:
        return BackupRequest(vm.id, slot, 1, policy)
    may_retry = vm.newest_state is PointState.FAILED and attempt < MOST_ATTEMPTS
    if may_retry and now >= vm.newest_decided + BETWEEN_ATTEMPTS:
        return BackupRequest(vm.id, newest_slot, attempt + 1, policy)
    return None
