"""GET restore-points/{id}: how far each replica is, as its copies have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from domain.copies import Copy, CopyState
from domain.page_copies import PageProgress
from domain.restore_points import ReplicaState, RestorePoint
from domain.snapshots import Snapshot
from tests.triggers.harness import START, Api

SLOT = START.replace(hour=2, minute=0, second=0)


def add_point(api: Api, vm: str, hours: int = 0, state: str = "available") -> RestorePoint:
    """Add a restore point whose replica in the north waits, and so does each of its copies."""
    return api.add_point(
        vm, SLOT + timedelta(hours=hours), state=state, north=ReplicaState.WAITING, copies=CopyState.WAITING
    )


def change(api: Api, point: RestorePoint, change: Callable[[Copy], Copy], disks: int = 2) -> None:
    """Change the copies of the first disks of a point."""
    for copy in api.connected.catalogue.copies.find(point, "north")[:disks]:
        api.connected.catalogue.copies.alter(copy, change)


def available(copy: Copy) -> Copy:
    return copying(copy, 100.0, CopyState.AVAILABLE)


def copying(copy: Copy, percent: float = 12.5, state: CopyState = CopyState.COPYING) -> Copy:
    return replace(copy, state=state, percent=percent)


def north(api: Api, point: RestorePoint) -> Any:
    """Return what the API tells of a point's replica in the north."""
    told = api.ask("GET", f"restore-points/{point.id}").body["replicas"]
    return next(replica for replica in told if replica["location"] == "north")


def test_a_replica_waits_until_the_first_of_its_copies_begins(api):
    point = add_point(api, api.add_vm())
    assert (north(api, point)["state"], [disk["percent"] for disk in north(api, point)["disks"]]) == (
        "waiting",
        [0.0, 0.0],
    )


def test_a_replica_is_copying_as_soon_as_one_of_its_copies_is_whatever_the_point_recorded(api):
    point = add_point(api, api.add_vm())
    change(api, point, copying, disks=1)
    told = north(api, point)
    assert told["state"] == "copying"
    assert [(disk["state"], disk["percent"]) for disk in told["disks"]] == [
        ("copying", 12.5),
        ("waiting", 0.0),
    ]


def test_a_replica_whose_copies_have_arrived_is_not_available_before_that_is_recorded(api):
    point = add_point(api, api.add_vm())
    change(api, point, available)
    assert north(api, point)["state"] == "copying"  # its manifest is not written yet
    api.connected.catalogue.restore_points.alter(
        point.id, lambda known: known.with_replica("north", ReplicaState.AVAILABLE)
    )
    assert north(api, point)["state"] == "available"


def test_a_replica_that_expires_is_not_told_as_anything_earlier(api):
    point = add_point(api, api.add_vm())
    change(api, point, available)
    api.connected.catalogue.restore_points.alter(
        point.id, lambda known: known.with_replica("north", ReplicaState.EXPIRING)
    )
    assert north(api, point)["state"] == "expiring"


def snapshot_at(copy: Copy, percent: float) -> Snapshot:
    """What Azure says of a copy's snapshot in the north."""
    return Snapshot(
        id="/subscriptions/s/resourceGroups/north/providers/Microsoft.Compute/snapshots/copied",
        name="copied",
        source_id=copy.source_id,
        provisioning_state="Succeeded",
        unique_id="copied",
        created=START,
        percent=percent,
    )


def test_a_copy_tells_when_azure_took_its_order_and_when_more_of_it_was_last_there(api):
    point = add_point(api, api.add_vm())

    def told() -> list[tuple[str, str | None, str | None]]:
        disks = north(api, point)["disks"]
        return [(disk["state"], disk["started"], disk["progressed"]) for disk in disks]

    def look(minutes: int, percent: float) -> None:
        now = START + timedelta(minutes=minutes)
        change(api, point, lambda copy: copy.observed(snapshot_at(copy, percent), now), disks=1)

    untouched = ("waiting", None, None)
    assert told() == [untouched, untouched]
    change(api, point, lambda copy: copy.claimed("worker", START).begun(START), disks=1)
    begun = "2026-11-22T16:00:30Z"
    look(minutes=1, percent=40.0)
    look(minutes=2, percent=40.0)  # nothing more is there
    assert told() == [("copying", begun, "2026-11-22T16:01:30Z"), untouched]
    look(minutes=3, percent=100.0)
    assert told() == [("available", begun, "2026-11-22T16:03:30Z"), untouched]


def test_a_copy_between_two_attempts_tells_why_which_is_next_and_when(api):
    point = add_point(api, api.add_vm())
    change(api, point, lambda copy: copying(copy).lost("Azure ended it", api.clock.now()), disks=1)
    system, data = north(api, point)["disks"]
    assert (system["state"], system["attempt"], system["failure"]) == ("waiting", 2, "Azure ended it")
    assert system["notBefore"] == "2026-11-22T16:05:30Z"
    assert (data["attempt"], data["failure"], data["notBefore"]) == (1, None, None)


def test_a_copy_that_failed_for_good_tells_why_and_after_which_attempt(api):
    point = add_point(api, api.add_vm())
    for _ in range(3):
        change(api, point, lambda copy: copying(copy).lost("no quota is left", api.clock.now()), disks=1)
    told = north(api, point)
    assert told["state"] == "failed"
    assert (told["disks"][0]["state"], told["disks"][0]["attempt"]) == ("failed", 3)
    assert (told["disks"][0]["failure"], told["disks"][0]["notBefore"]) == ("no quota is left", None)


def test_a_copy_that_is_skipped_tells_why(api):
    point = add_point(api, api.add_vm())
    change(api, point, lambda copy: copy.skipped("overtaken by a newer one", api.clock.now()))
    told = north(api, point)
    assert told["state"] == "skipped"
    assert [(disk["state"], disk["failure"]) for disk in told["disks"]] == [
        ("skipped", "overtaken by a newer one"),
        ("skipped", "overtaken by a newer one"),
    ]


def test_a_copy_that_stands_still_says_so(api):
    point = add_point(api, api.add_vm())
    change(api, point, lambda copy: replace(copying(copy), is_stalled=True), disks=1)
    assert [disk["isStalled"] for disk in north(api, point)["disks"]] == [True, False]


def waits_for(api: Api, point: RestorePoint) -> list[str | None]:
    """Return the restore points that the copies of a point wait for, disk by disk."""
    return [disk["waitsFor"] for disk in north(api, point)["disks"]]


def link(point: RestorePoint) -> str:
    return f"/api/v1/restore-points/{point.id}"


def test_a_copy_that_waits_tells_whose_copy_goes_first(api):
    vm = api.add_vm()
    first, second, third = (add_point(api, vm, hours) for hours in range(3))
    change(api, first, copying)
    assert waits_for(api, first) == [None, None]
    assert waits_for(api, second) == [link(first)] * 2
    assert waits_for(api, third) == [link(second)] * 2


def test_each_disk_waits_for_its_own_queue(api):
    vm = api.add_vm()
    first, second = (add_point(api, vm, hours) for hours in range(2))
    change(api, first, available, disks=1)
    assert waits_for(api, second) == [None, link(first)]


def test_a_copy_waits_neither_for_one_that_is_over_nor_for_points_that_have_none(api):
    vm = api.add_vm()
    first, second = (add_point(api, vm, hours) for hours in range(2))
    add_point(api, vm, 2, state="failed")
    last = add_point(api, vm, 3)
    change(api, first, copying)
    change(api, second, available)
    change(api, second, lambda copy: replace(copy, state=CopyState.SKIPPED), disks=1)
    assert waits_for(api, last) == [link(first), None]


def test_a_copy_waits_for_nothing_of_another_vm(api):
    add_point(api, api.add_vm("db"))
    assert waits_for(api, add_point(api, api.add_vm("web"), 1)) == [None, None]


def test_what_was_written_by_pages_is_told_and_of_azures_own_copies_nothing(api):
    point = add_point(api, api.add_vm())
    pages = PageProgress(
        "disk.vhd", length=4096, link="", reached=2048, written_bytes=1536, streamed_bytes=512, requests=2
    )
    change(api, point, lambda copy: replace(copying(copy, pages.percent), pages=pages), disks=1)
    paged, other = north(api, point)["disks"]
    assert other["pages"] is None
    assert paged["pages"] == {
        "blob": "disk.vhd",
        "isWhole": True,
        "writtenBytes": 1536,
        "clearedBytes": 0,
        "streamedBytes": 512,
        "requests": 2,
    }
