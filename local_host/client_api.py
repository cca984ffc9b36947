"""The Durable HTTP API, with the routes and answers of the extension's HttpApiHandler.

It is reached under /runtime/webhooks/durabletask with the system key, and under /durabletask/ by the SDK's
client. Where the newest extension differs from the snapshot read (a7c6d694), the newest is followed: 409 for
an id in use, 412 for a rewind of what has not failed. Rewind of what has failed is 501. As in Azure a list
has 100 instances per page unless `top` says otherwise, and the SDK's client never asks for the second page.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from local_host.answers import error_answer, flag, json_answer, moment_of, nothing, seconds
from local_host.entity_api import EntityApi
from local_host.history import Event
from local_host.instances import Filter, Instance, InstanceInUseError
from local_host.links import Links
from local_host.management import (
    ArgumentRefusedError,
    Management,
    OperationRefusedError,
    created_between,
)
from local_host.status import status_json

PAGE = 100
CONTINUATION = "x-ms-continuation-token"


class ClientApi:
    """Answers requests for one host."""

    def __init__(
        self, management: Management, entities: EntityApi, links: Links, history: Callable[[str], list[Event]]
    ) -> None:
        self._management = management
        self._entities = entities
        self._links = links
        self._history = history

    async def handle(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Answer a request for `path`, which is what follows the API's root."""
        try:
            handler = self._route(request.method, [part for part in path.strip("/").split("/") if part])
            return await handler(request) if handler else nothing(404)
        except ArgumentRefusedError as error:
            return error_answer(400, "One or more of the arguments submitted is incorrect", error)
        except OperationRefusedError as error:
            return error_answer(500, "Something went wrong while processing your request", error)
        except InstanceInUseError as error:
            return json_answer({"Message": str(error)}, 409)

    def _route(
        self, method: str, parts: list[str]
    ) -> Callable[[web.BaseRequest], Awaitable[web.Response]] | None:
        """Find who answers; the first part says what it is about."""
        kind = parts[0].lower() if parts else ""
        if kind == "orchestrators" and method == "POST" and len(parts) in (2, 3):
            return lambda request: self._start(request, parts[1], parts[2] if len(parts) == 3 else None)
        if kind == "instances":
            return self._instances_route(method, parts[1:])
        if kind == "entities" and len(parts) <= 3:
            return self._entities.route(method, parts[1:])
        return None

    def _instances_route(
        self, method: str, parts: list[str]
    ) -> Callable[[web.BaseRequest], Awaitable[web.Response]] | None:
        if not parts:
            return {"GET": self._list, "DELETE": self._purge_all}.get(method)
        if len(parts) == 1:
            about = {"GET": self._status, "DELETE": self._purge}.get(method)
            return (lambda request: about(request, parts[0])) if about else None
        if method != "POST":
            return None
        operation = parts[1].lower()
        if operation == "raiseevent" and len(parts) == 3:
            return lambda request: self._raise_event(request, parts[0], parts[2])
        if operation == "restart" and len(parts) == 2:
            return lambda request: self._restart(request, parts[0])
        if operation in ("terminate", "suspend", "resume", "rewind") and len(parts) == 2:
            return lambda request: self._change(request, parts[0], operation)
        return None

    async def _start(self, request: web.BaseRequest, name: str, instance_id: str | None) -> web.Response:
        text = await request.text()
        try:
            input_text = json.dumps(json.loads(text)) if text else None
        except ValueError as error:
            return error_answer(400, "Invalid JSON content", error)
        instance_id = self._management.start(name, input_text, instance_id, request.query.get("version"))
        timeout, interval = seconds(request, "timeout"), seconds(request, "pollingInterval")
        if timeout is not None and interval is not None:
            instance = await self._wait(instance_id, timeout, interval)
            if instance is not None:
                document = status_json(instance, show_input=True)
                return json_answer(document["output"] if instance.status == "Completed" else document)
        return self._accepted(request, instance_id)

    async def _wait(self, instance_id: str, timeout: float, interval: float) -> Instance | None:
        """Wait for an instance to end, in wall time; None if it does not."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while loop.time() < deadline:
            instance = self._management.find(instance_id)
            if instance is not None and instance.is_over:
                return instance
            await asyncio.sleep(min(interval, max(0.0, deadline - loop.time())))
        return None

    def _accepted(self, request: web.BaseRequest, instance_id: str) -> web.Response:
        links = self._links.management(instance_id, f"{request.scheme}://{request.host}")
        return json_answer(links, 202, {"Location": links["statusQueryGetUri"], "Retry-After": "10"})

    async def _status(self, request: web.BaseRequest, instance_id: str) -> web.Response:
        instance = self._management.find(instance_id)
        if instance is None:
            return nothing(404)
        history = None
        if flag(request, "showHistory", False) and instance.status != "Pending":
            history = self._history(instance_id)
        document = status_json(
            instance, flag(request, "showInput", True), history, flag(request, "showHistoryOutput", False)
        )
        if not instance.is_over:
            return json_answer(document, 202, {"Location": str(request.url), "Retry-After": "5"})
        fails = instance.status == "Failed" and flag(request, "returnInternalServerErrorOnFailure", False)
        return json_answer(document, 500 if fails else 200)

    async def _list(self, request: web.BaseRequest) -> web.Response:
        top = request.query.get("top", "")
        limit = int(top) if top.isdigit() and int(top) else PAGE
        token = request.headers.get(CONTINUATION)
        after = base64.b64decode(token).decode() if token else None
        found = self._management.select(_filter(request), limit + 1, after)
        page = found[:limit]
        following = base64.b64encode(page[-1].instance_id.encode()).decode() if len(found) > limit else ""
        show_input = flag(request, "showInput", False)
        return json_answer(
            [status_json(instance, show_input) for instance in page], headers={CONTINUATION: following}
        )

    async def _purge(self, request: web.BaseRequest, instance_id: str) -> web.Response:
        count = self._management.purge(instance_id)
        return json_answer({"instancesDeleted": count}) if count else nothing(404)

    async def _purge_all(self, request: web.BaseRequest) -> web.Response:
        if "createdTimeFrom" not in request.query:
            return json_answer("Please provide value for 'createdTimeFrom' parameter.", 400)
        count = self._management.purge_all(_filter(request))
        return json_answer({"instancesDeleted": count}) if count else nothing(404)

    async def _raise_event(self, request: web.BaseRequest, instance_id: str, name: str) -> web.Response:
        refusal = self._refusal(instance_id)
        if refusal is not None:
            return refusal
        if request.content_type != "application/json":
            return json_answer({"Message": "Only application/json request content is supported"}, 400)
        try:
            data = json.loads(await request.text())
        except ValueError as error:
            return error_answer(400, "Invalid JSON content", error)
        self._management.raise_event(instance_id, name, json.dumps(data))
        return nothing(202)

    async def _change(self, request: web.BaseRequest, instance_id: str, operation: str) -> web.Response:
        """Terminate, suspend, resume; rewind is refused."""
        instance = self._management.find(instance_id)
        reason = request.query.get("reason")
        if operation == "rewind" and instance is not None:
            return _rewind(instance)
        refusal = self._refusal(instance_id)
        if refusal is not None or instance is None:
            return refusal or nothing(404)
        if operation == "terminate":
            self._management.terminate(instance_id, reason)
        elif operation == "suspend":
            self._management.suspend(instance, reason)
        else:
            self._management.resume(instance, reason)
        return nothing(202)

    def _refusal(self, instance_id: str) -> web.Response | None:
        """404 for an unknown instance, 410 for one that has ended."""
        instance = self._management.find(instance_id)
        if instance is None:
            return nothing(404)
        return nothing(410) if instance.is_over else None

    async def _restart(self, request: web.BaseRequest, instance_id: str) -> web.Response:
        with_new_id = flag(request, "restartWithNewInstanceId", True)
        try:
            return self._accepted(request, self._management.restart(instance_id, with_new_id))
        except ArgumentRefusedError as error:
            return error_answer(400, "InstanceId does not match a valid orchestration instance.", error)


def _rewind(instance: Instance) -> web.Response:
    if instance.status != "Failed":
        return json_answer(
            {"Message": "The rewind operation is only supported on failed orchestration instances."}, 412
        )
    return json_answer({"Message": "The local host does not rewind; restart the instance instead."}, 501)


def _filter(request: web.BaseRequest) -> Filter:
    """The conditions of a query; what cannot be read is ignored, as the extension does."""
    statuses = [status for value in request.query.getall("runtimeStatus", []) for status in value.split(",")]
    start, end = created_between(moment_of(request, "createdTimeFrom"), moment_of(request, "createdTimeTo"))
    return Filter(
        statuses=[status for status in statuses if status],
        created_from=start,
        created_to=end,
        prefix=request.query.get("instanceIdPrefix") or None,
    )
