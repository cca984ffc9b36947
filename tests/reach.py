"""The network between the app and its storage accounts, of which a test can cut off some."""

from __future__ import annotations

import time
from typing import Any

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests.structures import CaseInsensitiveDict

from tests.loopback import Loopback


class Reach:
    """The network to the storage accounts, of which those in a lost region cannot be reached."""

    def __init__(self) -> None:
        self.lost: set[str] = set()
        self.seconds = 0.0  # wall time spent waiting for the emulator
        self._connections = Loopback()

    def send(self, request: requests.PreparedRequest) -> requests.Response:
        """Send one request; raises requests.ConnectionError where its account cannot be reached."""
        # account101 begins as account1014 does
        if any(request.url.startswith(f"{endpoint}/") for endpoint in self.lost):
            raise requests.ConnectionError(f"{request.url} is in a lost region", request=request)
        return self.carry(request)

    def carry(self, request: requests.PreparedRequest) -> requests.Response:
        """Send one request, whatever is lost."""
        began = time.perf_counter()
        try:
            return self._connections.send(request)
        finally:
            self.seconds += time.perf_counter() - began

    def transport(self) -> RequestsTransport:
        """Return the transport of any number of storage clients that ask through this network."""
        return RequestsTransport(session=_Session(self), session_owner=False)

    def close(self) -> None:
        """Close its connections."""
        self._connections.close()


class _Session(requests.Session):
    """What the transport of Azure's SDKs calls: a session that hands each request on as it is."""

    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self._reach = reach

    def request(  # type: ignore[override]  # it takes what RequestsTransport gives, and no more
        self, method: str, url: str, *, headers: Any, data: Any, **_: Any
    ) -> requests.Response:
        """Send one request as it is."""
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url, prepared.body = method, url, data or None
        prepared.headers = CaseInsensitiveDict(headers)
        if data and "Content-Length" not in prepared.headers:
            prepared.headers["Content-Length"] = str(len(data))
        return self._reach.send(prepared)
