"""Subnets that VMs are brought back into."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.networks import Network, SubnetAddress, subnet_faults
from tests.domain.samples import NORTH, SUBSCRIPTION

NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v"
SUBNET = f"{NETWORK}/subnets/default"


def test_a_subnet_is_taken_apart():
    address = SubnetAddress.parse(SUBNET.upper())
    assert (address.subscription, address.network_id) == (SUBSCRIPTION.upper(), NETWORK.upper())


@pytest.mark.parametrize("wrong", ["", "default", NETWORK, f"{SUBNET}/more", f"{SUBNET}?x=y", f"{SUBNET}\n"])
def test_what_is_no_subnet_is_refused(wrong):
    with pytest.raises(ValueError, match="is not the id of a subnet"):
        SubnetAddress.parse(wrong)


@pytest.mark.parametrize(
    ("subnet", "said"),
    [
        (None, "has no subnet in the policy file"),
        ("default", "is not the id of a subnet"),
        (SUBNET.replace(SUBSCRIPTION, "other"), "is in another subscription"),
    ],
)
def test_a_subnet_that_cannot_be_meant_is_a_fault(subnet, said):
    [fault] = subnet_faults(replace(NORTH, subnet_id=subnet))
    assert fault.field == "subnet"
    assert said in fault.message


def test_a_subnet_of_the_location_is_none():
    assert list(subnet_faults(replace(NORTH, subnet_id=SUBNET.lower()))) == []


def test_a_network_must_be_in_the_region_and_hold_the_subnet():
    assert list(Network(NETWORK, "NorthEurope", (SUBNET.upper(),)).faults(SUBNET, NORTH)) == []
    region, subnet = Network(NETWORK, "westeurope", (f"{NETWORK}/subnets/a",)).faults(SUBNET, NORTH)
    assert "is in westeurope" in region.message
    assert "its network has a" in subnet.message
