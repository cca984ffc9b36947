"""Some resource groups of a subscription are protected: the app has rights there, and nowhere else in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.fleet import NOT_LISTED, NOT_LOOKED_FOR
from gateways.connection import cloud
from tests.conftest import Accounts
from tests.fleet_world import FleetWorld
from tests.world import HOME

HOUR = timedelta(hours=1)
PROTECTED = {"tidemark-policy": "daily"}
OS = {"os": b"system"}


class GroupsWorld(FleetWorld):
    """A world that protects two resource groups of its first subscription, and all of the second."""

    groups: tuple[str, ...] = ("production", "Shop")

    def _told(self) -> dict[str, Any]:
        told = super()._told()
        told["subscriptions"][0]["resource_groups"] = list(self.groups)
        told["policies"]["shops"]["selector"]["subscriptions"] = [self.other]
        return told

    def look_for_vms_in(self, *groups: str) -> None:
        """Go on with a policy file that names these resource groups of the first subscription."""
        self.groups = groups
        self._connect()


@pytest.fixture
def world(tmp_path: Path, accounts: Accounts) -> Iterator[GroupsWorld]:
    """A cloud with two subscriptions; the app may read VMs in two groups of the first."""
    made = GroupsWorld(tmp_path, accounts)
    try:
        yield made
        made.assert_histories_replay()
    finally:
        made.close()


def test_vms_of_the_named_groups_are_backed_up_and_restored_with_rights_on_these_alone(world):
    web = world.add("web", {"os": b"one"}, tags=PROTECTED)
    shop = world.add("shop", {"os": b"two"}, group="shop", tags=PROTECTED)
    stranger = world.add("stranger", OS, group="finance", tags=PROTECTED)
    world.pass_time(HOUR)

    assert {vm["name"] for vm in world.ask("GET", "vms").body["items"]} == {"web", "shop"}
    assert world.points_of(stranger) == []
    assert world.ask("GET", "health").body["watch"]["failure"] is None  # nothing was refused
    world.assert_books_and_cloud_agree()
    world.lose_region(HOME)
    for vm_id, content in ((web, b"one"), (shop, b"two")):
        [point] = world.points_of(vm_id)
        back = world.restore(point.id, "north", within=timedelta(minutes=10))
        assert next(iter(back.contents.values())).rstrip(b"\0") == content


def test_a_backup_of_a_vm_outside_the_named_groups_is_refused_and_the_groups_are_told(world):
    stranger = world.add("stranger", OS, group="finance", tags=PROTECTED)

    answer = world.ask("POST", "backups", {"vm": stranger})

    assert answer.status == 400
    [error] = answer.body["errors"]
    assert error["field"] == "vm"
    assert "VMs of resource group finance" in error["message"]
    assert "the policy file names resource group production in subscription" in error["message"]


def test_a_group_that_is_gone_is_told_with_its_vms_and_holds_up_no_other(world, caplog):
    web = world.add("web", OS, tags=PROTECTED)
    shop = world.add("shop", OS, group="shop", tags=PROTECTED)
    world.pass_time(HOUR)
    del world.cloud.estate.subscriptions[world.subscription.lower()].groups["shop"]
    world.jump(world.clock.now() + timedelta(days=1))
    world.pass_time(HOUR)

    assert len(world.points_of(web)) == 2
    assert world.seen("web")["problem"] is None
    assert world.seen("shop")["problem"] == NOT_LISTED
    assert [point.is_available for point in world.points_of(shop)] == [True]  # its points are kept
    unseen = [line for line in caplog.messages if '"fleet_unseen"' in line]
    assert "ResourceGroupNotFound: Resource group 'Shop' could not be found" in unseen[-1]


def test_a_group_that_may_not_be_read_holds_up_no_other_and_its_vms_do_not_count_as_gone(world, caplog):
    web = world.add("web", OS, tags=PROTECTED)
    world.add("shop", OS, group="shop", tags=PROTECTED)
    world.pass_time(HOUR)
    lost = "/resourceGroups/Shop/providers/Microsoft.Compute/virtualMachines"
    refusal = (
        "The client 'b' with object id 'b' does not have authorization to perform action 'Microsoft.Compute/"
        f"virtualMachines/read' over scope '/subscriptions/{world.subscription}/resourceGroups/Shop' or the "
        "scope is invalid."
    )
    world.cloud.faults.fail("GET", lost, status=403, code="AuthorizationFailed", message=refusal, times=400)
    world.jump(world.clock.now() + timedelta(days=1))
    world.pass_time(HOUR)

    assert len(world.points_of(web)) == 2
    assert world.seen("shop")["problem"] is None
    assert world.seen("shop")["isOverdue"]  # which is how it is told of the VM
    unseen = [line for line in caplog.messages if '"fleet_unseen"' in line]
    assert (
        f"may not do Microsoft.Compute/virtualMachines/read on /subscriptions/{world.subscription}"
        in unseen[-1]
    )
    assert "/resourceGroups/Shop: give it a role" in unseen[-1]


def test_a_vm_whose_group_is_taken_out_of_the_file_is_not_looked_for_rather_than_gone(world):
    shop = world.add("shop", OS, group="shop", tags=PROTECTED)
    world.pass_time(HOUR)
    world.look_for_vms_in("production")
    world.pass_time(timedelta(minutes=10))

    assert world.seen("shop")["problem"] == NOT_LOOKED_FOR
    [point] = world.points_of(shop)
    assert world.restore(point.id, "north").disk("shop-os") == b"system"
    assert cloud().policies.scopes[0].resource_group == "production"
