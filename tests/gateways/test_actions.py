"""The table of actions is what the gateways need, no less and no more, and each gateway has one identity.

The simulator says for itself what a request needs, where its routes are: two tables that must agree.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest

import gateways.page_blobs
import gateways.tables
from clock import ManualClock
from domain.errors import Refused
from domain.policy import Policies, Scope
from gateways.actions import ACTIONS, Assignment, OptIn, Where, assignments, opt_in_of
from gateways.connection import Cloud
from settings import Identity
from simulator.cloud import Cloud as Simulated
from tests.gateways.played import location, played
from tests.gateways.scripted import SUBSCRIPTION
from tests.gateways.simulated import START

STORAGE = {
    "Manifests": Identity.RUNTIME,
    "PageBlobDeletions": Identity.RETENTION,
    "RestoreBlobs": Identity.RESTORE,
    "Table": Identity.RUNTIME,  # of the catalogue
}
NEEDED = [
    (identity, action.name)
    for identity, needed in ACTIONS.items()
    for action in needed
    if not action.is_of_storage
]


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
    assert scopes("listKeys/action") == {north.account_id}
    assert {each.action for each in found if "Storage" in each.action} == {
        "Microsoft.Storage/storageAccounts/listKeys/action"
    }
    assert {action.where for needed in ACTIONS.values() for action in needed} == set(Where)
