"""Levers beside the cloud, for somebody who plays with a served one by curl. Nothing here is Azure's.

POST /simulator/lose/{region}         lose a region
POST /simulator/restore/{region}      bring it back
POST /simulator/write/{disk id}       write the request's body at the start of a disk
GET  /simulator/meter                 what the simulator counted
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.cloud import Cloud
from simulator.wire import Request, Response

PREFIX = "/simulator/"


class ControlRoom:
    """Answers for a cloud, and for the levers beside it."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._levers: dict[tuple[str, str], Callable[[str, bytes], object]] = {
            ("POST", "lose"): lambda region, _: cloud.lose_region(region),
            ("POST", "restore"): lambda region, _: cloud.restore_region(region),
            ("POST", "write"): lambda disk, data: cloud.disk(f"/{disk}").image.write(0, data),
            ("GET", "meter"): lambda *_: self._meter(),
        }

    def handle(self, request: Request) -> Response:
        """Pull a lever, or let the cloud answer; raises ConnectionDropped where the cloud does."""
        if not request.path.startswith(PREFIX):
            return self._cloud.handle(request)
        name, _, argument = request.path.removeprefix(PREFIX).partition("/")
        lever = self._levers.get((request.method, name))
        if lever is None:
            known = ", ".join(f"{method} {PREFIX}{lever}" for method, lever in self._levers)
            return Response.of_json(404, {"error": f"There is no such lever; there are {known}"})
        try:
            return Response.of_json(200, lever(argument, request.body) or {"done": name})
        except (KeyError, ValueError) as error:
            return Response.of_json(400, {"error": str(error)})

    def _meter(self) -> dict[str, object]:
        meter = self._cloud.meter
        return {
            "calls": {f"{method} {route}": count for (method, route), count in sorted(meter.calls.items())},
            "copies": [
                {"target": each.target, "bytesMoved": each.bytes_moved, "whole": each.whole}
                for each in meter.copies
            ],
            "rights": sorted({f"{identity}: {action}" for identity, action in meter.rights}),
            "secondsInside": round(meter.seconds, 3),
        }
