"""A storage account for tests: of the simulator, in memory or over HTTP, or of Azurite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient, BlobServiceClient, generate_container_sas

from clock import Clock, ManualClock, SystemClock
from simulator.cloud import Cloud
from simulator.server import Server
from simulator.tempo import Tempo
from simulator.transport import transport
from simulator.wire import Request, Response
from simulator.world_accounts import AccountHandle
from tests.conftest import Account
from tests.simulator.conftest import Token

API_VERSION = "2021-12-02"
CONTAINER = "disks"
MIB = 1024 * 1024
PAGE = 512
UNLIMITED = Tempo(blob_requests_per_second=None, blob_bytes_per_second=None)
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Storage:
    """One account with the container `disks`, however it is reached."""

    name: str
    key: str
    endpoint: str
    clock: Clock
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def service(self) -> BlobServiceClient:
        credential = AzureNamedKeyCredential(self.name, self.key)
        return BlobServiceClient(
            self.endpoint, credential=credential, api_version=API_VERSION, retry_total=0, **self.options
        )

    def blob(self, name: str = "web.vhd", snapshot: Any = None) -> BlobClient:
        return self.service.get_blob_client(CONTAINER, name, snapshot)

    def sas(self, permissions: str = "rcwdl", lasting: timedelta = HOUR) -> str:
        return generate_container_sas(
            self.name,
            CONTAINER,
            account_key=self.key,
            permission=permissions,
            expiry=self.clock.now() + lasting,
        )

    def blob_by(self, credential: Any, name: str = "web.vhd") -> BlobClient:
        """Return a blob reached by a SAS, a token, or nothing at all."""
        return BlobClient(
            self.endpoint,
            CONTAINER,
            name,
            credential=credential,
            api_version=API_VERSION,
            retry_total=0,
            **self.options,
        )


@dataclass
class Simulated(Storage):
    """An account of the simulator, on a clock that stands still."""

    cloud: Any = None
    handle: Any = None

    def as_identity(self, identity: str, name: str = "web.vhd") -> BlobClient:
        return self.blob_by(Token(identity), name)

    def ask(
        self, method: str, query: str = "", headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send one plain request for the blob `web.vhd`, by SAS."""
        return self.ask_at(method, f"{self.endpoint}/{CONTAINER}/web.vhd?{self.sas()}{query}", headers, body)

    def ask_at(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send one plain request anywhere."""
        sent = {"x-ms-version": API_VERSION, **(headers or {})}
        return self.cloud.handle(Request.of(method, url, sent, body))

    def pass_time(self, **span: float) -> None:
        assert isinstance(self.clock, ManualClock)
        self.clock.advance(timedelta(**span))


def account_of(cloud: Cloud, handle: AccountHandle, **options: Any) -> Simulated:
    """Return a way to reach an account of a cloud."""
    handle.add_container(CONTAINER)
    return Simulated(
        handle.name, handle.key, handle.endpoint, cloud.clock, {**options}, cloud=cloud, handle=handle
    )


@contextmanager
def simulated(
    over_http: bool = False, clock: Clock | None = None, tempo: Tempo | None = None
) -> Iterator[Simulated]:
    """Open an account of a simulated cloud."""
    with Cloud(clock or ManualClock(START), tempo=tempo) as cloud:
        handle = cloud.add_storage_account("vault", "northeurope", "recovery")
        if not over_http:
            yield account_of(cloud, handle, transport=transport(cloud))
            return
        with Server(cloud) as server:
            cloud.base_url = server.url
            yield account_of(cloud, handle)


def of_azurite(account: Account) -> Storage:
    """Return an account of Azurite."""
    account.make_container(CONTAINER)
    return Storage(account.name, account.key, account.blob_endpoint, SystemClock())


def refusal(error: HttpResponseError) -> str:
    """Return how the service refused: "409 SnapshotsPresent"."""
    answer: Any = error.response
    return f"{error.status_code} {answer.headers['x-ms-error-code']}"


def put(storage: Simulated, start: int, data: bytes, mode: str = "update", **headers: str) -> Response:
    """Put a page; `headers` are named without `x-ms-` and with underscores."""
    sent = {"x-ms-page-write": mode, "x-ms-range": f"bytes={start}-{start + len(data) - 1}"}
    sent |= {f"x-ms-{name}".replace("_", "-"): value for name, value in headers.items()}
    return storage.ask("PUT", "&comp=page", sent, data if mode == "update" else b"")


def told(answer: Response) -> tuple[int, str | None]:
    """Return how an answer went: status and error code."""
    return answer.status, answer.headers.get("x-ms-error-code")


def etag(storage: Simulated) -> str:
    """Return the ETag of the blob `web.vhd`."""
    return storage.ask("HEAD").headers["etag"]


@contextmanager
def with_page_blob(tempo: Tempo | None = None) -> Iterator[Simulated]:
    """Open an account of the simulator in memory, with a page blob `web.vhd` of 16 MiB and a footer."""
    with simulated(tempo=tempo) as storage:
        storage.blob().create_page_blob(16 * MIB + PAGE)
        yield storage
