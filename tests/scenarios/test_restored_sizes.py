"""A VM whose size is not to be had where it is brought back: told before anything is made."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateways.connection import cloud, use
from simulator.arm.machine_model import VirtualMachine
from simulator.world_handles import DiskSpec
from tests.restored_world import EXPECTED, POLICY, add_web, attached, found, made, restored
from tests.world import HOME, MIB, RECOVERY

SIZE = "Standard_E8s_v5"  # what stands in the north for the size at home


@pytest.fixture
def web(world):
    return add_web(world)


def faults_of(world, operation, location="north"):
    """Return the faults of a restore that must have made nothing."""
    assert operation["state"] == "failed"
    assert operation["failure"].startswith("nothing was made")
    assert made(world, location) == []
    return [(fault["field"], fault["message"]) for fault in operation["outcome"]["faults"]]


def map_sizes(location, **sizes):
    """Let other sizes stand for those of other regions in a location."""
    connected = cloud()
    policies = connected.policies
    changed = replace(policies.locations[location], sizes=sizes)
    use(replace(connected, policies=replace(policies, locations={**policies.locations, location: changed})))


@pytest.mark.parametrize(
    ("take_away", "said"),
    [
        (lambda offers: offers.withdraw(SIZE, RECOVERY), f"{RECOVERY} does not offer VM size {SIZE}; give"),
        (
            lambda offers: offers.restrict(SIZE, RECOVERY),
            f"cannot have VM size {SIZE} in {RECOVERY} (NotAvailableForSubscription); give",
        ),
        (
            lambda offers: offers.restrict(SIZE, RECOVERY, "3"),
            f"cannot have VM size {SIZE} in zone 3 of {RECOVERY} (NotAvailableForSubscription); give",
        ),
    ],
)
def test_a_size_that_is_not_to_be_had_is_told_and_nothing_is_made(world, web, take_away, said):
    point = world.back_up("web")["restorePoint"]["id"]
    take_away(world.cloud.offers)

    operation = restored(world, restorePoint=point, location="north", what="vm")

    [(field, message)] = faults_of(world, operation)
    assert field == "location"
    assert said in message

    map_sizes("north", Standard_D4s_v5="Standard_D8s_v5")  # what the message says to do
    again = restored(world, restorePoint=point, location="north", what="vm", name="again")
    assert again["state"] == "succeeded", again["failure"]
    [machine] = found(world, VirtualMachine, "restored-north")
    assert machine.properties["hardwareProfile"] == {"vmSize": "Standard_D8s_v5"}
    assert attached(machine) == EXPECTED


def test_everything_that_a_size_lacks_is_told_with_all_other_faults(world):
    spec = DiskSpec(64 * MIB, properties={"securityProfile": {"securityType": "TrustedLaunch"}})
    disks = {"os": spec} | {f"d{number}": 64 * MIB for number in range(8)}
    machine = world.cloud.add_virtual_machine("big", HOME, "production", disks, tags=POLICY)
    world.machines["big"] = machine
    machine.machine.properties["securityProfile"] = {"securityType": "TrustedLaunch"}
    point = world.back_up("big")["restorePoint"]["id"]
    map_sizes("north", Standard_D4s_v5="Standard_D2_v2", Standard_D2_v2=SIZE)  # boots generation 1 alone
    world.cloud.add_virtual_machine("taken", RECOVERY, "restored-west", {"os": 64 * MIB})

    away = cloud().policies.locations["west"].subnet_id
    operation = restored(world, restorePoint=point, location="north", what="vm", subnet=away)

    told = faults_of(world, operation)
    assert [field for field, _ in told] == ["subnet", "location", "location"]
    assert "generation V2" in told[1][1]
    assert "takes no premium disks" in told[2][1]

    map_sizes("north", Standard_D4s_v5="Standard_A4_v2")
    operation = restored(world, restorePoint=point, location="north", what="vm")
    messages = [message for _, message in faults_of(world, operation)]
    assert ["no premium disks" in messages[0], "no Trusted Launch" in messages[1]] == [True, True]

    map_sizes("north", Standard_D4s_v5="Standard_D2s_v5")
    operation = restored(world, restorePoint=point, location="north", what="vm")
    [(_, message)] = faults_of(world, operation)
    assert "takes 4 data disks, and the restore point has 8" in message


def test_a_restore_of_a_vm_asks_for_the_size_once_and_one_of_disks_never(world, web):
    point = world.back_up("web")["restorePoint"]["id"]
    before = asked_for_sizes(world)
    assert restored(world, restorePoint=point, location="north")["state"] == "succeeded"
    assert asked_for_sizes(world) == before
    assert restored(world, restorePoint=point, location="north", what="vm")["state"] == "succeeded"
    assert asked_for_sizes(world) == before + 1


def asked_for_sizes(world):
    calls = world.cloud.meter.calls
    return sum(times for (_, route), times in calls.items() if route.endswith("/Microsoft.Compute/skus"))


def test_a_list_of_sizes_that_azure_throttles_is_waited_for(world, web):
    point = world.back_up("web")["restorePoint"]["id"]
    world.cloud.faults.fail("GET", "/Microsoft.Compute/skus", status=429, retry_after=300)

    operation = restored(world, restorePoint=point, location="north", what="vm")

    world.cloud.faults.verify_all_met()
    assert operation["state"] == "succeeded", operation["failure"]
    [machine] = found(world, VirtualMachine, "restored-north")
    assert attached(machine) == EXPECTED


def test_a_list_of_sizes_that_does_not_answer_keeps_no_vm_from_coming_back(world, web, caplog):
    point = world.back_up("web")["restorePoint"]["id"]
    world.cloud.faults.fail("GET", "/Microsoft.Compute/skus", status=503)

    operation = restored(world, restorePoint=point, location="north", what="vm")

    world.cloud.faults.verify_all_met()
    assert f"the size {SIZE} of restore {operation['id']} was not looked up" in caplog.text
    assert operation["state"] == "succeeded", operation["failure"]
    [machine] = found(world, VirtualMachine, "restored-north")
    assert machine.properties["hardwareProfile"] == {"vmSize": SIZE}
    assert attached(machine) == EXPECTED
