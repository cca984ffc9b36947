"""The table of actions is what the gateways need, no less and no more, and each gateway has one identity.

The simulator says for itself what a request needs, where its routes are: two tables that must agree.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import gateways.page_blobs
import gateways.tables
from clock import ManualClock
from domain.errors import Refused
from domain.networks import InterfacePlan, RestoredInterface, SubnetAddress
from domain.policy import Location, Policies, Scope
from domain.restored_machines import Attachment, MachinePlan
from domain.restores import DiskPlan
from gateways.actions import ACTIONS, Assignment, OptIn, Where, assignments, opt_in_of
from gateways.connection import Cloud, connect
from settings import Development, Identity, Settings
from simulator.arm.machine_model import VirtualMachine
from simulator.cloud import Cloud as Simulated
from simulator.transport import transport
from simulator.world_handles import MachineHandle
from tests.gateways.scripted import SUBSCRIPTION
from tests.gateways.simulated import GIB, START, HurriedClock

EXAMPLE = Path(__file__).parents[2] / "policies.yaml"
STORAGE = {
    "Manifests": Identity.RUNTIME,
    "PageBlobDeletions": Identity.RETENTION,
    "Table": Identity.RUNTIME,  # of the catalogue
}
NEEDED = [
    (identity, action.name)
    for identity, needed in ACTIONS.items()
    for action in needed
    if not action.is_of_storage
]
POINT = "point"


@dataclass
class Play:
    """A simulated cloud whose identities have roles, and all gateways over it."""

    simulated: Simulated
    clock: ManualClock
    there: Cloud
    web: MachineHandle
    west: Location
    north: Location

    def pass_time(self, minutes: float = 10) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    def call_everything(self) -> None:
        """Call each gateway of Resource Manager in each way that needs another right."""
        snapshot, copy = self.west.snapshot_id("taken"), self.north.snapshot_id("copied")
        there, disk = self.there, self.web.disk("os")
        assert [vm.name for vm in there.virtual_machines.listed(Scope(SUBSCRIPTION))] == ["web"]
        there.virtual_machines.describe(self.web.id)
        there.snapshots.begin(snapshot, disk.id, self.west, {"tidemark-point": POINT})
        self.pass_time()
        key = "EncryptionAtRestWithCustomerKey"
        there.disk_data.open(snapshot, timedelta(hours=1))
        there.disk_data.close(snapshot)
        there.snapshots.begin_copy(copy, snapshot, self.north, {"tidemark-point": POINT}, key)
        self.pass_time(60)
        assert there.snapshots.find(copy).percent == 100
        self.restore(copy)
        assert not there.deletions.delete_snapshot(snapshot, POINT)

    def restore(self, snapshot: str) -> None:
        group = f"{self.north.restore_group_id}/providers"
        disk = DiskPlan(
            id=f"{group}/Microsoft.Compute/disks/web-os",
            region="northeurope",
            sku="Premium_LRS",
            size_bytes=8 * GIB,
            snapshot_id=snapshot,
            source_disk="web-os",
            lun=None,
            encryption_set_id=self.north.encryption_set_id,
        )
        interface = InterfacePlan(
            f"{group}/Microsoft.Network/networkInterfaces/web", "northeurope", self.north.subnet_id, TAGS
        )
        machine = MachinePlan(
            id=f"{group}/Microsoft.Compute/virtualMachines/web",
            region="northeurope",
            size="Standard_D4s_v5",
            os_type="Linux",
            disks=(Attachment(disk.id, None, "ReadWrite"),),
            interface=interface,
            tags=TAGS,
        )
        self.make(disk, interface, machine)

    def make(self, disk: DiskPlan, interface: InterfacePlan, machine: MachinePlan) -> None:
        self.there.disks.begin(disk)
        self.pass_time()
        self.there.disks.find(disk.id)
        assert self.there.machine_sizes.find(SUBSCRIPTION, "northeurope", machine.size)
        self.there.networks.find(SubnetAddress.parse(self.north.subnet_id))
        self.there.networks.begin_interface(interface, OPERATION)
        self.pass_time()
        assert isinstance(self.there.networks.find_interface(interface.id), RestoredInterface)
        self.there.restored_machines.begin(machine, OPERATION)
        self.pass_time()
        made = self.simulated.estate.shelf.find(VirtualMachine, machine.id)
        made.provisioning_state = "Failed"  # so that somebody asks why
        assert self.there.restored_machines.find(machine.id).has_failed


OPERATION = "20261122-0123456789abcdef0123"
TAGS = {"tidemark-operation": OPERATION}


@contextmanager
def played(without: tuple[Identity, str] | None = None) -> Iterator[Play]:
    """A play in which every identity has what the table says, but for one action."""
    clock = HurriedClock(START)
    with Simulated(clock) as simulated:
        simulated.add_subscription(SUBSCRIPTION)
        west, north = location(simulated, "west", "westeurope"), location(simulated, "north", "northeurope")
        for each in assignments(Policies((Scope(SUBSCRIPTION),), {"west": west, "north": north}, {})):
            if (each.identity, each.action) != without:
                simulated.roles.grant(each.identity, [each.action], each.scope)
        settings = Settings(
            "https://catalogue.example", EXAMPLE, "https://management.azure.com", False, Development("", {})
        )
        there = connect(settings, clock=clock, transport=transport(simulated))
        web = simulated.add_virtual_machine("web", "westeurope", "production", {"os": 8 * GIB})
        yield Play(simulated, clock, there, web, west, north)


def location(simulated: Simulated, name: str, region: str) -> Location:
    for purpose in ("snapshots", "restored", "network", "keys"):
        simulated.add_resource_group(f"{purpose}-{name}", region)
    subnet = simulated.add_network(f"network-{name}", region, f"network-{name}")
    key = simulated.add_disk_encryption_set("key", region, f"keys-{name}")
    manifests = f"https://{name}.example/manifests"
    return Location(
        name, region, SUBSCRIPTION, f"snapshots-{name}", manifests, f"restored-{name}", key, subnet
    )


def test_the_gateways_need_every_action_of_the_table_and_no_other():
    with played() as play:
        play.call_everything()
        assert set(play.simulated.meter.rights) == set(NEEDED)


@pytest.mark.parametrize(("identity", "action"), NEEDED)
def test_an_identity_that_lacks_an_action_is_refused_by_name_and_told_what_to_do(identity, action):
    with played(without=(identity, action)) as play:
        with pytest.raises(Refused) as refused:
            play.call_everything()
        assert refused.value.code in ("AuthorizationFailed", "LinkedAuthorizationFailed")
        told = str(refused.value)
        allowed = "VM restore is not allowed in this deployment, its parameter allowVmRestore allows it: "
        assert told.startswith(
            f"{allowed if opt_in_of(identity, action) else ''}identity '{identity}' ({identity.setting}) "
            f"may not do {action} on /subscriptions/"
        )
        assert "give it a role with this action there" in told


def test_backup_cannot_delete_and_retention_cannot_write():
    names = {identity: [action.name for action in needed] for identity, needed in ACTIONS.items()}
    assert not [name for name in names[Identity.BACKUP] if "delete" in name]
    assert not [name for name in names[Identity.RUNTIME] if "blobs/delete" in name]
    assert not [name for name in names[Identity.RESTORE] if "delete" in name or "snapshots/write" in name]
    assert not [name for name in names[Identity.RETENTION] if not name.endswith(("/read", "/delete"))]


def test_no_action_is_a_wildcard_and_none_stands_twice():
    for needed in ACTIONS.values():
        names = [(action.name, action.where) for action in needed]
        assert len(set(names)) == len(names)
        assert not [name for name, _ in names if "*" in name]


def gateways_of(connected: Cloud) -> Mapping[str, Any]:
    found = {field.name: getattr(connected, field.name) for field in fields(connected)}
    return {
        type(each).__name__: each for each in found.values() if type(each).__module__.startswith("gateways.")
    }


def calls_under(identity: Identity) -> set[str]:
    return {call for action in ACTIONS[identity] for call in action.calls}


def test_every_gateway_is_opened_for_the_one_identity_that_its_calls_stand_under():
    with played() as play:
        for name, gateway in gateways_of(play.there).items():
            under = [
                each for each in Identity if any(call.startswith(f"{name}.") for call in calls_under(each))
            ]
            if name in ("Catalogue", "PageBlobs"):
                assert under == []  # they give out tables and page blobs
            elif hasattr(gateway, "compute"):
                assert under == [gateway.compute.identity]
            else:
                assert under == [STORAGE[name]]


def test_every_call_of_every_gateway_is_in_the_table_and_the_table_names_no_other():
    with played() as play:
        found = gateways_of(play.there)
        classes = [type(each) for name, each in found.items() if name not in ("Catalogue", "PageBlobs")]
    there = {
        f"{each.__name__}.{name}"
        for each in (*classes, gateways.tables.Table, gateways.page_blobs.PageBlob)
        for name, _ in inspect.getmembers(each, inspect.isfunction)
        if not name.startswith("_")
    }
    assert set().union(*map(calls_under, Identity)) - {"Table"} == there


def test_what_restores_of_vms_alone_need_is_given_only_where_they_are_allowed():
    needed = {
        f"Microsoft.Compute/{name}"
        for name in (
            "skus/read", "virtualMachines/read", "virtualMachines/write", "virtualMachines/instanceView/read",
        )
    } | {
        f"Microsoft.Network/{name}"
        for name in (
            "networkInterfaces/read", "networkInterfaces/write", "networkInterfaces/join/action",
            "virtualNetworks/read", "virtualNetworks/subnets/join/action",
        )
    }  # fmt: skip
    opted = {action.name for action in ACTIONS[Identity.RESTORE] if action.opt_in is OptIn.VM_RESTORE}
    assert opted == needed
    assert OptIn.VM_RESTORE.parameter == "allowVmRestore"
    for identity in set(Identity) - {Identity.RESTORE}:
        assert not [action for action in ACTIONS[identity] if action.opt_in]


def test_assignments_reach_no_further_than_the_policies_do():
    with Simulated(ManualClock(START)) as simulated:
        simulated.add_subscription(SUBSCRIPTION)
        north = location(simulated, "north", "northeurope")
    protected = (Scope("whole"), Scope("some", "web"), Scope("some", "data"))
    found = assignments(Policies(protected, {"north": north}, {}))

    def scopes(action: str) -> set[str]:
        return {each.scope for each in found if each.action.endswith(action)}

    for scope in (
        "/subscriptions/whole", "/subscriptions/some/resourceGroups/web",
        "/subscriptions/some/resourceGroups/data",
    ):  # fmt: skip
        assert Assignment(Identity.BACKUP, "Microsoft.Compute/virtualMachines/read", scope) in found
    assert not [each for each in found if each.scope == "/subscriptions/some"]
    assert scopes("snapshots/delete") == {north.group_id}
    assert scopes("disks/write") == {north.restore_group_id}
    assert scopes("subnets/join/action") == {north.subnet_id}
    assert scopes("skus/read") == {f"/subscriptions/{north.subscription}"}
    assert scopes("virtualNetworks/read") == {north.subnet_id.split("/subnets/")[0]}
    assert scopes("diskEncryptionSets/read") == {north.encryption_set_id}
    assert not [each for each in found if "Storage" in each.action]
    assert {action.where for needed in ACTIONS.values() for action in needed} == set(Where)
