"""Everything runs with the roles as they are deployed; one action less, and something is refused."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta

import pytest

from infra.deployed_roles import roles
from tests.world import World

HOUR = timedelta(hours=1)
PROTECTED = {"tidemark-policy": "daily"}


@pytest.fixture
def world_without(tmp_path, accounts):
    """Make a world in which a role lacks an action."""
    made = []

    def make(key, action):
        granted = deepcopy(dict(roles()))
        granted[key]["actions"].remove(action)
        made.append(World(tmp_path, accounts, roles=granted))
        return made[0]

    yield make
    for world in made:
        world.close()


@pytest.mark.parametrize(
    ("key", "action"),
    [
        ("backupProtected", "Microsoft.Compute/disks/beginGetAccess/action"),
        ("backupSnapshots", "Microsoft.Compute/snapshots/write"),
    ],
)
def test_without_an_action_of_its_role_no_backup_succeeds_and_the_reason_names_it(world_without, key, action):
    world = world_without(key, action)
    vm = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    operation = world.back_up("web")
    assert operation["state"] == "failed"
    assert f"identity 'backup' (TIDEMARK_IDENTITY_BACKUP) may not do {action}" in str(operation)
    assert not [point for point in world.points_of(vm) if point.is_available]


def test_without_an_action_of_its_role_no_restore_succeeds(world_without):
    world = world_without("restoreRestores", "Microsoft.Compute/disks/write")
    vm = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    world.back_up("web")
    [point] = world.points_of(vm)
    operation = world.restore(point.id, "north").operation
    assert operation["state"] == "failed"
    assert "may not do Microsoft.Compute/disks/write" in str(operation)


def test_with_the_roles_as_they_are_the_same_succeeds(world):
    vm = world.add_vm("web", {"os": b"system"}, tags=PROTECTED)
    assert world.back_up("web")["state"] == "succeeded"
    [point] = world.points_of(vm)
    assert world.restore(point.id, "north").disk("web-os") == b"system"
