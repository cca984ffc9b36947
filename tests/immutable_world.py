"""A world whose manifests are immutable for some days, as the deployment makes their containers.

The storage emulator knows no immutability, so the network in front of it answers for Azure: for a time-based
retention policy on the container a blob can be written once and read, is neither overwritten nor deleted
until its time is over, and may then be deleted, but still not overwritten. Code, status and words are those
of learn.microsoft.com/rest/api/storageservices/blob-service-error-codes; not verified on Azure.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import requests

from clock import Clock
from tests.loopback import answered
from tests.pruned_world import PrunedWorld
from tests.reach import Reach

DAYS = timedelta(days=5)
CODE = "BlobImmutableDueToPolicy"
BODY = (
    f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{CODE}</Code><Message>This operation is not '
    "permitted as the blob is immutable due to a policy.</Message></Error>"
)


class ImmutableReach(Reach):
    """The network to storage accounts whose manifests are immutable; `refused` has what was tried."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._written: dict[str, datetime] = {}
        self.refused: list[tuple[str, str]] = []

    def send(self, request: requests.PreparedRequest) -> requests.Response:
        """Send one request, or refuse it as Azure would."""
        blob = urlsplit(request.url).path
        if "/manifests/" not in blob or not self._is_refused(request.method, blob):
            answer = super().send(request)
            if request.method == "PUT" and answer.status_code == 201:
                self._written[blob] = self._clock.now()
            return answer
        self.refused.append((request.method, blob))
        headers = {"Content-Type": "application/xml", "x-ms-error-code": CODE}
        return answered(request, 409, headers, BODY.encode())

    def _is_refused(self, method: str, blob: str) -> bool:
        written = self._written.get(blob)
        if written is None:
            return False
        return method == "PUT" or (method == "DELETE" and self._clock.now() < written + DAYS)


class ImmutableWorld(PrunedWorld):
    """A world in which nobody deletes or changes a manifest that is younger than `DAYS`."""

    reach: ImmutableReach

    def _reach(self) -> ImmutableReach:
        return ImmutableReach(self.clock)


def refused_deletions(world: ImmutableWorld) -> list[str]:
    """Return the manifests whose deletion was refused, once for each time."""
    return [blob for method, blob in world.reach.refused if method == "DELETE"]
