"""GET operations: what was asked for, how far it is, and what came of it."""

from __future__ import annotations

from datetime import timedelta

from domain.restore_points import ReplicaState
from tests.triggers.harness import START

SLOT = START.replace(second=0)


def back_up(api, name="web"):
    """Ask for a backup; return the operation's id and the VM's."""
    vm = api.add_vm(name)
    return api.ask("POST", "backups", {"vm": vm}).body["id"], vm


def test_a_backup_that_is_not_begun_has_no_restore_point_yet(api):
    operation, _ = back_up(api)
    told = api.ask("GET", f"operations/{operation}").body
    assert (told["state"], told["restorePoint"], told["disks"]) == ("accepted", None, [])
    assert told["asked"] == "2026-11-22T16:00:30Z"
    assert told["links"]["vm"].startswith("/api/v1/vms/web-")


def test_a_backup_tells_its_snapshots_disk_by_disk(api):
    operation, vm = back_up(api)
    api.add_point(vm, SLOT, state="begun", operation=operation)
    point = api.ask("GET", f"operations/{operation}").body["restorePoint"]
    assert point["state"] == "begun"
    assert [(disk["name"], disk["state"]) for disk in point["disks"]] == [
        ("web-os", "planned"),
        ("web-data", "planned"),
    ]


def test_a_backup_tells_its_copies_disk_by_disk_and_location(api):
    operation, vm = back_up(api)
    taken = api.add_point(vm, SLOT, operation=operation, north=ReplicaState.COPYING)
    now = api.clock.now()
    api.connected.catalogue.operations.alter(
        operation, lambda known: known.succeeded({"restorePoint": taken.id}, now)
    )
    told = api.ask("GET", f"operations/{operation}").body
    assert (told["state"], told["ended"]) == ("succeeded", "2026-11-22T16:00:30Z")
    assert told["outcome"] == {"restorePoint": taken.id}
    assert [disk["state"] for disk in told["restorePoint"]["disks"]] == ["usable", "usable"]
    home, north = told["restorePoint"]["replicas"]
    assert (home["location"], home["isHome"], home["state"]) == ("west", True, "available")
    assert (north["location"], north["isHome"], north["state"]) == ("north", False, "copying")
    assert [(disk["name"], disk["state"], disk["percent"]) for disk in north["disks"]] == [
        ("web-os", "copying", 40.0),
        ("web-data", "copying", 40.0),
    ]


def test_a_backup_that_took_its_disks_once_more_leads_to_the_point_that_it_ended_with(api):
    operation, vm = back_up(api)
    api.add_point(vm, SLOT, state="failed")
    taken = api.add_point(vm, SLOT, attempt=2, operation=operation)
    now = api.clock.now()
    api.connected.catalogue.operations.alter(
        operation, lambda known: known.succeeded({"restorePoint": taken.id}, now)
    )
    told = api.ask("GET", f"operations/{operation}").body
    assert (told["restorePoint"]["id"], told["restorePoint"]["attempt"]) == (taken.id, 2)
    assert api.ask("GET", told["links"]["restorePoint"]).body["id"] == taken.id


def test_a_failed_backup_tells_why(api):
    operation, _ = back_up(api)
    now = api.clock.now()
    api.connected.catalogue.operations.alter(operation, lambda known: known.failed("no quota is left", now))
    told = api.ask("GET", f"operations/{operation}").body
    assert (told["state"], told["failure"]) == ("failed", "no quota is left")


def test_a_restore_tells_which_disks_it_makes_and_which_are_ready(api):
    point = api.add_point(api.add_vm(), SLOT - timedelta(days=1))
    order = {"restorePoint": point.id, "location": "north"}
    operation = api.ask("POST", "restores", order).body["id"]
    planned = api.ask("GET", f"operations/{operation}").body["disks"]
    assert [(disk["name"], disk["lun"], disk["state"]) for disk in planned] == [
        ("web-os", None, "planned"),
        ("web-data", 0, "planned"),
    ]
    assert all("/resourceGroups/restored-north/" in disk["id"] for disk in planned)

    now = api.clock.now()
    outcome = {"disks": [{"name": "x", "id": planned[0]["id"].upper()}]}
    api.connected.catalogue.operations.alter(
        operation, lambda known: known.failed("disk 'web-data': no capacity", now, outcome)
    )
    ended = api.ask("GET", f"operations/{operation}").body
    assert [disk["state"] for disk in ended["disks"]] == ["ready", "failed"]
    assert ended["outcome"] == outcome


def test_an_operation_that_is_not_there_says_where_to_look(api):
    answer = api.ask("GET", "operations/20261121-0123456789abcdef0123")
    assert answer.status == 404
    day = answer.body["detail"].rsplit("GET ", 1)[-1]
    assert api.ask("GET", day).body["day"] == "2026-11-21"
