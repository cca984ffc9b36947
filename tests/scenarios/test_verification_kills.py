"""The host is killed in the middle of a verification: what was found is told, and is put right once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from activities import damage
from activities.announcing import announce
from domain.restore_points import ReplicaState
from gateways.connection import cloud, use
from gateways.disk_data import DiskData
from gateways.page_blobs import PageBlobs
from gateways.wire import Network
from simulator.streams import streams
from tests.paged_world import AT_ONCE, VAULT, PagedWorld
from tests.schedules.lifeline import Moment
from tests.schedules.mortal_world import MortalWorld
from tests.world import MIB


class MortalPagedWorld(PagedWorld, MortalWorld):
    """A world with page blobs whose host can be killed."""

    def _connect(self) -> None:
        MortalWorld._connect(self)
        connected, wire = cloud(), Network(connect=streams(self.cloud))
        data = DiskData(connected.disk_data.compute, wire, self.clock)
        blobs = PageBlobs(wire, connected.page_blobs.credentials)
        use(replace(connected, disk_data=data, page_blobs=blobs))


@pytest.fixture
def mortal(tmp_path, accounts):
    world = MortalPagedWorld(tmp_path, accounts, tempo=AT_ONCE)
    yield world
    world.close()


def kill_after(activity):
    """Kill the host when an activity has been done, before anybody was told."""
    return lambda world, _: world.lifeline.cut_after(Moment.ACTIVITY, 1, of=lambda name: name == activity)


def kill_between_event_and_overview(world, monkeypatch):
    def dying(event):
        announce(event)
        if not world.lifeline.kills:
            world.lifeline.cut_after(Moment.BEFORE_REQUEST, 1)

    monkeypatch.setattr(damage, "announce", dying)


@pytest.mark.parametrize(
    "kill",
    [
        kill_after("verify_windows"),
        kill_after("record_damage"),
        kill_after("start_backups"),
        kill_between_event_and_overview,
    ],
)
def test_damage_is_put_right_once_wherever_the_host_was_killed(mortal, monkeypatch, caplog, kill):
    vm_id = mortal.add_vm("web", {"os": b"first"}, tags={"tidemark-policy": "yearly"})
    mortal.back_up("web", timedelta(minutes=10))
    [point] = mortal.points_of(vm_id)
    mortal.tamper(point, "web-os", MIB)
    kill(mortal, monkeypatch)

    mortal.verify()
    mortal.pass_time(timedelta(minutes=15))

    assert mortal.lifeline.kills == 1
    after, before = mortal.points_of(vm_id)
    assert (before.id, before.replicas[VAULT]) == (point.id, ReplicaState.DAMAGED)
    assert after.replicas[VAULT] is ReplicaState.AVAILABLE
    mortal.assert_kept(after)
    mortal.assert_closed()
    assert cloud().catalogue.vms.find(point.vm.key).newest_available[VAULT] == after.id
    assert any('"replica_damaged"' in line for line in caplog.messages)
