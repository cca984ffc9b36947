"""POST retention/preview: what would be kept of a VM's restore points and why, and what would expire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

import azure.durable_functions as df
from pydantic import Field

from activities.vm_books import books_of, policy_of
from domain.errors import NotFound
from domain.names import vm_key
from domain.policy import Policy
from domain.restore_points import ReplicaState
from domain.retention import Verdict, VmBooks, decide, excess
from triggers.documents import document, form
from triggers.fields import LocationName, VmReference
from triggers.identity import Role
from triggers.release import path_of
from triggers.routing import endpoint
from triggers.vms import found_vm

blueprint = df.Blueprint()


@form
class PreviewOrder:
    """Whose retention to show; with `keepLast` as if the policy kept so many points in these locations."""

    vm: VmReference
    keep_last: dict[LocationName, Annotated[int, Field(ge=1, le=450)]] | None = None


@document
class ReplicaVerdict:
    """What would become of one replica."""

    restore_point: str
    slot: datetime
    location: str
    state: ReplicaState
    verdict: Annotated[
        Literal["kept", "expires", "stopped"],
        Field(description="`stopped`: no rule keeps it, but pruning has stopped, so it stays as it is."),
    ]
    because: Annotated[tuple[str, ...], Field(description="Every reason to keep it; none otherwise.")]
    expires: Annotated[
        datetime | None, Field(description="If it is expiring already: when it is deleted at the earliest.")
    ]


@document
class PreviewDocument:
    """What pruning would decide now. Replicas whose deletion has begun are not in it.

    Where `stopped` says anything, no replica of the VM begins to expire, and no deletion begins.
    """

    vm: str
    policy: Annotated[str | None, Field(description="Null where the policy file does not know it.")]
    stopped: Annotated[
        tuple[str, ...],
        Field(description="Why pruning would stop: more would expire than the policy allows."),
    ]
    replicas: Annotated[tuple[ReplicaVerdict, ...], Field(description="By location, newest first.")]


@endpoint(
    blueprint,
    "POST",
    "retention/preview",
    role=Role.READER,
    summary="Show what would be kept of a VM's restore points, and why",
    problems=(NotFound,),
)
def preview_retention(body: PreviewOrder) -> PreviewDocument:
    key = vm_key(body.vm) if body.vm.startswith("/") else body.vm
    found_vm(key)
    books, policy = books_of(key), _with(policy_of(key), body)
    stopped = tuple(excess(books, policy))
    return PreviewDocument(
        vm=path_of("vms", key),
        policy=policy.name if policy else None,
        stopped=stopped,
        replicas=tuple(_told(books, decide(books, policy), "stopped" if stopped else "expires")),
    )


def _with(policy: Policy | None, order: PreviewOrder) -> Policy | None:
    if policy is None or not order.keep_last:
        return policy
    return replace(policy, keep_last={**policy.keep_last, **order.keep_last})


def _told(
    books: VmBooks, verdicts: list[Verdict], unkept: Literal["expires", "stopped"]
) -> Iterator[ReplicaVerdict]:
    points = {point.id: point for point in books.points}
    for verdict in verdicts:
        point = points[verdict.point]
        yield ReplicaVerdict(
            restore_point=path_of("restore-points", point.id),
            slot=point.slot,
            location=verdict.location,
            state=point.replicas[verdict.location],
            verdict="kept" if verdict.is_kept else unkept,
            because=verdict.because,
            expires=point.expires.get(verdict.location),
        )
