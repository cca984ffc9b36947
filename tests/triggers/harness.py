"""The app's HTTP functions, called as the host calls them: an HttpRequest in, an HttpResponse out, no host.

The catalogue is real (the storage emulator), Azure is the simulated cloud below the real SDKs. The durable
client is a recorder: it keeps what was started, and tells what it was told to tell. Every answer is held to
the OpenAPI document: its status, its media type and its schema must be described there.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import azure.durable_functions as df
import azure.functions as func
from openapi_schema_validator import OAS31Validator

from clock import ManualClock
from domain.copies import Copy, CopyState, copies_of
from domain.operations import Operation
from domain.policy import Policy
from domain.protection import ProtectedVm
from domain.restore_points import ReplicaState, RestorePoint
from domain.snapshots import Snapshot
from domain.vms import VirtualMachine
from gateways.connection import connect, use
from local_host.app import Function
from local_host.http_triggers import HttpFunction
from settings import Settings
from simulator.cloud import Cloud
from simulator.transport import transport
from tests.conftest import Accounts
from tests.loaded_app import ROOT as ROOT
from tests.loaded_app import tidemark
from tests.reach import Reach
from tests.settings_files import HOME as HOME
from tests.settings_files import RECOVERY as RECOVERY
from tests.settings_files import TOKEN as TOKEN
from tests.settings_files import location_entry, policy_entry, settings_in
from triggers.openapi import describe
from triggers.problems import KINDS
from triggers.release import PREFIX
from triggers.routing import ENDPOINTS

START = datetime(2026, 11, 22, 16, 0, 30, tzinfo=UTC)
ALIEN_SUBSCRIPTION = "99999999-9999-9999-9999-999999999999"


@dataclass(frozen=True)
class Answer:
    """What a function answered."""

    status: int
    headers: Mapping[str, str]
    body: Any
    media_type: str


@dataclass
class Status:
    """What the recorder tells of an instance."""

    runtime_status: df.OrchestrationRuntimeStatus
    input_: Any = None
    output: Any = None
    last_updated_time: datetime | None = None
    created_time: datetime | None = None


@dataclass
class Recorder:
    """Stands for the durable client: keeps what was started, under which id, with what."""

    started: dict[str, tuple[str, Any]] = field(default_factory=dict)
    statuses: dict[str, Status] = field(default_factory=dict)
    is_broken: bool = False

    async def start_new(self, orchestrator: str, instance: str, request: Any) -> str:
        if self.is_broken:
            raise Exception("the host does not answer")
        self.started[instance] = (orchestrator, request)
        running = df.OrchestrationRuntimeStatus.Running
        self.statuses[instance] = Status(running, json.dumps(json.dumps(request)))
        return instance

    async def get_status(self, instance: str, show_input: bool = False) -> Status | None:
        if self.is_broken:
            raise Exception("the host does not answer")
        return self.statuses.get(instance)


class Api:
    """The API of one app, beside a cloud of its own."""

    def __init__(self, directory: Path, accounts: Accounts) -> None:
        self.clock = ManualClock(START)
        self.cloud = Cloud(self.clock)
        for group, region in (("production", HOME), ("snapshots-west", HOME), ("snapshots-north", RECOVERY)):
            self.cloud.add_resource_group(group, region)
        self.client = Recorder()
        self._accounts = accounts
        self._described: dict[str, VirtualMachine] = {}
        self._directory = directory
        self._storage = Reach()
        self.connected = connect(self._settings(), clock=self.clock, transport=transport(self.cloud),
                                 storage_transport=self._storage.transport())  # fmt: skip
        use(self.connected)
        self.functions = HttpFunction.in_order(tidemark().http)

    def close(self) -> None:
        use(None)
        self._storage.close()
        self.cloud.close()

    def with_settings(self, **changed: Any) -> None:
        """Go on with other settings and the same catalogue and cloud."""
        self.connected = replace(self.connected, settings=replace(self.connected.settings, **changed))
        use(self.connected)

    def with_policies(self, policies: Mapping[str, Policy]) -> None:
        """Go on with other policies and the same catalogue and cloud."""
        changed = replace(self.connected.policies, policies=policies)
        self.connected = replace(self.connected, policies=changed)
        use(self.connected)

    # Calling

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = TOKEN,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call the function behind a path. A body that is bytes is sent as it is."""
        parts = urlsplit(path)
        function, values = self._routed(method, parts.path.removeprefix(PREFIX).removeprefix("/"))
        request = func.HttpRequest(
            method,
            f"https://tidemark.example{PREFIX}/{path.removeprefix(PREFIX).removeprefix('/')}",
            headers={**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})},
            params=dict(parse_qsl(parts.query, keep_blank_values=True)),
            route_params=values,
            body=body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode(),
        )
        answer = answered(function.call, request, self.client)
        see_that_described(function.name, answer)
        return answer

    def _routed(self, method: str, path: str) -> tuple[Function, dict[str, str]]:
        """Return the function that a path leads to and the values of its parameters, as the host does."""
        for candidate in self.functions:
            values = candidate.match(method, path)
            if values is not None:
                return candidate.function, values
        raise LookupError(f"no route leads to {method} {path}")

    # What exists

    def add_vm(self, name: str = "web", **options: Any) -> str:
        """Add a VM with an OS disk and a data disk; return its ARM id."""
        mebibyte = 1 << 20
        wanted = {
            "disks": {"os": mebibyte, "data": mebibyte},
            "tags": {"tidemark-policy": "daily"},
            **options,
        }
        region = wanted.pop("region", HOME)
        return self.cloud.add_virtual_machine(name, region, "production", **wanted).id

    def operations(self) -> list[Operation]:
        """Return every operation of today."""
        return self.connected.catalogue.operations.of_day(f"{self.clock.now():%Y%m%d}")

    def policy(self) -> Any:
        return self.connected.policies.policies["daily"]

    def add_point(self, vm_id: str, slot: datetime, *, attempt: int = 1, **options: Any) -> RestorePoint:
        """Write a point as an ended backup leaves it: its `state`, its replica's, and `copies`'."""
        if vm_id not in self._described:  # asking Azure each time would be throttled
            self._described[vm_id] = self.connected.virtual_machines.describe(vm_id)
        vm = self._described[vm_id]
        operation = options.get("operation")
        begun = RestorePoint.begin(vm, self.policy(), slot, attempt, slot, operation)
        state = options.get("state", "available")
        if state == "begun":
            return self._recorded(begun, options.get("overview", True))
        if state == "failed":
            return self._recorded(begun.failed("disk 'data': Azure refused", slot))
        snapshots = [replace(part, snapshot=_usable(part, slot)) for part in begun.disks]
        point = begun.decided_by(snapshots, slot + timedelta(minutes=1))
        for copy in copies_of(point):
            self._add_copy(copy, options)
        return self._recorded(point.with_replica("north", options.get("north", ReplicaState.AVAILABLE)))

    def _add_copy(self, copy: Copy, options: Mapping[str, Any]) -> None:
        is_there = options.get("north", ReplicaState.AVAILABLE) is ReplicaState.AVAILABLE
        state = options.get("copies", CopyState.AVAILABLE if is_there else CopyState.COPYING)
        percent = {CopyState.AVAILABLE: 100.0, CopyState.COPYING: 40.0}.get(state, 0.0)
        self.connected.catalogue.copies.plan(replace(copy, state=state, percent=percent))

    def _recorded(self, point: RestorePoint, overview: bool = True) -> RestorePoint:
        catalogue = self.connected.catalogue
        catalogue.restore_points.begin(point)
        if overview:
            catalogue.vms.update(ProtectedVm.of(point.vm, point.policy), lambda vm: vm.with_point(point))
        return point

    def _settings(self) -> Settings:
        subscription = self.cloud.subscription
        places = {
            name: location_entry(name, region, subscription, f"https://tidemark{name}.blob.core.windows.net")
            for name, region in (("west", HOME), ("north", RECOVERY))
        }
        told = {
            "subscriptions": [{"id": subscription}],
            "locations": places,
            "policies": {"daily": policy_entry("north")},
        }
        return settings_in(self._directory, told, self._accounts.fresh())


def _usable(part: Any, slot: datetime) -> Snapshot:
    return Snapshot(
        id=part.snapshot_id,
        name=part.snapshot_id.rsplit("/", 1)[-1],
        provisioning_state="Succeeded",
        source_id=part.disk.id,
        source_unique_id=part.disk.unique_id,
        unique_id="11111111-2222-3333-4444-555555555555",
        created=slot + timedelta(seconds=5 if part.disk.is_os_disk else 7),
    )


def see_that_described(function: str, answer: Answer) -> None:
    """Hold an answer to what the OpenAPI document says of a function; it knows all problems."""
    document = description()
    operations = {
        known["operationId"]: known["responses"]
        for path in document["paths"].values()
        for known in path.values()
    }
    problems = {str(kind.status): {"$ref": kind.name} for kind in KINDS.values()}
    told = operations.get(function, problems)[str(answer.status)]
    if "$ref" in told:
        told = document["components"]["responses"][told["$ref"].rsplit("/", 1)[-1]]
    schema = told["content"][answer.media_type]["schema"]
    OAS31Validator({**schema, "components": document["components"]}).validate(answer.body)


@cache
def description() -> dict[str, Any]:
    """Return the OpenAPI document of all endpoints."""
    return describe(ENDPOINTS)


def answered(function: Any, request: func.HttpRequest, client: Recorder) -> Answer:
    """Call one function as the worker does: async ones in a loop, the client only where one is bound."""
    code = getattr(function, "client_function", function)  # below what makes a client of the binding's text
    if inspect.iscoroutinefunction(code):
        response = asyncio.run(code(request=request, client=client))
    else:
        response = code(request=request)
    body = response.get_body()
    return Answer(response.status_code, dict(response.headers), json.loads(body), response.mimetype)
