"""PUT and DELETE restore-points/{id}/hold: keep a restore point, whatever its policy says."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Annotated

import azure.durable_functions as df
from pydantic import Field, StringConstraints

from domain.errors import Busy, Fault, InvalidInput, NotFound
from domain.restore_points import PointState, ReplicaState, RestorePoint
from domain.retention import held
from gateways.connection import cloud
from triggers.documents import form
from triggers.identity import Caller, Role
from triggers.restore_points import PointDocument, PointPath, described, found_point
from triggers.routing import endpoint

blueprint = df.Blueprint()

_log = logging.getLogger("tidemark.triggers")


@form
class HoldOrder:
    """Why a restore point must be kept."""

    reason: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=256),
        Field(
            description="Stands in the column `hold` of the restore point's row.", examples=["incident 42"]
        ),
    ]


@endpoint(
    blueprint,
    "PUT",
    "restore-points/{id}/hold",
    role=Role.OPERATOR,
    summary="Keep a restore point, whatever its policy says",
    problems=(NotFound, Busy),
)
def hold_restore_point(path: PointPath, body: HoldOrder, caller: Caller) -> PointDocument:
    found_point(path.id)
    point = cloud().catalogue.restore_points.change_hold(path.id, lambda known: _held(known, body.reason))
    _log.info("restore point %s is held by %s: %s", path.id, caller.who, body.reason)
    return described(point or found_point(path.id))


@endpoint(
    blueprint,
    "DELETE",
    "restore-points/{id}/hold",
    role=Role.ADMIN,  # what is not held any more may be deleted
    summary="Leave a restore point to its policy again",
    problems=(NotFound,),
)
def release_restore_point(path: PointPath, caller: Caller) -> PointDocument:
    found_point(path.id)
    point = cloud().catalogue.restore_points.change_hold(
        path.id, lambda known: replace(known, hold=None) if known.hold else None
    )
    _log.info("restore point %s is not held any more, says %s", path.id, caller.who)
    return described(point or found_point(path.id))


def _held(point: RestorePoint, reason: str) -> RestorePoint:
    """Return the point with a hold; raises if there is nothing that could be kept."""
    if point.state is PointState.FAILED:
        fault = Fault("id", "it failed, so there is nothing to keep; hold another restore point")
        raise InvalidInput(f"Restore point {point.id}", [fault])
    kept = held(point, reason)
    if point.is_available and not _has_something_to_keep(kept):
        raise Busy(
            f"restore point {point.id} is being deleted in every location, which cannot be undone; "
            "hold another one",
            operation=None,
            point=point.id,
        )
    return kept


def _has_something_to_keep(point: RestorePoint) -> bool:
    """A location counts where the data is, or is on its way to."""
    states = (ReplicaState.AVAILABLE, ReplicaState.WAITING, ReplicaState.COPYING)
    return any(state in states for state in point.replicas.values())
