"""The networks between the app and what is outside of it: they hang by the lifeline, and lose requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict

from simulator.cloud import Cloud
from simulator.faults import Faults
from simulator.wire import Request, Response
from tests.schedules.copy_log import CopyLog
from tests.schedules.lifeline import Lifeline
from tests.world import Reach


class MortalReach(Reach):
    """The network to the storage accounts: the app's requests hang by the lifeline, and get lost."""

    def __init__(self, lifeline: Lifeline) -> None:
        super().__init__()
        self._lifeline = lifeline
        self.faults = Faults()

    def send(self, request, *args, **options):
        if not self._lifeline.is_of_the_app:
            return requests.adapters.HTTPAdapter.send(
                self, request, *args, **options
            )  # sees what is lost too
        self._lifeline.before_request()
        fault = self.faults.meet(Request.of(request.method, request.url))
        lost = requests.ConnectionError(f"{request.method} {request.url}: the connection is lost")
        if fault and not fault.after_executing:
            raise lost
        answer = super().send(request, *args, **options)
        try:
            self._lifeline.after_request()
            if fault:
                raise lost
        except BaseException:
            answer.close()
            raise
        return answer


class PlainSession(requests.Session):
    """A session without cookies, proxies, hooks and redirects, as Azure's SDKs use one.

    `requests` spends half of its time on them, and a schedule asks the tables a thousand times.
    """

    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self._reach = reach

    def request(  # type: ignore[override]  # it takes what RequestsTransport gives, and no more
        self, method: str, url: str, *, headers: Any, data: Any, timeout: Any, stream: bool = False, **_: Any
    ) -> requests.Response:
        """Send one request as it is."""
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url, prepared.body = method, url, data or None
        prepared.headers = CaseInsensitiveDict(headers)
        if data and "Content-Length" not in prepared.headers:
            prepared.headers["Content-Length"] = str(len(data))
        answer = self._reach.send(prepared, stream=stream, timeout=timeout)
        if not stream:
            _ = answer.content  # as requests does: read while the caller still minds that it fails
        return answer


@dataclass
class MortalNetwork:
    """The network to the cloud, which hangs by the lifeline; it notes the copies that are made."""

    cloud: Cloud
    lifeline: Lifeline
    log: CopyLog

    def handle(self, request: Request) -> Response:
        """Send one request."""
        self.lifeline.before_request()
        before = self.cloud.clock.now()
        with self.log.watching(request) as watched:
            response = watched(self.cloud.handle(request))
        if self.cloud.clock.now() > before:  # what has come due meanwhile is begun first, each time
            self.lifeline.wait_for_turn()
        self.lifeline.after_request()
        return response
