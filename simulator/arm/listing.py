"""Lists, page by page.

A list leaves out what is lost with a region; Azure's real behaviour is unknown. Ids in lists of virtual
machines come with their resource group in capitals, as Compute is known to return them.
"""

from __future__ import annotations

from urllib.parse import quote

from simulator.arm import errors
from simulator.arm.call import Call
from simulator.arm.resources import Resource
from simulator.wire import Response

_NOT_SIMULATED = ("$filter", "$expand", "statusOnly")


def list_resources(call: Call) -> Response:
    """Answer one page of the resources of a kind in a resource group or in a subscription."""
    estate = call.estate
    for name in _NOT_SIMULATED:
        if call.request.query.get(name, "").lower() not in ("", "false"):
            raise errors.not_simulated(f"lists with '{name}'")
    prefix = f"/subscriptions/{call.subscription.id.lower()}/resourcegroups/"
    if len(call.names) > 1:
        prefix += f"{call.group.name.lower()}/"
    found, last = estate.shelf.page(
        call.kind,
        prefix,
        call.request.query.get("$skiptoken", ""),
        estate.tempo.page_size,
        estate.is_reachable,
    )
    answer: dict[str, object] = {"value": [_listed(resource) for resource in found]}
    if last is not None:
        path = quote(call.request.path)
        version, token = quote(call.api_version), quote(last, safe="")
        answer["nextLink"] = f"{estate.management_url}{path}?api-version={version}&$skiptoken={token}"
    return Response.of_json(200, answer)


def _listed(resource: Resource) -> dict[str, object]:
    document = resource.document()
    if resource.id.kind.endswith("/virtualMachines"):
        document["id"] = resource.id.shouted()
    return document
