"""The simulated cloud as a whole: one request in, one response out, no sockets and no threads.

    cloud = Cloud(ManualClock(start))
    web = cloud.add_virtual_machine("web", "westeurope", "production", {"os": 8 * GIB, "data": 64 * GIB})
    web.disk("os").image.write(0, b"...")
    client = ComputeManagementClient(credential, cloud.subscription, transport=transport(cloud))
    cloud.lose_region("westeurope")

Requests for `md-…` hosts go to the data plane, those for storage accounts to theirs; neither needs a lock
while bodies are sent. All others go to Resource Manager, one at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from random import Random
from typing import Protocol, Self, runtime_checkable

from clock import Clock
from simulator.arm import snapshot_copies
from simulator.arm.estate import Estate
from simulator.arm.front_door import FrontDoor
from simulator.arm.identifiers import UniqueIds
from simulator.arm.machine_sizes import Offers
from simulator.arm.operations import Failure
from simulator.arm.roles import Roles
from simulator.arm.snapshot_families import Families
from simulator.arm.timeline import Timeline
from simulator.data_plane import DataPlane
from simulator.data_plane.access import AccessTable
from simulator.data_plane.storage_hosts import common_headers
from simulator.faults import Fault, Faults
from simulator.images import ImageStore
from simulator.meter import Meter
from simulator.page_blobs import PageBlobHosts
from simulator.page_blobs.accounts import StorageAccounts
from simulator.regions import Regions, normalized
from simulator.tempo import Tempo
from simulator.wire import ConnectionDropped, Request, Response
from simulator.world import World


@runtime_checkable
class MovableClock(Protocol):
    """A clock that can be moved by hand."""

    def move_to(self, moment: datetime) -> None: ...


@runtime_checkable
class TellingClock(Protocol):
    """A clock that tells when it was moved."""

    def on_move(self, listener: Callable[[], None]) -> None: ...


class Cloud(World):
    """A simulated cloud.

    `directory` is where the bytes of disks lie (a temporary one if None). The same `seed` gives the same ids.
    `base_url` is where a server answers for the cloud; without one, URLs have Azure's host names.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        directory: Path | None = None,
        seed: int = 0,
        base_url: str | None = None,
        tempo: Tempo | None = None,
    ) -> None:
        self.clock = clock
        self.faults = Faults()
        regions = Regions(seed)
        unique_ids = UniqueIds(seed, "resources")
        accesses = AccessTable(clock, Random(f"accesses:{seed}"))
        super().__init__(
            Estate(
                clock=clock,
                tempo=tempo or Tempo(),
                regions=regions,
                timeline=Timeline(clock, regions.is_lost),
                unique_ids=unique_ids,
                images=ImageStore(directory),
                accesses=accesses,
                families=Families(unique_ids),
                storage=StorageAccounts(),
                base_url=base_url,
            )
        )
        self._request_ids = UniqueIds(seed, "requests")
        self._page_blobs = PageBlobHosts(self.estate)
        self._data_plane = DataPlane(accesses, clock, regions.is_lost, self._page_blobs.sources)
        self._front_door = FrontDoor(self.estate)
        if isinstance(clock, TellingClock):
            clock.on_move(self.settle)

    @property
    def meter(self) -> Meter:
        """The simulator's own meter."""
        return self.estate.meter

    @property
    def roles(self) -> Roles:
        """Who may do what; as long as nothing is granted, everybody may do everything."""
        return self.estate.roles

    @property
    def offers(self) -> Offers:
        """Where sizes of machines are to be had; everywhere, until one is taken away."""
        return self.estate.offers

    @property
    def base_url(self) -> str | None:
        """Where a server answers for this cloud; None if none does."""
        return self.estate.base_url

    @base_url.setter
    def base_url(self, url: str | None) -> None:
        self.estate.base_url = url

    def handle(self, request: Request) -> Response:
        """Answer one request; raises ConnectionDropped where a real client would lose its connection."""
        fault = self.faults.meet(request)
        if fault is None:
            return self._execute(request, None)
        if fault.effect == "delay":
            self._let_pass(fault.by)
        if fault.interrupts and not fault.after_executing:
            return self._instead(request, fault)
        response = self._execute(request, fault.failure if fault.effect == "fail operation" else None)
        if fault.effect == "fail operation" and "azure-asyncoperation" not in response.headers:
            self.faults.give_back(fault)
        if fault.effect == "cut":
            sent = response.length // 2 if fault.after_bytes is None else fault.after_bytes
            raise ConnectionDropped(response, sent)
        return self._instead(request, fault) if fault.interrupts else response

    def lose_region(self, location: str) -> None:
        """Lose a region with everything in it, until it is restored; regions.py says what that is like."""
        with self.estate.lock:
            self.estate.timeline.settle()
            snapshot_copies.halt(self.estate, normalized(location))
            self.estate.regions.lose(location)

    def restore_region(self, location: str) -> None:
        """Bring a region back; what had stopped goes on."""
        with self.estate.lock:
            self.estate.timeline.settle()
            self.estate.regions.restore(location)
            self.estate.timeline.resume()
            snapshot_copies.resume(self.estate)

    def authorize(self, identity: str, action: str, scope: str) -> bool:
        """Tell whether an identity may do something, and note that it was asked."""
        return self.estate.authorize(identity, action, scope)

    def close(self) -> None:
        """Give back the bytes of all disks; nothing happens in this cloud any more."""
        with self.estate.lock:
            self.estate.timeline.stop()
            self.estate.images.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _execute(self, request: Request, planted: Failure | None) -> Response:
        began = time.perf_counter()
        route = "data plane"
        try:
            if DataPlane.is_addressed_by(request):
                return self._data_plane.handle(request)
            if self._page_blobs.is_addressed_by(request):
                route = f"page blobs {request.query.get('comp', '')}".strip()
                return self._page_blobs.handle(request)
            response, route = self._front_door.answer(request, planted)
            return self._stamped(request, response)
        finally:
            self.meter.call(request.method, route, time.perf_counter() - began)

    def _instead(self, request: Request, fault: Fault) -> Response:
        if fault.effect == "drop":
            raise ConnectionDropped()
        if DataPlane.is_addressed_by(request) or self._page_blobs.is_addressed_by(request):
            now = self.clock.now()
            version = request.headers.get("x-ms-version", "")
            return fault.storage_response(common_headers(request, 0, version, now), now)
        return self._stamped(request, fault.response(self.clock.now()))

    def _let_pass(self, span: timedelta) -> None:
        moment = self.clock.now() + span
        seconds = self.clock.seconds_until(moment)
        if seconds is not None:
            time.sleep(seconds)
        elif isinstance(self.clock, MovableClock):
            self.clock.move_to(moment)

    def _stamped(self, request: Request, response: Response) -> Response:
        """Add the headers that every answer of Resource Manager has."""
        with self.estate.lock:
            request_id = self._request_ids.new()
        stamp: Mapping[str, str] = {
            "cache-control": "no-cache",
            "pragma": "no-cache",
            "expires": "-1",
            "date": format_datetime(self.clock.now(), usegmt=True),
            "x-ms-request-id": request_id,
            "x-ms-correlation-request-id": request.headers.get("x-ms-correlation-request-id", request_id),
            "x-ms-routing-request-id": f"SIMULATOR:{request_id}",
            "strict-transport-security": "max-age=31536000; includeSubDomains",
            "x-content-type-options": "nosniff",
        }
        for name, value in stamp.items():
            response.headers.setdefault(name, value)
        return response
