"""Networks and interfaces, as far as a restored machine needs them."""

from __future__ import annotations

import json

import pytest

from tests.simulator.conftest import HOME, RECOVERY

NETWORK = "resourceGroups/recovery/providers/Microsoft.Network/virtualNetworks/vnet"
INTERFACE = "resourceGroups/recovery/providers/Microsoft.Network/networkInterfaces/nic"


@pytest.fixture
def subnet(azure):
    body = {
        "location": RECOVERY,
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
            "subnets": [{"name": "default", "properties": {"addressPrefix": "10.1.0.0/29"}}],
        },
    }
    answer = azure.ask("PUT", NETWORK, body)
    assert answer.status == 201
    azure.pass_time(seconds=1)
    return json.loads(answer.body)["properties"]["subnets"][0]["id"]


def interface_body(subnet, location=RECOVERY):
    configuration = {"name": "primary", "properties": {"subnet": {"id": subnet}}}
    return {"location": location, "properties": {"ipConfigurations": [configuration]}}


def put_interface(azure, subnet, name="nic"):
    answer = azure.ask("PUT", INTERFACE.replace("/nic", f"/{name}"), interface_body(subnet))
    azure.pass_time(seconds=1)
    return answer


def address(answer):
    return json.loads(answer.body)["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]


def test_an_interface_gets_an_address_and_keeps_it(azure, subnet):
    """The first four addresses of a subnet are Azure's."""
    made = put_interface(azure, subnet)
    assert made.status == 201
    assert "azure-asyncoperation" in made.headers
    assert address(made) == "10.1.0.4"
    assert address(put_interface(azure, subnet, "nic2")) == "10.1.0.5"
    again = put_interface(azure, subnet)
    assert (again.status, address(again)) == (200, "10.1.0.4")
    read = json.loads(azure.ask("GET", INTERFACE).body)
    assert read["properties"]["provisioningState"] == "Succeeded"


def test_a_subnet_can_be_full(azure, subnet):
    codes = [put_interface(azure, subnet, f"nic{number}").status for number in range(4)]
    assert codes == [201, 201, 201, 400]


def test_a_subnet_is_made_in_a_network_that_exists(azure, subnet):
    body = {"properties": {"addressPrefix": "10.1.1.0/24"}}
    assert azure.ask("PUT", f"{NETWORK}/subnets/second", body).status == 201
    assert azure.ask("GET", f"{NETWORK}/subnets/second").status == 200
    azure.pass_time(seconds=1)
    assert len(json.loads(azure.ask("GET", NETWORK).body)["properties"]["subnets"]) == 2
    orphan = azure.ask("PUT", f"{NETWORK}-none/subnets/second", body)
    assert (orphan.status, json.loads(orphan.body)["error"]["code"]) == (404, "ParentResourceNotFound")


def test_an_interface_lies_in_the_region_of_its_network(azure, subnet):
    answer = azure.ask("PUT", INTERFACE, interface_body(subnet, HOME))
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "InvalidResourceReference")


def test_an_interface_in_use_is_not_deleted(azure):
    """Public reports: 400 NicInUse."""
    nic = azure.web.machine.interfaces[0].id.text
    answer = azure.ask("DELETE", nic)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "NicInUse")
    assert json.loads(azure.ask("GET", nic).body)["properties"]["virtualMachine"] == {"id": azure.web.id}


def test_a_free_interface_is_deleted_once_and_again(azure, subnet):
    put_interface(azure, subnet)
    assert azure.ask("DELETE", INTERFACE).status == 202
    azure.pass_time(seconds=1)
    assert azure.ask("DELETE", INTERFACE).status == 204


def test_a_prefix_that_is_none_is_refused(azure, subnet):
    answer = azure.ask("PUT", f"{NETWORK}/subnets/bad", {"properties": {"addressPrefix": "ten"}})
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "InvalidAddressPrefixFormat")


def test_a_network_goes_with_its_subnets_once_nothing_is_in_them(azure, subnet):
    """Public reports: 400 InUseSubnetCannotBeDeleted."""
    put_interface(azure, subnet)
    for path in (NETWORK, f"{NETWORK}/subnets/default"):
        answer = azure.ask("DELETE", path)
        assert (answer.status, json.loads(answer.body)["error"]["code"]) == (
            400,
            "InUseSubnetCannotBeDeleted",
        )
    azure.ask("DELETE", INTERFACE)
    azure.pass_time(seconds=1)
    assert azure.ask("DELETE", NETWORK).status == 202
    azure.pass_time(seconds=1)
    assert azure.ask("GET", NETWORK).status == 404
    assert azure.ask("GET", f"{NETWORK}/subnets/default").status == 404
    assert azure.ask("DELETE", NETWORK).status == 204


def test_a_subnet_leaves_its_network(azure, subnet):
    assert azure.ask("DELETE", f"{NETWORK}/subnets/default").status == 202
    azure.pass_time(seconds=1)
    assert json.loads(azure.ask("GET", NETWORK).body)["properties"]["subnets"] == []
