"""The way of a request through Resource Manager: who asks, for what, may they, how often, is it there.

The order is: bearer token (401), api-version (400), path (404), subscription (404), Resource Manager's own
limit (429), rights (403), resource group (404), lost region, Compute's limits (429), then the handler.
"""

from __future__ import annotations

from datetime import datetime

from simulator.arm import disks, following, groups, machines, networks, snapshots
from simulator.arm.call import Call
from simulator.arm.errors import ArmError
from simulator.arm.estate import Estate
from simulator.arm.operations import Failure
from simulator.arm.resources import Resource
from simulator.arm.roles import forbidden, identity_of
from simulator.arm.routing import Route, Router
from simulator.arm.throttling import Throttles
from simulator.regions import normalized
from simulator.wire import Request, Response

ROUTES = (
    *snapshots.ROUTES,
    *disks.ROUTES,
    *machines.ROUTES,
    *networks.ROUTES,
    *groups.ROUTES,
    *following.ROUTES,
)


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
            now = self._estate.timeline.settle()
            try:
                call, route = self._routed(request, planted_failure)
                template = route.template
                response = self._admitted(call, route, now, headers)
            except ArmError as error:
                response = error.response()
            response.headers |= headers
        return response, template

    def _routed(self, request: Request, planted_failure: Failure | None) -> tuple[Call, Route]:
        identity = identity_of(request)
        api_version = request.query.get("api-version")
        if not api_version:
            raise ArmError(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            )
        route, names = self._router.find(request.method, request.path, api_version)
        return Call(self._estate, request, route.kind, names, identity, planted_failure), route

    def _admitted(self, call: Call, route: Route, now: datetime, headers: dict[str, str]) -> Response:
        if call.names:
            _ = call.subscription
        method = call.request.method
        headers |= self._throttles.spend_arm(method, call.identity, now)
        self._authorize(call, route)
        if route.kind and len(call.names) > 1 and (len(call.names) > 2 or method != "PUT"):
            _ = call.group
        subject = self._subject(call)
        location = self._check_region(call, route, subject)
        scope = f"{call.names[0].lower()}|{location}" if call.names else ""
        remaining, refusal = self._throttles.spend(route.costs, scope, self._key(call, subject), now)
        headers |= remaining
        return refusal or route.handler(call)

    def _authorize(self, call: Call, route: Route) -> None:
        if not route.action:
            return
        scope = (
            call.id.text
            if len(call.names) > 2
            else f"/{'/'.join(call.request.path.strip('/').split('/')[:4])}"
        )
        if not self._estate.authorize(call.identity, route.action, scope):
            raise forbidden(call.identity, route.action, scope)

    def _subject(self, call: Call) -> Resource | None:
        is_named = call.kind and len(call.names) > 2
        return self._estate.shelf.find(Resource, call.id) if is_named else None

    def _check_region(self, call: Call, route: Route, subject: Resource | None) -> str:
        """Fail as a lost region does where the resource or its group is lost; return the region that "
        "counts."""
        regions = self._estate.regions
        if not route.kind:
            location = normalized(call.names[1]) if len(call.names) > 1 else ""
            regions.check(location)
            return location
        if len(call.names) < 2:
            return ""
        group = call.subscription.groups.get(call.names[1].lower())
        location = subject.location if subject else group.location if group else ""
        regions.check(*([group.location] if group else []), location)
        return location

    def _key(self, call: Call, subject: Resource | None) -> str:
        if subject is not None:
            return subject.id.key
        operation = self._estate.operations.find(call.names[2]) if len(call.names) > 2 else None
        return operation.subject if operation else call.request.path.lower()
