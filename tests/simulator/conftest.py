"""A simulated cloud for every test: a machine in westeurope, a group in northeurope, and the real SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute import ComputeManagementClient

from clock import ManualClock
from simulator.cloud import Cloud
from simulator.tempo import Tempo
from simulator.transport import transport
from simulator.wire import Request, Response
from simulator.world_handles import MachineHandle

if TYPE_CHECKING:
    from tests.simulator.storage_accounts import Simulated

GIB = 1 << 30
MIB = 1 << 20
HOME, RECOVERY = "westeurope", "northeurope"
API_VERSION = "2025-01-02"
COMPUTE = "providers/Microsoft.Compute"


class Token:
    """A credential that names an identity, as the simulator understands it."""

    def __init__(self, identity: str) -> None:
        self._token = f"development:{identity}"

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(self._token, 4_102_444_800)


class ImpatientTransport:
    """Between SDK and cloud: when a poller looks at an operation, a minute passes first, so that every
    operation has ended by the time that it is looked at."""

    def __init__(self, cloud: Cloud, clock: ManualClock) -> None:
        self._cloud = cloud
        self._clock = clock

    def handle(self, request: Request) -> Response:
        if "operations/" in request.path.lower():
            self._clock.advance(timedelta(minutes=1))
        return self._cloud.handle(request)


@dataclass
class Azure:
    """The cloud as a client sees it, and short ways to say what tests say often."""

    cloud: Cloud
    clock: ManualClock
    web: MachineHandle

    def client(self, identity: str = "tester", *, is_impatient: bool = True) -> ComputeManagementClient:
        """Return a real SDK client; an impatient one makes time pass while it polls."""
        answers = ImpatientTransport(self.cloud, self.clock) if is_impatient else self.cloud
        return ComputeManagementClient(
            Token(identity),
            self.cloud.subscription,
            transport=transport(answers),
            retry_total=0,
            polling_interval=0,
        )

    @property
    def sdk(self) -> ComputeManagementClient:
        return self.client()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = "development:tester",
        version: str | None = API_VERSION,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """Send one plain request; `path` begins below the subscription unless it begins with a slash."""
        whole = path if path.startswith("/") else f"/subscriptions/{self.cloud.subscription}/{path}"
        query = f"{'&' if '?' in whole else '?'}api-version={version}" if version else ""
        sent = {**({"authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        url = f"https://management.azure.com{whole}{query}"
        return self.cloud.handle(
            Request.of(method, url, sent, json.dumps(body).encode() if body is not None else b"")
        )

    def pass_time(self, **span: float) -> None:
        self.clock.advance(timedelta(**span))

    def id(self, kind: str, name: str, group: str = "production") -> str:
        """Return the id of a Compute resource."""
        return f"/subscriptions/{self.cloud.subscription}/resourceGroups/{group}/{COMPUTE}/{kind}/{name}"

    def take(self, name: str, disk: str = "data", *, group: str = "production", **properties: Any) -> Any:
        """Take an incremental snapshot of one of the machine's disks and wait for it."""
        body = snapshot_body(self.web.disk(disk).id, **properties)
        return self.sdk.snapshots.begin_create_or_update(group, name, body).result()

    def begin_copy(self, name: str, source: str, region: str = RECOVERY, group: str = "recovery") -> Any:
        """Start a cross-region copy and wait until it is accepted."""
        return self.sdk.snapshots.begin_create_or_update(group, name, copy_body(source, region)).result()

    def copy(self, name: str, source: str, region: str = RECOVERY, group: str = "recovery") -> Any:
        """Copy a snapshot into another region and wait until the data is there."""
        self.begin_copy(name, source, region, group)
        self.pass_time(hours=1)
        copied = self.sdk.snapshots.get(group, name)
        assert copied.completion_percent == 100
        return copied

    def make_disk(self, name: str, body: Any, group: str = "production") -> Any:
        return self.sdk.disks.begin_create_or_update(group, name, body).result()


def snapshot_body(source: str, region: str = HOME, **properties: Any) -> Any:
    """Return the body of an incremental snapshot of a disk."""
    creation = {"createOption": "Copy", "sourceResourceId": source}
    return {"location": region, "properties": {"incremental": True, "creationData": creation, **properties}}


def copy_body(source: str, region: str = RECOVERY, **properties: Any) -> Any:
    """Return the body of a cross-region copy of a snapshot."""
    creation = {"createOption": "CopyStart", "sourceResourceId": source}
    return {"location": region, "properties": {"incremental": True, "creationData": creation, **properties}}


def disk_body(
    source: str | None, region: str = HOME, sku: str = "Premium_LRS", **more: Any
) -> dict[str, Any]:
    """Return the body of a disk: from a snapshot, or empty with 4 GiB."""
    properties: dict[str, Any] = {"creationData": {"createOption": "Copy", "sourceResourceId": source}}
    if source is None:
        properties = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 4}
    body = {"location": region, "sku": {"name": sku}, "properties": properties}
    for name, value in more.items():
        (body if name in ("zones", "tags") else properties)[name] = value
    return body


def code_of(raised: pytest.ExceptionInfo[HttpResponseError]) -> str:
    """Return the error code that a client sees."""
    error = raised.value.error
    assert error is not None
    return str(error.code)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, 12, tzinfo=UTC))


@pytest.fixture
def tempo() -> Tempo:
    return Tempo()


@pytest.fixture
def azure(clock: ManualClock, tempo: Tempo) -> Iterator[Azure]:
    """A cloud with the machine `web` (disks `os` and `data`) in `production`, and an empty `recovery`."""
    cloud = Cloud(clock, tempo=tempo, seed=7)
    web = cloud.add_virtual_machine(
        "web", HOME, "production", {"os": 8 * GIB, "data": 64 * GIB}, tags={"team": "shop"}
    )
    cloud.add_resource_group("recovery", RECOVERY)
    yield Azure(cloud, clock, web)
    cloud.close()


@pytest.fixture
def storage() -> Iterator[Simulated]:
    """An account of the simulator in memory, with a page blob of 16 MiB and a footer."""
    from tests.simulator.storage_accounts import with_page_blob  # which has its credential from here

    with with_page_blob() as storage:
        yield storage
