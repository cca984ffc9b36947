"""Where the restore of VMs is not allowed, disks come back, and a VM is refused before anything is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Accounts
from tests.restored_world import CONTENTS, add_web, made, restored
from tests.world import HOME, World

REFUSED = "VM restore is not allowed in this deployment, its parameter allowVmRestore allows it: "


@pytest.fixture
def world(tmp_path: Path, accounts: Accounts) -> Iterator[World]:
    """A world whose identity `restore` has no rights on VMs and networks."""
    told = World(tmp_path, accounts, opted_in=())
    try:
        yield told
        told.assert_histories_replay()
    finally:
        told.close()


def test_a_vm_is_refused_with_the_parameter_that_allows_it_and_nothing_is_made(world):
    add_web(world)
    point = world.back_up("web")["restorePoint"]["id"]
    world.lose_region(HOME)

    operation = restored(world, restorePoint=point, location="north", what="vm")

    assert operation["state"] == "failed"
    faults = operation["outcome"]["faults"]
    assert all(fault["message"].startswith(REFUSED) for fault in faults)
    assert {fault["field"] for fault in faults} == {"subnet", "name", "location"}  # every right that it lacks
    for action in ("virtualNetworks/read", "virtualMachines/read", "skus/read"):
        assert action in operation["failure"]
    assert made(world, "north") == []


def test_its_disks_come_back_all_the_same(world):
    add_web(world)
    point = world.back_up("web")["restorePoint"]["id"]
    world.lose_region(HOME)

    operation = restored(world, restorePoint=point, location="north", what="disks")

    assert operation["state"] == "succeeded", operation["failure"]
    assert {disk["sourceDisk"] for disk in operation["outcome"]["disks"]} == {
        f"web-{name}" for name in CONTENTS
    }
