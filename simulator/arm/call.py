"""One call to the simulated Resource Manager: what came in, and the ways to answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from simulator.arm import errors
from simulator.arm.errors import ArmError
from simulator.arm.estate import Estate, ResourceGroup, Subscription
from simulator.arm.identifiers import ResourceId
from simulator.arm.operations import DISK_OPERATIONS, Document, Failure, Operation, Work, end, urls
from simulator.arm.resources import Resource
from simulator.arm.roles import linked_forbidden
from simulator.wire import Request, Response


@dataclass
class Call:
    """A request whose route is known; `names` are the parts of its path that the route leaves open."""

    estate: Estate
    request: Request
    kind: str
    names: tuple[str, ...]
    identity: str
    action: str = ""  # the right that the route needs
    planted_failure: Failure | None = None

    @property
    def api_version(self) -> str:
        return self.request.query.get("api-version", "")

    @cached_property
    def id(self) -> ResourceId:
        """The id that the path names; the group and the names are written as the client wrote them."""
        return ResourceId(self.names[0], self.names[1], self.kind, self.names[2:])

    @property
    def names_resource(self) -> bool:
        """Whether the path names a resource in a resource group."""
        return bool(self.kind) and len(self.names) > 2

    @property
    def names_group(self) -> bool:
        """Whether the path names a resource group."""
        return bool(self.kind) and len(self.names) > 1

    @property
    def follows_operation(self) -> bool:
        """Whether the path names a location and an operation there."""
        return not self.kind and len(self.names) > 2

    @property
    def scope(self) -> str:
        """The scope that rights are asked for: a resource, a group, a subscription, or everything."""
        if self.names_resource:
            return self.id.text
        if self.follows_operation:
            return f"/subscriptions/{self.names[0]}"
        parts = ("/subscriptions/", "/resourceGroups/")
        return "".join(part + name for part, name in zip(parts, self.names, strict=False)) or "/"

    @property
    def subscription(self) -> Subscription:
        """The subscription that the path names; raises ArmError 404 SubscriptionNotFound."""
        found = self.estate.subscriptions.get(self.names[0].lower())
        if found is None:
            raise ArmError(
                404, "SubscriptionNotFound", f"The subscription '{self.names[0]}' could not be found."
            )
        return found

    @property
    def group(self) -> ResourceGroup:
        """The resource group that the path names; raises ArmError 404 ResourceGroupNotFound."""
        found = self.find_group()
        if found is None:
            raise errors.group_not_found(self.names[1])
        return found

    def find_group(self) -> ResourceGroup | None:
        """Return the resource group that the path names, if it names one and it exists."""
        return self.subscription.groups.get(self.names[1].lower()) if self.names_group else None

    def require_subscription(self) -> None:
        """Check that the subscription exists; raises ArmError 404 SubscriptionNotFound."""
        if self.names:
            _ = self.subscription

    def require_group(self) -> None:
        """Check that the resource group exists; raises ArmError 404 ResourceGroupNotFound."""
        _ = self.group

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """The body, a JSON object; raises ArmError 400 InvalidRequestContent."""
        try:
            value = self.request.json()
        except ValueError as error:
            raise errors.invalid_content(str(error)) from error
        if not isinstance(value, dict):
            raise errors.invalid_content("a JSON object was expected")
        return value

    def require_linked(self, action: str, scope: str) -> None:
        """Check a right that the call needs on another resource than its own; raises ArmError 403."""
        if not self.estate.authorize(self.identity, action, scope):
            raise linked_forbidden(self.identity, (self.action, self.id.text), (action, scope))

    def begin(self, resource: Resource, work: Work, segment: str = DISK_OPERATIONS) -> Operation:
        """Accept an operation that changes `resource`, and let it end in its time and region."""
        estate = self.estate
        operation = Operation(
            id=(operation_id := estate.unique_ids.new()),
            group=estate.unique_ids.new(),
            path=f"/subscriptions/{resource.id.subscription}/providers/{resource.id.kind.split('/')[0]}"
            f"/locations/{resource.location}/{segment}/{operation_id}",
            location=resource.location,
            subject=resource.id.key,
            started=estate.now,
            failure=self.planted_failure,
        )
        estate.operations.add(operation)
        resource.is_changing = True
        resource.version += 1
        if work.states is not None:
            resource.provisioning_state = work.states.meanwhile
        estate.timeline.at(
            estate.after(work.takes), resource.location, lambda moment: end(operation, resource, work, moment)
        )
        return operation

    def accepted(
        self, operation: Operation, status: int = 202, body: Document | None = None, monitor: bool = True
    ) -> Response:
        """Answer that an operation was accepted, with the headers by which to follow it."""
        followed, monitored = urls(self.estate.management_url, operation, self.api_version)
        answer = Response(status) if body is None else Response.of_json(status, body)
        answer.headers["azure-asyncoperation"] = followed
        if monitor:
            answer.headers["location"] = monitored
        return answer
