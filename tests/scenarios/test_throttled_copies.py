"""Copies that Azure takes too many requests to begin, for hours or for days, and the pause that all make."""

from __future__ import annotations

import json
from datetime import timedelta

from domain.copies import CopyState
from domain.copy_queues import Permit
from gateways.connection import cloud
from tests.world import START

HOUR = timedelta(hours=1)
ORDERS = "/snapshots-north/"
FIRST = b"first"


def copies_of_newest(world):
    """Return the copies of the newest point to the north."""
    return cloud().catalogue.copies.find(world.points_of(world.machines["web"].id)[0], "north")


def events(caplog, name):
    lines = [json.loads(line) for line in caplog.messages if line.startswith("{")]
    return [line for line in lines if line["event"] == name]


def permits(world):
    return cloud().catalogue.permits.table.query(cloud().policies.locations["north"].pool)


def taken_while_throttled(world, times, hours=1):
    """Take a point whose copy is put off so many times, for some hours each; return the id of its VM."""
    vm_id = world.add_vm("web", {"os": FIRST}, tags={"tidemark-policy": "none"})
    world.cloud.faults.fail("PUT", ORDERS, status=429, retry_after=3600 * hours, times=times)
    assert world.ask("POST", "backups", {"vm": vm_id, "policy": "daily"}).status == 202
    return vm_id


def pass_hours(world, hours):
    """Let hours pass in which a copy that is put off for four is asked for, and hardly anything else."""
    for _ in range(hours // 4):
        world.jump(world.clock.now() + 4 * HOUR - timedelta(minutes=20))
        world.pass_time(timedelta(minutes=20))


def test_a_copy_that_is_put_off_for_hours_is_told_as_stalled_and_arrives_when_azure_takes_it(world, caplog):
    taken_while_throttled(world, times=9)
    world.pass_time(5 * HOUR)
    [copy] = copies_of_newest(world)
    assert (copy.state, copy.is_stalled, events(caplog, "copy_stalled")) == (CopyState.WAITING, False, [])

    world.pass_time(3 * HOUR)
    [copy] = copies_of_newest(world)
    assert (copy.state, copy.attempt, copy.is_stalled) == (CopyState.WAITING, 1, True)
    [told] = events(caplog, "copy_stalled")
    assert (told["subject"], told["disk"], told["location"]) == (copy.point, "web-os", "north")
    assert "too many requests" in told["message"]
    [told] = world.ask("GET", f"restore-points/{copy.point}").body["replicas"][1]["disks"]
    assert (told["isStalled"], "too many requests" in told["failure"]) == (True, True)

    world.pass_time(3 * HOUR)
    world.cloud.faults.verify_all_met()
    [copy] = copies_of_newest(world)
    assert (copy.state, copy.attempt, copy.is_stalled) == (CopyState.AVAILABLE, 1, False)
    assert permits(world) == []
    world.assert_books_and_cloud_agree()
    assert world.restore(copy.point, "north").disk("web-os") == FIRST


def test_a_copy_that_is_put_off_for_days_fails_as_a_stall_does_and_the_next_one_goes_on(world, caplog):
    vm_id = taken_while_throttled(world, times=21, hours=4)  # seven orders in each of three attempts
    world.pass_time(timedelta(minutes=4))
    pass_hours(world, 24)
    [copy] = copies_of_newest(world)
    assert (copy.state, copy.attempt, copy.is_stalled) == (CopyState.WAITING, 2, False)
    assert copy.failure.startswith("it could not be begun for 1 day")

    pass_hours(world, 56)
    world.cloud.faults.verify_all_met()
    [copy] = copies_of_newest(world)
    assert (copy.state, copy.attempt, copy.is_settled) == (CopyState.FAILED, 3, True)
    [point] = world.points_of(vm_id)
    assert (point.replicas["west"], point.replicas["north"]) == ("available", "failed")
    assert [told["attempt"] for told in events(caplog, "copy_stalled")] == [1, 2, 3]
    [failed] = events(caplog, "copy_failed")
    assert (failed["subject"], "it could not be begun for 1 day" in failed["message"]) == (point.id, True)
    assert cloud().catalogue.copy_queues.all_open() == []

    world.write("web", "os", b"later")
    newest = world.ask("POST", "backups", {"vm": vm_id, "policy": "daily"}).body["id"]
    world.pass_time(HOUR)
    again = world.operation(newest)["restorePoint"]["id"]
    assert world.restore(again, "north").disk("web-os") == b"later"
    assert permits(world) == []  # the pause went with the first who asked after it
    world.assert_books_and_cloud_agree()


def test_a_pause_whose_time_is_over_stops_nobody(world):
    permits_of, pool = cloud().catalogue.permits, cloud().policies.locations["north"].pool
    permits_of.pause(pool, "too many requests", START)
    assert permits_of.take(pool, Permit("a copy", START + HOUR), START).key == "00"
    assert [row.key for row in permits(world)] == ["00"]

    permits_of.pause(pool, "too many requests", START + HOUR)
    assert permits_of.take(pool, Permit("another", START + HOUR), START) is None
    assert (
        permits_of.take(pool, Permit("a copy", START + HOUR), START).key == "00"
    )  # who has a place keeps it
    permits_of.give_back_after(pool, "a copy", 1)
    assert [row.key for row in permits(world)] == ["pause"]
    assert permits_of.take(pool, Permit("another", START + 2 * HOUR), START + HOUR).key == "00"


def test_a_pause_that_lingers_for_days_does_not_hold_up_the_next_copy(world):
    permits_of, pool = cloud().catalogue.permits, cloud().policies.locations["north"].pool
    permits_of.pause(pool, "too many requests", START + timedelta(minutes=2))
    world.add_vm("web", {"os": FIRST}, tags={"tidemark-policy": "none"})
    world.jump(START + timedelta(days=3))
    vm_id = world.machines["web"].id
    world.ask("POST", "backups", {"vm": vm_id, "policy": "daily"})
    world.pass_time(timedelta(minutes=10))

    [copy] = copies_of_newest(world)
    assert copy.state is CopyState.AVAILABLE
    assert permits(world) == []
    assert world.restore(copy.point, "north").disk("web-os") == FIRST
