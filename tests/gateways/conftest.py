"""What every test of a gateway may use: a simulated cloud, and a machine in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clock import ManualClock
from domain.vms import POLICY_TAG
from gateways.compute import Compute
from settings import Identity
from simulator.cloud import Cloud
from simulator.transport import transport
from simulator.world_handles import DiskSpec, MachineHandle
from tests.gateways.scripted import SUBSCRIPTION, Token
from tests.gateways.simulated import GIB, START, Azure


@pytest.fixture
def azure() -> Iterator[Azure]:
    clock = ManualClock(START)
    cloud = Cloud(clock)
    cloud.add_subscription(SUBSCRIPTION)
    for name, region in (("west", "westeurope"), ("north", "northeurope")):
        cloud.add_resource_group(f"snapshots-{name}", region)
        cloud.add_resource_group(f"restored-{name}", region)
    tester = Token("development:tester")  # no roles are given, so it may do all
    compute = Compute(tester, "https://management.azure.com", transport(cloud), identity=Identity.BACKUP)
    yield Azure(cloud, clock, compute)
    cloud.faults.verify_all_met()
    cloud.close()


@pytest.fixture
def web(azure: Azure) -> MachineHandle:
    return azure.cloud.add_virtual_machine(
        "web",
        "westeurope",
        "production",
        {"os": 8 * GIB, "data": DiskSpec(64 * GIB, "StandardSSD_LRS")},
        tags={POLICY_TAG: "daily"},
    )
