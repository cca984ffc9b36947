"""Networks and network interfaces through the real pipeline against the simulated cloud."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import Absent, Refused, Transient
from domain.networks import InterfacePlan, SubnetAddress
from gateways.networks import Networks
from tests.gateways.simulated import OPERATION


@pytest.fixture
def subnet(azure):
    return azure.cloud.add_network("network", "northeurope", "restored-north", prefix="10.7.0.0/24")


@pytest.fixture
def networks(azure):
    return Networks(azure.compute)


@pytest.fixture
def plan(azure, subnet):
    interface = f"{azure.north.restore_group_id}/providers/Microsoft.Network/networkInterfaces/web-0123"
    return InterfacePlan(interface, "northeurope", subnet, {"tidemark-operation": OPERATION})


def test_a_network_tells_its_region_and_its_subnets(networks, subnet):
    found = networks.find(SubnetAddress.parse(subnet))
    assert found is not None
    assert (found.region, found.subnets) == ("northeurope", (subnet,))


def test_a_network_that_is_not_there_is_not_found(networks, subnet):
    assert networks.find(SubnetAddress.parse(subnet.replace("/network/", "/other/"))) is None
    with pytest.raises(Absent, match="ResourceGroupNotFound"):
        networks.find(SubnetAddress.parse(subnet.replace("restored-north", "nowhere")))


def test_an_interface_is_begun_once_and_gets_an_address(azure, networks, plan):
    begun = networks.begin_interface(plan, OPERATION)
    assert not begun.has_failed
    azure.pass_time()
    ready = networks.find_interface(plan.id)
    assert ready == networks.begin_interface(plan, OPERATION)
    assert ready.is_ready
    assert (ready.operation, ready.address) == (OPERATION, "10.7.0.4")


def test_an_interface_of_somebody_else_is_not_taken_up(azure, networks, plan):
    networks.begin_interface(replace(plan, tags={}), OPERATION)
    azure.pass_time()
    with pytest.raises(Refused, match="this restore has not made it") as refused:
        networks.begin_interface(plan, OPERATION)
    assert refused.value.code == "NameTaken"


def test_a_subnet_of_another_region_is_refused_with_azures_own_words(azure, networks, plan):
    far = azure.cloud.add_network("far", "westeurope", "production")
    with pytest.raises(Refused, match="InvalidResourceReference"):
        networks.begin_interface(replace(plan, subnet_id=far), OPERATION)


def test_a_throttled_call_says_when_to_come_back(azure, networks, plan):
    azure.cloud.faults.fail("PUT", "/networkInterfaces/", status=429, retry_after=90)
    with pytest.raises(Transient) as throttled:
        networks.begin_interface(plan, OPERATION)
    assert throttled.value.retry_after.total_seconds() == 90


def test_an_interface_that_was_made_though_nobody_was_told_is_taken_up(azure, networks, plan):
    azure.cloud.faults.drop("PUT", "/networkInterfaces/", after_executing=True)
    with pytest.raises(Transient):
        networks.begin_interface(plan, OPERATION)
    azure.pass_time()
    assert networks.begin_interface(plan, OPERATION).address == "10.7.0.4"
