"""The networks between the app and what is outside of it: they hang by the lifeline, and lose requests."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from simulator.cloud import Cloud
from simulator.faults import Faults
from simulator.wire import Request, Response
from tests.reach import Reach
from tests.schedules.copy_log import CopyLog
from tests.schedules.lifeline import Lifeline


class MortalReach(Reach):
    """The network to the storage accounts: the app's requests hang by the lifeline, and get lost."""

    def __init__(self, lifeline: Lifeline) -> None:
        super().__init__()
        self._lifeline = lifeline
        self.faults = Faults()

    def send(self, request: requests.PreparedRequest) -> requests.Response:
        """Send one request; the test itself sees what is lost too."""
        if not self._lifeline.is_of_the_app:
            return self.carry(request)
        self._lifeline.before_request()
        fault = self.faults.meet(Request.of(request.method, request.url))
        lost = requests.ConnectionError(f"{request.method} {request.url}: the connection is lost")
        if fault and not fault.after_executing:
            raise lost
        answer = super().send(request)
        self._lifeline.after_request()
        if fault:
            raise lost
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
