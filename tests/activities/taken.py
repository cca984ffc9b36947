"""A restore point that is taken step by step, where nothing begins by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from activities.restore_points import (
    PointRecord,
    SnapshotRequest,
    VmQuery,
    begin_restore_point,
    begin_snapshot,
    describe_vm,
    look_at_snapshot,
    record_restore_point,
)
from domain.restore_points import RestorePoint
from gateways.connection import cloud
from tests.world import START, World


def take_a_point(
    world: World, policy_name: str = "daily", slot: datetime = START, **disks: bytes
) -> RestorePoint:
    """Take a point of a VM, which is new at the first one, with the disk `os`, and others; its copies are not
    queued."""
    known = world.machines.get("web")
    vm = describe_vm(VmQuery(known.id if known else world.add_vm("web", {"os": b"system"} | disks)))
    policy = cloud().policies.policies[policy_name]
    point = begin_restore_point(RestorePoint.begin(vm, policy, slot, 1, slot, None))
    for part in point.disks:
        begin_snapshot(SnapshotRequest(point.id, point.policy, vm.name, policy.home, part))
    world.clock.advance(timedelta(seconds=10))
    decided = point.decided_by([look_at_snapshot(part) for part in point.disks], world.clock.now())
    return record_restore_point(PointRecord(decided, policy.home))
