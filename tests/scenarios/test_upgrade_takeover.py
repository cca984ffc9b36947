"""How long it takes after an upgrade until the watch has taken up what the old version was at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.restore_points import ReplicaState, RestorePoint
from gateways.connection import cloud
from local_host.history import started_event
from local_host.versions import OUTPUT
from simulator.tempo import Tempo
from simulator.world_handles import DiskSpec
from tests.conftest import Accounts
from tests.scenarios.test_kill_at_every_step import take_more_than_is_kept
from tests.schedules.game import Game
from tests.schedules.lifeline import Moment
from tests.upgraded_world import SECOND, UpgradedWorld
from tests.world import HOME, MIB

DISKS = {"os": b"system", "data": b"first"}
BYTES = {"web-os": b"system", "web-data": b"first"}
MINUTE = timedelta(minutes=1)
DAILY = {"tidemark-policy": "daily"}


@pytest.fixture
def world(tmp_path: Path, accounts: Accounts, request: pytest.FixtureRequest) -> Iterator[UpgradedWorld]:
    """A world in which a copy to another region takes twenty minutes, and a background copy two hours."""
    slow = Tempo(copy_at_least=timedelta(minutes=20), background_at_least=timedelta(hours=2))
    made = UpgradedWorld(tmp_path, accounts, tempo=getattr(request, "param", slow))
    try:
        yield made
    finally:
        made.close()


def minutes_until(world: UpgradedWorld, is_so: Callable[[], object], most: int = 120) -> int:
    """Let minutes pass until something is so; return how many."""
    for passed in range(most + 1):
        if is_so():
            return passed
        world.pass_time(MINUTE)
    raise AssertionError(f"not after {most} minutes")


def upgrade_after(world: UpgradedWorld, activity: str, number: int = 1) -> None:
    """Let time pass until an activity has been done so often; the app is upgraded then."""
    world.lifeline.cut_after(Moment.ACTIVITY, number, of=lambda name: name == activity)
    minutes_until(world, lambda: world.version == SECOND)


def ask(world: UpgradedWorld, path: str, **order: str) -> str:
    answer = world.ask("POST", path, order)
    assert answer.status == 202, answer.body
    operation: str = answer.body["id"]
    return operation


def has(world: UpgradedWorld, operation: str, state: str) -> bool:
    """Whether an operation is in a state."""
    return bool(world.operation(operation)["state"] == state)


def restored(world: UpgradedWorld, point: RestorePoint) -> dict[str, bytes]:
    """Restore the disks of a point in the north; return what they hold."""
    contents = world.restore(point.id, "north").contents
    return {name: content.rstrip(b"\0") for name, content in contents.items()}


def test_a_backup_that_is_cut_off_has_failed_in_5_minutes_and_its_slot_is_taken_after_20(world):
    vm_id = world.add_vm("web", DISKS, tags=DAILY)
    operation = ask(world, "backups", vm=vm_id)
    upgrade_after(world, "begin_snapshot")

    upgraded = world.clock.now()
    assert minutes_until(world, lambda: has(world, operation, "failed")) <= 5
    [lost] = world.points_of(vm_id)
    assert "its orchestration ended before the point was decided; the slot is tried again" in lost.failure
    minutes_until(world, lambda: world.points_of(vm_id)[0].is_available)
    assert world.clock.now() - upgraded <= timedelta(minutes=21)
    again = world.points_of(vm_id)[0]
    assert (again.slot, again.attempt) == (lost.slot, 2)

    world.pass_time(timedelta(minutes=40))
    world.assert_books_and_cloud_agree()
    assert restored(world, again) == BYTES


def test_a_backup_that_waits_for_a_slow_snapshot_has_failed_when_it_would_have_looked_again(world):
    """It holds its id till then: ten minutes at most, and five until the watch comes by."""
    disks = {"os": 64 * MIB, "data": DiskSpec(64 * MIB, sku="PremiumV2_LRS")}
    vm = world.cloud.add_virtual_machine("web", HOME, "production", disks=disks, tags=DAILY, zones=["1"])
    world.machines["web"] = vm
    operation = ask(world, "backups", vm=vm.id)
    world.pass_time(timedelta(hours=1))
    world.kill()

    assert minutes_until(world, lambda: has(world, operation, "failed")) <= 15
    minutes_until(world, lambda: world.points_of(vm.id)[0].is_available, most=180)
    world.pass_time(timedelta(hours=3))
    world.assert_books_and_cloud_agree()


def test_a_copy_goes_on_where_azure_is_with_it_and_has_a_worker_again_after_15_minutes(world):
    """The claim of the old worker has to run out first; what Azure copies meanwhile is not lost."""
    vm_id = world.add_vm("web", DISKS, tags=DAILY)
    ask(world, "backups", vm=vm_id)
    upgrade_after(world, "look_at_copy", 3)
    [point] = world.points_of(vm_id)

    def owners() -> set[str | None]:
        return {copy.owner for copy in cloud().catalogue.copies.find(point, "north")}

    before = owners()
    assert minutes_until(world, lambda: not owners() & before) == 15
    minutes_until(world, lambda: not cloud().catalogue.copy_queues.all_open(), most=15)
    assert sorted(copy.target for copy in world.cloud.meter.copies) == sorted(
        copy.target_id(cloud().policies.locations["north"])
        for copy in cloud().catalogue.copies.find(point, "north")
    )  # one order per disk, and that was the whole one
    world.assert_books_and_cloud_agree()
    assert restored(world, point) == BYTES


@pytest.mark.parametrize("activity", ["begin_disk", "look_at_disk", "begin_machine", "look_at_machine"])
def test_a_restore_of_a_vm_is_finished_within_10_minutes(world, activity):
    vm_id = world.add_vm("web", DISKS, tags=DAILY)
    world.back_up("web")
    [point] = world.points_of(vm_id)
    operation = ask(world, "restores", restorePoint=point.id, location="north", what="vm", name="back")
    upgrade_after(world, activity)

    assert minutes_until(world, lambda: has(world, operation, "succeeded")) <= 10
    disks = world.operation(operation)["outcome"]["disks"]
    assert {disk["sourceDisk"]: world.bytes_of(disk["id"]).rstrip(b"\0") for disk in disks} == BYTES


@pytest.mark.parametrize("activity", ["find_unattended", "find_due_backups", "end_look"])
def test_the_watch_looks_again_when_the_next_look_is_due(world, activity):
    world.add_vm("web", DISKS, tags=DAILY)
    world.pass_time(timedelta(hours=1))
    upgrade_after(world, activity)

    def is_looking() -> bool:
        started = started_event(world.host.history("backup_fleet"))
        return started is not None and started["Version"] == SECOND

    assert minutes_until(world, is_looking) <= 5
    assert world.host.status("backup_fleet")["runtimeStatus"] == "Completed"


@pytest.mark.parametrize("world", [Tempo()], indirect=True)
def test_a_prune_is_done_in_the_next_hour(world):
    world.add_vm("web", dict.fromkeys(DISKS, b""), tags=DAILY)
    game = Game(world)
    take_more_than_is_kept(game)
    upgrade_after(world, "delete_replica")

    def is_gone() -> bool:
        return ReplicaState.DELETED in [point.replicas[point.home] for point in game.look()]

    assert minutes_until(world, lambda: world.host.status("prune_fleet")["output"] == OUTPUT) <= 1
    assert not is_gone()
    assert 58 <= minutes_until(world, is_gone) <= 62
    world.assert_books_and_cloud_agree()


@pytest.mark.parametrize("activity", ["record_restore_point", "start_orchestrations", "describe_vm"])
def test_disks_that_were_to_be_taken_once_more_are(world, activity):
    """They were taken too far apart, and the upgrade comes between the two attempts."""
    vm_id = world.add_vm("web", DISKS, tags=DAILY)
    world.cloud.faults.fail("PUT", "/snapshots/web-web-data", status=429, retry_after=1200, times=1)
    operation = ask(world, "backups", vm=vm_id)
    minutes_until(world, lambda: world.points_of(vm_id))
    upgrade_after(world, activity)

    assert minutes_until(world, lambda: has(world, operation, "succeeded")) <= 5
    again, first = world.points_of(vm_id)
    assert "were taken 12" in first.failure
    assert again.is_available
    assert world.operation(operation)["restorePoint"]["id"] == again.id
