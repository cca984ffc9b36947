"""Subscriptions and resource groups."""

from __future__ import annotations

import re
from typing import Any

from simulator.arm import disks, errors, fields, machines, snapshots
from simulator.arm.access_grants import require_no_access
from simulator.arm.call import Call
from simulator.arm.disk_model import Disk
from simulator.arm.errors import ArmError
from simulator.arm.estate import Estate, ResourceGroup, Subscription
from simulator.arm.machine_model import VirtualMachine
from simulator.arm.network_models import NetworkInterface
from simulator.arm.resources import Resource
from simulator.arm.routing import GROUP, SUBSCRIPTION, Route
from simulator.arm.snapshot_model import Snapshot
from simulator.regions import REGIONS
from simulator.wire import Response

KIND = "Microsoft.Resources/resourceGroups"
_READ = "Microsoft.Resources/subscriptions/resourceGroups/read"
_NAME = re.compile(r"[-\w.()]{0,89}[-\w()]")


def list_subscriptions(call: Call) -> Response:
    """Answer all subscriptions; there is one page."""
    found = [_subscription(each) for each in call.estate.subscriptions.values()]
    return Response.of_json(200, {"value": found})


def get_subscription(call: Call) -> Response:
    """Answer one subscription."""
    return Response.of_json(200, _subscription(call.subscription))


def list_locations(call: Call) -> Response:
    """Answer the regions that there are."""
    prefix = f"/subscriptions/{call.subscription.id}/locations"
    found = [
        {"id": f"{prefix}/{each.name}", "name": each.name, "type": "Region", "displayName": each.display_name}
        for each in REGIONS.values()
    ]
    return Response.of_json(200, {"value": found})


def list_groups(call: Call) -> Response:
    """Answer the resource groups of a subscription; those located in a lost region are left out."""
    groups = call.subscription.groups.values()
    shown = [group for group in groups if not call.estate.regions.is_lost(group.location)]
    return Response.of_json(200, {"value": [_group(each) for each in shown]})


def get_group(call: Call) -> Response:
    """Answer one resource group."""
    return Response.of_json(200, _group(call.group))


def head_group(call: Call) -> Response:
    """Answer whether a resource group exists."""
    call.require_group()
    return Response(204)


def put_group(call: Call) -> Response:
    """Create a resource group, or change its tags; it never moves to another location."""
    name = call.names[1]
    if not _NAME.fullmatch(name):
        raise errors.invalid_parameter(
            f"The resource group name '{name}' is invalid: 1 to 90 letters, digits, '-', '_', '.' and "
            "parentheses, not ending in a dot.",
            "resourceGroupName",
        )
    location = fields.location(call.body, KIND)
    groups = call.subscription.groups
    group = groups.get(name.lower())
    call.estate.regions.check(location)
    if group is not None and group.location != location:
        raise ArmError(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{group.location}'.",
        )
    status = 201 if group is None else 200
    if group is None:
        group = groups[name.lower()] = ResourceGroup(call.subscription.id, name, location)
    group.tags = fields.tags(call.body)
    return Response.of_json(status, _group(group))


def delete_group(call: Call) -> Response:
    """Delete a resource group with all that is in it, at once.

    Azure takes minutes and answers 202; an active SAS in the group stalls it there. Here the deletion is
    refused while something in the group is in use, so that no client takes a half-deleted group for gone.
    """
    group = call.group
    prefix = f"/subscriptions/{call.names[0].lower()}/resourcegroups/{group.name.lower()}/"
    resources = list(call.estate.shelf.under(prefix))
    for resource in resources:
        _require_unused(resource, prefix)
    for resource in resources:
        _remove(call.estate, resource)
    del call.subscription.groups[group.name.lower()]
    return Response(200)


def _remove(estate: Estate, resource: Resource) -> None:
    match resource:
        case Disk():
            disks.remove(resource)
        case Snapshot():
            snapshots.remove(resource)
        case VirtualMachine():
            machines.remove(estate, resource)
        case _:
            estate.shelf.remove(resource)


def _require_unused(resource: Resource, prefix: str) -> None:
    resource.require_idle()
    if isinstance(resource, Disk):
        disks.require_unused(resource)
    if isinstance(resource, Snapshot):
        require_no_access(resource.estate, resource)
    machine = resource.machine if isinstance(resource, Disk | NetworkInterface) else None
    if machine is not None and not machine.id.key.startswith(prefix):
        raise errors.operation_not_allowed(
            f"'{resource.id}' is used by {machine.id}; its resource group cannot be deleted."
        )


def _subscription(subscription: Subscription) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription.id}",
        "subscriptionId": subscription.id,
        "displayName": subscription.name,
        "state": "Enabled",
    }


def _group(group: ResourceGroup) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{group.subscription}/resourceGroups/{group.name}",
        "name": group.name,
        "type": KIND,
        "location": group.location,
        "tags": dict(group.tags),
        "properties": {"provisioningState": group.provisioning_state},
    }


ROUTES = (
    Route("GET", "/subscriptions", list_subscriptions, "Microsoft.Resources/subscriptions/read"),
    Route("GET", SUBSCRIPTION, get_subscription, "Microsoft.Resources/subscriptions/read"),
    Route("GET", f"{SUBSCRIPTION}/locations", list_locations, "Microsoft.Resources/subscriptions/read"),
    Route("GET", f"{SUBSCRIPTION}/resourcegroups", list_groups, _READ, kind=KIND),
    Route("GET", GROUP, get_group, _READ, kind=KIND),
    Route("HEAD", GROUP, head_group, _READ, kind=KIND),
    Route("PUT", GROUP, put_group, _READ.replace("/read", "/write"), kind=KIND),
    Route("DELETE", GROUP, delete_group, _READ.replace("/read", "/delete"), kind=KIND),
)
