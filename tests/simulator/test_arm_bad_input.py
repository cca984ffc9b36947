"""Whatever is sent, the answer is an answer: no body can make the simulator stumble."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clock import ManualClock
from simulator.cloud import Cloud
from simulator.wire import Request
from tests.simulator.conftest import GIB, HOME, RECOVERY, copy_body, disk_body, snapshot_body

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
COMPUTE, NETWORK = "providers/Microsoft.Compute", "providers/Microsoft.Network"

LISTED = (
    "Compute/snapshots",
    "Compute/disks",
    "Compute/virtualMachines",
    "Network/networkInterfaces",
    "Network/virtualNetworks",
)


def base(cloud: Cloud) -> str:
    return f"/subscriptions/{cloud.subscription}/resourceGroups/production"


def send(cloud: Cloud, method: str, path: str, body: Any = None) -> int:
    url = f"https://management.azure.com{path}?api-version=2025-01-02"
    sent = json.dumps(body).encode() if body is not None else b""
    return cloud.handle(Request.of(method, url, {"authorization": "Bearer development:x"}, sent)).status


@contextmanager
def built() -> Iterator[Cloud]:
    """A cloud in which every request of `requests` succeeds."""
    with Cloud(ManualClock(datetime(2026, 1, 1, tzinfo=UTC))) as cloud:
        cloud.add_virtual_machine("web", HOME, "production", {"os": GIB, "data": GIB})
        cloud.add_disk("free", HOME, "production", GIB)
        cloud.add_disk("free-os", HOME, "production", GIB)
        source = f"{base(cloud)}/{COMPUTE}/snapshots/source"
        assert send(cloud, "PUT", source, snapshot_body(f"{base(cloud)}/{COMPUTE}/disks/free")) == 202
        pass_time(cloud)
        yield cloud


def pass_time(cloud: Cloud) -> None:
    assert isinstance(cloud.clock, ManualClock)
    cloud.clock.advance(timedelta(hours=1))


def machine_body(compute: str, network: str) -> dict[str, Any]:
    return {
        "location": HOME,
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D4s_v5"},
            "securityProfile": {"securityType": "Standard"},
            "storageProfile": {
                "osDisk": {
                    "osType": "Linux",
                    "createOption": "Attach",
                    "managedDisk": {"id": f"{compute}/disks/free-os"},
                },
                "dataDisks": [
                    {"lun": 0, "createOption": "Attach", "managedDisk": {"id": f"{compute}/disks/free"}}
                ],
            },
            "networkProfile": {"networkInterfaces": [{"id": f"{network}/networkInterfaces/nic"}]},
        },
    }


def requests(cloud: Cloud) -> list[tuple[str, str, Any]]:
    """Return requests with bodies that are right, one for each thing that takes a body."""
    compute, network = f"{base(cloud)}/{COMPUTE}", f"{base(cloud)}/{NETWORK}"
    snapshot = f"{compute}/snapshots/source"
    subnet = f"{network}/virtualNetworks/{HOME}-network/subnets/default"
    key = {"type": "EncryptionAtRestWithPlatformKey"}
    interface = {"name": "a", "properties": {"subnet": {"id": subnet}, "privateIPAddress": None}}
    subnets = [{"name": "s", "properties": {"addressPrefix": "10.9.0.0/24"}}]
    settings_ = {"tags": {"a": "b"}, "properties": {"networkAccessPolicy": "AllowAll", "encryption": key}}
    return [
        ("PUT", f"{compute}/snapshots/new", snapshot_body(f"{compute}/disks/free", encryption=key)),
        ("PUT", f"{compute}/snapshots/copy", copy_body(snapshot, RECOVERY, encryption=key)),
        ("PATCH", snapshot, settings_),
        ("POST", f"{snapshot}/beginGetAccess", {"access": "Read", "durationInSeconds": 60}),
        ("PUT", f"{compute}/disks/new", disk_body(snapshot, tags={"a": "b"}, zones=["1"], encryption=key)),
        ("PATCH", f"{compute}/disks/free", {"sku": {"name": "Premium_LRS"}, "properties": {"diskSizeGB": 2}}),
        ("PUT", f"{network}/virtualNetworks/new", {"location": HOME, "properties": {"subnets": subnets}}),
        (
            "PUT",
            f"{network}/networkInterfaces/nic",
            {"location": HOME, "properties": {"ipConfigurations": [interface]}},
        ),
        ("PUT", f"{compute}/virtualMachines/new", machine_body(compute, network)),
        (
            "POST",
            f"{compute}/virtualMachines/web/attachDetachDataDisks",
            {"dataDisksToDetach": [{"diskId": f"{compute}/disks/web-data"}], "dataDisksToAttach": []},
        ),
        ("PATCH", f"{compute}/virtualMachines/web", {"tags": {"a": "b"}}),
        ("PUT", base(cloud), {"location": HOME, "tags": {"a": "b"}}),
    ]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of everything inside a JSON value, and of the value itself."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, each in inside for found in places(each, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of a JSON value with something else at a path."""
    if not path:
        return new
    whole = copy.deepcopy(value)
    at = whole
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = new
    return whole


def test_the_requests_of_this_test_are_right_to_begin_with():
    with built() as cloud:
        statuses = []
        for request in requests(cloud):
            statuses.append(send(cloud, *request))
            pass_time(cloud)
        assert statuses == [202, 202, 202, 202, 202, 202, 201, 201, 201, 202, 200, 200]


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_body_makes_the_simulator_stumble(data):
    with built() as cloud:
        everything = requests(cloud)
        send(cloud, *everything[7])  # the interface that the machine needs
        pass_time(cloud)
        method, path, body = data.draw(st.sampled_from(everything))
        for _ in range(data.draw(st.integers(1, 2))):
            body = changed(body, data.draw(st.sampled_from(places(body))), data.draw(JSON))
        assert send(cloud, method, path, body) < 500
        pass_time(cloud)
        for kind in LISTED:
            listed = f"/subscriptions/{cloud.subscription}/providers/Microsoft.{kind}"
            assert send(cloud, "GET", listed) == 200
