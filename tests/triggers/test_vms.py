"""GET vms and GET restore points: what is protected, how well, and where."""

from __future__ import annotations

from datetime import timedelta

from domain.restore_points import ReplicaState
from tests.triggers.harness import START

SLOT = START.replace(hour=2, minute=0, second=0)


def test_a_vm_tells_how_old_its_newest_point_is_in_each_location(api):
    vm = api.add_vm()
    old = api.add_point(vm, SLOT - timedelta(days=1))
    new = api.add_point(vm, SLOT, north=ReplicaState.COPYING)
    told = api.ask("GET", f"vms/{new.vm.key}").body
    assert (told["id"], told["policy"], told["newestPoint"], told["newestState"]) == (
        vm,
        "daily",
        new.id,
        "available",
    )
    assert [list(location.values()) for location in told["locations"]] == [
        ["west", new.id, 14 * 3600 + 30, None],
        ["north", old.id, 38 * 3600 + 30, None],
    ]
    assert told["running"] is None


def test_a_location_that_has_nothing_yet_is_named_all_the_same(api):
    point = api.add_point(api.add_vm(), SLOT, north=ReplicaState.WAITING)
    _, north = api.ask("GET", f"vms/{point.vm.key}").body["locations"]
    assert (north["location"], north["newestAvailable"], north["achievedRpoSeconds"]) == ("north", None, None)


def test_a_vm_whose_newest_point_failed_tells_why(api):
    vm = api.add_vm()
    good = api.add_point(vm, SLOT - timedelta(days=1))
    api.add_point(vm, SLOT, state="failed")
    told = api.ask("GET", f"vms/{good.vm.key}").body
    assert told["lastFailure"] == "disk 'data': Azure refused"
    assert told["locations"][0]["newestAvailable"] == good.id


def test_a_vm_that_is_being_backed_up_says_so(api):
    point = api.add_point(api.add_vm(), SLOT, state="begun")
    assert api.ask("GET", f"vms/{point.vm.key}").body["running"] == point.id


def test_vms_are_listed_page_by_page(api):
    keys = [api.add_point(api.add_vm(name), SLOT).vm.key for name in ("web", "db", "cache")]
    first = api.ask("GET", "vms?limit=2").body
    second = api.ask("GET", first["next"]).body
    assert [vm["key"] for vm in first["items"] + second["items"]] == sorted(keys)
    assert second["next"] is None
    assert first["items"][0] == api.ask("GET", first["items"][0]["links"]["self"]).body


def test_an_empty_catalogue_is_an_empty_page(api):
    assert api.ask("GET", "vms").body == {"items": [], "next": None}


def test_points_are_listed_newest_first_page_by_page(api):
    vm = api.add_vm()
    points = [api.add_point(vm, SLOT + timedelta(hours=hour)) for hour in range(3)]
    retried = api.add_point(vm, SLOT + timedelta(hours=2), attempt=2, state="failed")
    listed, path = [], f"vms/{retried.vm.key}/restore-points?limit=3"
    while path:
        page = api.ask("GET", path).body
        listed += [point["id"] for point in page["items"]]
        path = page["next"]
    assert listed == [retried.id, *(point.id for point in reversed(points))]


def test_a_vm_without_points_yet_has_an_empty_list(api):
    point = api.add_point(api.add_vm(), SLOT)
    answer = api.ask("GET", f"vms/{point.vm.key}/restore-points?after={point.id}")
    assert (answer.status, answer.body) == (200, {"items": [], "next": None})


def test_a_point_tells_everything_that_the_books_have(api):
    point = api.add_point(api.add_vm(), SLOT, north=ReplicaState.COPYING)
    told = api.ask("GET", f"restore-points/{point.id}").body
    assert (told["id"], told["slot"], told["attempt"]) == (point.id, "2026-11-22T02:00:00Z", 1)
    assert (told["state"], told["policy"], told["operation"]) == ("available", "daily", None)
    assert told["consistency"] == {"asked": "crash", "achieved": "crash"}
    assert told["skewSeconds"] == 2.0
    system, data = told["disks"]
    assert (system["lun"], data["lun"]) == (None, 0)
    assert (data["sizeBytes"], data["taken"]) == (1 << 20, "2026-11-22T02:00:07Z")
    north = told["replicas"][1]
    assert north["disks"][0]["snapshot"].startswith(
        f"/subscriptions/{api.cloud.subscription}/resourceGroups/snapshots-north/"
    )


def test_a_failed_point_reached_no_consistency(api):
    point = api.add_point(api.add_vm(), SLOT, state="failed")
    told = api.ask("GET", f"restore-points/{point.id}").body
    assert told["consistency"] == {"asked": "crash", "achieved": None}
    assert (told["skewSeconds"], told["failure"], told["replicas"]) == (
        None,
        "disk 'data': Azure refused",
        [],
    )
