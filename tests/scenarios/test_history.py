"""Histories of orchestrations are forgotten after a month; what happened stays in the catalogue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from domain.copies import CopyState
from domain.copy_queues import CopyQueue, CopyWork
from durable import to_wire
from gateways.connection import cloud
from tests.world import START

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def test_histories_of_what_is_over_go_after_a_month_and_nothing_else_does(world):
    vm_id = world.add_vm("web", {"os": b"system"}, tags={"tidemark-policy": "daily"})
    world.pass_time(HOUR)
    [point] = world.points_of(vm_id)
    [copy] = cloud().catalogue.copies.find(point, "north")
    waiting = replace(copy, state=CopyState.WAITING, not_before=START + 90 * DAY)
    cloud().catalogue.copies.alter(copy, lambda known: waiting)
    queue = CopyQueue(copy.disk, cloud().policies.locations["north"])
    world.host.start_orchestration("replicate_disk", to_wire(CopyWork(queue)), "copy:at work")
    world.pass_time(HOUR)
    over = {each["instanceId"] for each in world.host.statuses()} - {"copy:at work"}

    for days in (20, 31):
        world.jump((START + days * DAY).replace(hour=2))
        world.pass_time(2 * HOUR)

    left = {each["instanceId"] for each in world.host.statuses()}
    assert not [name for name in left & over if name.startswith("backup:")]
    assert "copy:at work" in left
    assert [name for name in left if name.startswith("backup:")]
    assert point.id in {each.id for each in world.points_of(vm_id)}
