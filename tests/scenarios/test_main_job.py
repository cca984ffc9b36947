"""The main job: a VM backed up, its region lost, its disks back."""

from __future__ import annotations

from datetime import timedelta

from tests.world import HOME, START

PROTECTED = {"tidemark-policy": "daily"}


def test_a_vm_lost_with_its_region_comes_back_from_the_other(world):
    world.add_vm("web", {"os": b"system", "data": b"first"}, tags=PROTECTED)
    first = world.back_up("web")
    world.write("web", "data", b"second")
    second = world.back_up("web")

    world.lose_region(HOME)

    old = world.restore(first["restorePoint"]["id"], "north")
    new = world.restore(second["restorePoint"]["id"], "north")
    assert old.contents.keys() == {"web-os", "web-data"}
    assert (old.disk("web-os"), old.disk("web-data")) == (b"system", b"first")
    assert (new.disk("web-os"), new.disk("web-data")) == (b"system", b"second")


def test_disks_come_back_at_home_too(world):
    world.add_vm("web", {"os": b"system", "data": b"first"}, tags=PROTECTED)
    point = world.back_up("web")["restorePoint"]["id"]
    world.write("web", "data", b"gone!")

    assert world.restore(point, "west").disk("web-data") == b"first"


def test_a_tagged_vm_is_backed_up_at_once_and_then_by_its_schedule(world):
    vm_id = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    world.pass_time(timedelta(minutes=10))
    world.jump((START + timedelta(days=1)).replace(hour=2))
    world.pass_time(timedelta(minutes=10))

    points = world.points_of(vm_id)
    assert [point.slot.strftime("%d %H:%M") for point in points] == ["23 02:00", "22 16:05"]
    assert all(set(point.replicas.values()) == {"available"} for point in points)


def test_the_second_copy_moves_only_what_changed(world):
    world.add_vm("web", {"os": b"x" * 3_000_000}, tags=PROTECTED)
    world.back_up("web")
    world.write("web", "os", b"y" * 512, offset=1 << 20)
    world.back_up("web")

    whole, changed = world.cloud.meter.copies
    assert whole.whole
    assert whole.bytes_moved >= 3_000_000
    assert not changed.whole
    assert changed.bytes_moved == 512


def test_two_recovery_locations_get_their_copies_though_azure_copies_a_disk_to_one_at_a_time(world):
    world.add_vm("web", {"os": b"system", "data": b"first"}, tags={"tidemark-policy": "twice"})
    point = world.back_up("web", within=timedelta(hours=2))["restorePoint"]["id"]

    [taken] = world.points_of(world.machines["web"].id)[-1:]
    assert taken.replicas == {"west": "available", "north": "available", "south": "available"}
    world.lose_region(HOME)
    for location in ("north", "south"):
        assert world.restore(point, location).disk("web-data") == b"first"
