"""The way of a request through Resource Manager: who asks, for what, may they, how often, is it there.

The order is: bearer token (401), api-version (400), path (404), subscription (404), Resource Manager's own
limit (429), rights (403), resource group (404), lost region, Compute's limits (429), then the handler.
"""

from __future__ import annotations

import re

from simulator.arm import (
    disks,
    encryption_sets,
    following,
    groups,
    machines,
    network_interfaces,
    networks,
    skus,
    snapshots,
)
from simulator.arm.call import Call
from simulator.arm.errors import ArmError
from simulator.arm.estate import Estate
from simulator.arm.members import check_members, is_known
from simulator.arm.operations import Failure
from simulator.arm.resources import Resource
from simulator.arm.roles import forbidden, identity_of
from simulator.arm.routing import Route, Router
from simulator.arm.throttling import Throttles
from simulator.arm.versions import check_version
from simulator.regions import normalized
from simulator.wire import Request, Response

ROUTES = (
    *snapshots.ROUTES,
    *disks.ROUTES,
    *encryption_sets.ROUTES,
    *machines.ROUTES,
    *networks.ROUTES,
    *network_interfaces.ROUTES,
    *groups.ROUTES,
    *skus.ROUTES,
    *following.ROUTES,
)


_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z]+)?")


class FrontDoor:
    """Resource Manager's endpoint."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._router = Router(ROUTES)
        self._throttles = Throttles()

    def answer(self, request: Request, planted_failure: Failure | None = None) -> tuple[Response, str]:
        """Answer a request; return the answer and the template of its route, for the meter.

        Raises ConnectionDropped for what is in a lost region.
        """
        headers: dict[str, str] = {}
        template = "unknown"
        with self._estate.lock:
            self._estate.timeline.settle()
            try:
                call, route = self._routed(request, planted_failure)
                template = route.template
                response = self._admitted(call, route, headers)
            except ArmError as error:
                response = error.response()
            response.headers |= headers
        return response, template

    def _routed(self, request: Request, planted_failure: Failure | None) -> tuple[Call, Route]:
        identity = identity_of(request)
        api_version = _api_version(request)
        route, names = self._router.find(request.method, request.path, api_version)
        call = Call(self._estate, request, route.kind, names, identity, route.action, planted_failure)
        return call, route

    def _admitted(self, call: Call, route: Route, headers: dict[str, str]) -> Response:
        estate = self._estate
        call.require_subscription()
        headers |= self._throttles.spend_arm(call.request.method, call.identity, estate.now)
        if route.action and not estate.authorize(call.identity, route.action, call.scope):
            raise forbidden(call.identity, route.action, call.scope)
        if call.names_resource or (call.names_group and route.handler is not groups.put_group):
            call.require_group()
        subject = estate.shelf.find(Resource, call.id) if call.names_resource else None
        check_version(call.kind, call.api_version, subject.location if subject else "")
        locations = self._locations(call, subject)
        estate.regions.check(*locations)
        region = f"{call.names[0].lower()}|{locations[-1]}" if locations else call.scope
        remaining, refusal = self._throttles.spend(
            route.costs, region, self._throttled(call, subject), estate.now
        )
        headers |= remaining
        if refusal is not None:
            return refusal
        if is_known(call.request.method, call.kind):
            check_members(call.request.method, call.kind, call.body)
        return route.handler(call)

    def _locations(self, call: Call, subject: Resource | None) -> list[str]:
        """Return the regions that a call depends on: its group's, then the one where the work is done."""
        if call.follows_operation:
            return [normalized(call.names[1])]
        group = call.find_group()
        return ([group.location] if group else []) + ([subject.location] if subject else [])

    def _throttled(self, call: Call, subject: Resource | None) -> str:
        """Return the key of the resource whose own limits a call counts against."""
        if call.follows_operation:
            operation = self._estate.operations.find(call.names[2])
            return operation.subject if operation else ""
        return subject.id.key if subject else call.request.path.lower()


def _api_version(request: Request) -> str:
    found = request.query.get("api-version")
    if not found:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if not _VERSION.fullmatch(found):
        raise ArmError(400, "InvalidApiVersionParameter", f"The api-version '{found}' is invalid.")
    return found
